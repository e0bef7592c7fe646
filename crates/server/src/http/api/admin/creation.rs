//! The body of a creation with its `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header, section 2.1).

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::HeaderName;
use serde::de::DeserializeOwned;
use symbolon_domain::Refusal;

use super::super::super::body::{self, Bytes};
use super::super::super::problem::Failure;
use crate::app::App;
use crate::flows::Error;
use crate::flows::actor::Actor;
use crate::flows::once::{Asked, Once};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key.
const MOST_BYTES: usize = 128;

/// A JSON body, and the key under which it is to do its work once.
pub(in crate::http) struct Creation<T> {
    pub(in crate::http) body: T,
    key: Option<String>,
    bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Creation<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let key = key(request.headers())?;
        let (body, bytes) = body::json(request).await?;
        Ok(Self { body, key, bytes })
    }
}

impl<T> Creation<T> {
    /// The creation of a `thing` by `actor`, where it is to happen once.
    ///
    /// # Errors
    /// A fault.
    pub(in crate::http) fn once(
        &self,
        app: &App,
        actor: Actor,
        thing: &'static str,
    ) -> Result<Option<Once>, Error> {
        let asked = self.key.as_deref().map(|key| Asked {
            thing,
            key,
            body: &self.bytes,
        });
        asked.map(|asked| Once::of(app, actor, &asked)).transpose()
    }
}

/// A string of structured fields (RFC 8941 section 3.3.3), or the same without its quotes, as most clients send it.
fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(HEADER).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let inner = quoted.unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    if second.is_some() || inner.is_empty() || inner.len() > MOST_BYTES || !inner.bytes().all(plain)
    {
        return Err(Refusal::MalformedRequest(
            "The header Idempotency-Key takes one key of 1 to 128 visible characters.".to_owned(),
        ));
    }
    Ok(Some(inner.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_with_or_without_quotes() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, value.parse().expect("a header"));
            }
            key(&headers).map_err(|refusal| refusal.code())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["\"8e03-97\""]), Ok(Some("8e03-97".to_owned())));
        assert_eq!(read(&["8e03-97"]), Ok(Some("8e03-97".to_owned())));
        for bad in [
            &[""][..],
            &["\"\""],
            &["a b"],
            &["\"a"],
            &["a", "a"],
            &["a\\b"],
        ] {
            assert_eq!(read(bad), Err("malformed_request"), "{bad:?}");
        }
        assert!(read(&["x".repeat(129).as_str()]).is_err());
    }
}
