//! The refresh cookie (RFC 6265bis; CONTRACT section 3.1).

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use symbolon_domain::{Refusal, Session, Timestamp};

use crate::config::CookieConfig;

/// The only path that the cookie is sent to.
const PATH: &str = "/api/refresh";

/// The refresh cookie of a request.
///
/// # Errors
/// `malformed_request` for two.
pub(super) fn read<'a>(
    headers: &'a HeaderMap,
    settings: &CookieConfig,
) -> Result<Option<&'a str>, Refusal> {
    named(headers, settings.name.as_str())
}

/// The cookie of this name. Two of them mean that somebody planted one: neither is believed.
///
/// # Errors
/// `malformed_request` for two.
pub(super) fn named<'a>(headers: &'a HeaderMap, wanted: &str) -> Result<Option<&'a str>, Refusal> {
    // Bytes, for a browser sends the other cookies of the site as they were set: UTF-8 beyond ASCII included.
    let pairs = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut found = pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        // What is no text is no token of ours either, but it does count as a cookie of the name.
        (name == wanted.as_bytes()).then(|| std::str::from_utf8(value).unwrap_or("?"))
    });
    match (found.next(), found.next()) {
        (one, None) => Ok(one.filter(|value| !value.is_empty())),
        _ => Err(Refusal::MalformedRequest(format!(
            "There are two cookies named {wanted}."
        ))),
    }
}

/// `Set-Cookie` for the refresh token of `session`.
pub(super) fn set(
    token: &str,
    session: &Session,
    settings: &CookieConfig,
    now: Timestamp,
) -> Option<HeaderValue> {
    let age = session
        .cookie_max_age(now)
        .map(|age| format!("; Max-Age={}", age.as_secs()));
    header(token, &age.unwrap_or_default(), settings)
}

/// `Set-Cookie` that removes the cookie.
pub(super) fn clear(settings: &CookieConfig) -> Option<HeaderValue> {
    header("", "; Max-Age=0", settings)
}

fn header(value: &str, age: &str, settings: &CookieConfig) -> Option<HeaderValue> {
    let name = settings.name.as_str();
    let domain = settings
        .domain
        .as_ref()
        .map(|domain| format!("; Domain={}", domain.as_str()))
        .unwrap_or_default();
    let same_site = settings.same_site.as_str();
    let text =
        format!("{name}={value}; HttpOnly; Secure; SameSite={same_site}; Path={PATH}{domain}{age}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
