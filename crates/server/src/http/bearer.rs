//! The `Authorization` header (RFC 6750 section 2.1; RFC 9110 section 11.6.2).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use symbolon_domain::Refusal;

use super::problem::Failure;
use crate::app::App;
use crate::flows::authenticate::{Caller, authenticate};
use crate::metrics::Count;

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let token = credential(&parts.headers)?;
        authenticate(app, token, app.clock.now()).map_err(|error| {
            app.metrics.count(Count::RejectedToken);
            Failure(error)
        })
    }
}

/// The Bearer token: the scheme's name in any case, one space, one credential. Another scheme counts as no
/// token, so that the answer names the challenge that would work. A token in the query or body is not looked for.
pub(super) fn credential(headers: &HeaderMap) -> Result<&str, Refusal> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(Refusal::NoToken);
    };
    let text = value.to_str().map_err(|_| Refusal::InvalidToken)?;
    let (scheme, token) = text.split_at_checked(6).ok_or(Refusal::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer")
        || token.starts_with(|first: char| first.is_ascii_alphanumeric())
    {
        return Err(Refusal::NoToken);
    }
    match token.strip_prefix(' ') {
        Some(token) if !token.is_empty() && !token.contains([' ', '\t', ',']) => Ok(token),
        _ => Err(Refusal::InvalidToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<String, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().expect("header"));
        credential(&headers).map(str::to_owned)
    }

    #[test]
    fn n13_one_scheme_one_space_one_credential() {
        assert_eq!(read("Bearer a.b.c"), Ok("a.b.c".to_owned()));
        assert_eq!(read("bEaReR a.b.c"), Ok("a.b.c".to_owned()));
        for bad in [
            "Bearer  a",
            "Bearer\ta",
            "Bearer a, Bearer b",
            "Bearer a b",
            "Bearer ",
        ] {
            assert_eq!(read(bad), Err(Refusal::InvalidToken), "{bad}");
        }
        for other in ["Basic abc", "BearerX abc", "Digest x", "x"] {
            assert_eq!(read(other), Err(Refusal::NoToken), "{other}");
        }
        assert_eq!(credential(&HeaderMap::new()), Err(Refusal::NoToken));
    }
}
