//! The header `Authorization` (RFC 6750 section 2.1, RFC 9449 section 7.1, RFC 9110 section 11.6.2).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use symbolon_domain::Refusal;
use symbolon_guard::{Presented, Scheme, Verified};

use super::problem::Failure;
use crate::app::App;
use crate::flows::Error;
use crate::flows::authenticate::{Caller, authenticate};
use crate::metrics::Count;

/// The header that a proof of possession comes in (RFC 9449 section 4.1).
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let (caller, _) = of_any_client(parts, app)?;
        // An application that a person let in has what they agreed to, and not their account.
        match caller.is_own {
            true => Ok(caller),
            false => Err(Refusal::InsufficientScope.into()),
        }
    }
}

/// Who is calling, by whichever application.
pub(super) fn of_any_client(parts: &Parts, app: &App) -> Result<(Caller, Arc<Verified>), Failure> {
    let credential = Credential::read(&parts.headers, &parts.method, &parts.uri)?;
    let caller = credential.with(app, |presented| {
        authenticate(app, presented, app.clock.now())
    });
    caller.map_err(|error| {
        app.metrics.count(Count::RejectedToken);
        Failure(error)
    })
}

/// A token, and what its proof is judged by.
pub(super) struct Credential<'a> {
    scheme: Scheme,
    token: &'a str,
    proofs: Vec<&'a str>,
    method: &'a Method,
    path: &'a str,
}

impl<'a> Credential<'a> {
    /// The scheme's name in any case, one space, one credential. Another scheme counts as no token, so that the answer
    /// names the challenges that would work. A token in the query or body is not looked for.
    pub(super) fn read(
        headers: &'a HeaderMap,
        method: &'a Method,
        uri: &'a Uri,
    ) -> Result<Self, Refusal> {
        let (scheme, token) = authorization(headers)?;
        let proofs = match scheme {
            Scheme::Bearer => Vec::new(),
            Scheme::Dpop => proofs(headers),
        };
        Ok(Self {
            scheme,
            token,
            proofs,
            method,
            path: uri.path(),
        })
    }

    /// The token alone, for one that nothing is said of the request with.
    pub(super) fn bearer(headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
        match authorization(headers)? {
            (Scheme::Bearer, token) => Ok(token),
            // Whoever asks on behalf of another request cannot have its proof judged.
            (Scheme::Dpop, _) => Err(Refusal::InvalidToken),
        }
    }

    /// Hands on what is to be judged. The address is the issuer's and the path: no header says where the request went.
    pub(super) fn with<T>(
        &self,
        app: &App,
        judge: impl FnOnce(&Presented<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.scheme == Scheme::Bearer {
            return judge(&Presented::bearer(self.token));
        }
        let uri = format!("{}{}", app.issuance()?.issuer, self.path);
        judge(&Presented {
            scheme: self.scheme,
            token: self.token,
            proofs: &self.proofs,
            method: self.method.as_str(),
            uri: &uri,
        })
    }
}

/// The value of each header `DPoP`; what is no text is no proof.
pub(super) fn proofs(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(DPOP).iter();
    values.map(|one| one.to_str().unwrap_or_default()).collect()
}

fn authorization(headers: &HeaderMap) -> Result<(Scheme, &str), Refusal> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(Refusal::NoToken);
    };
    let text = value.to_str().map_err(|_| Refusal::InvalidToken)?;
    let is_of_the_name = |byte: &u8| byte.is_ascii_alphanumeric();
    let end = text.bytes().position(|byte| !is_of_the_name(&byte));
    let (name, rest) = text
        .split_at_checked(end.unwrap_or(text.len()))
        .ok_or(Refusal::NoToken)?;
    let scheme = match name {
        name if name.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        name if name.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(Refusal::NoToken),
    };
    match rest.strip_prefix(' ') {
        Some(token) if !token.is_empty() && !token.contains([' ', '\t', ',']) => {
            Ok((scheme, token))
        }
        _ => Err(Refusal::InvalidToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<(Scheme, String), Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().expect("header"));
        authorization(&headers).map(|(scheme, token)| (scheme, token.to_owned()))
    }

    #[test]
    fn n13_one_scheme_one_space_one_credential() {
        for (value, scheme) in [
            ("Bearer a.b.c", Scheme::Bearer),
            ("bEaReR a.b.c", Scheme::Bearer),
            ("DPoP a.b.c", Scheme::Dpop),
            ("dpop a.b.c", Scheme::Dpop),
        ] {
            assert_eq!(read(value), Ok((scheme, "a.b.c".to_owned())), "{value}");
        }
        for bad in [
            "Bearer  a",
            "Bearer\ta",
            "Bearer a, Bearer b",
            "Bearer a b",
            "Bearer ",
            "Bearer",
            "DPoP  a",
            "DPoP",
        ] {
            assert_eq!(read(bad), Err(Refusal::InvalidToken), "{bad}");
        }
        for other in ["Basic abc", "BearerX abc", "DPoPX a", "Digest x", "x"] {
            assert_eq!(read(other), Err(Refusal::NoToken), "{other}");
        }
        assert_eq!(Credential::bearer(&HeaderMap::new()), Err(Refusal::NoToken));
    }
}
