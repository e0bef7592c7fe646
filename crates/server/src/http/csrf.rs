//! Cross-site requests (CONTRACT section 3.1; W3C Fetch Metadata; OWASP ASVS 3.5).
//!
//! 1. Reading requests change nothing and pass.
//! 2. `Sec-Fetch-Site: cross-site` is refused; `same-site` too, unless the origin is listed.
//! 3. An `Origin` must be our own or listed.
//! 4. A request with neither header does not come from a browser's page: `SameSite=Strict` stands behind it.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method};
use symbolon_domain::Refusal;

use super::cors::is_listed;
use crate::app::App;

/// Refuses a state-changing request of another site's page.
pub(super) fn check(app: &App, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if method.is_safe() {
        return Ok(());
    }
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    let origin = headers
        .get(ORIGIN)
        .map(|value| value.to_str().unwrap_or("null"));
    let own = origin.is_some_and(|origin| is_own(app, origin, site, headers));
    let listed = origin.is_some_and(|origin| is_listed(app, origin));
    let accepted = match site {
        // A form of a page with `Referrer-Policy: no-referrer` has `Origin: null` (Fetch standard, "append a request
        // `Origin` header"). That it is our page, the browser says in the other header.
        Some(b"same-origin") if origin == Some("null") => true,
        Some(b"same-origin" | b"none") | None => origin.is_none() || own || listed,
        Some(b"same-site") => listed || own,
        Some(_) => false,
    };
    if accepted {
        Ok(())
    } else {
        Err(Refusal::CsrfRejected)
    }
}

/// The issuer's origin; or, where the browser itself says that page and server are one origin, the address
/// under which the server was reached (`localhost` beside `127.0.0.1`).
fn is_own(app: &App, origin: &str, site: Option<&[u8]>, headers: &HeaderMap) -> bool {
    let issuer = app
        .issuance()
        .map(|issuance| issuance.issuer.as_str())
        .unwrap_or_default();
    if origin_of(issuer) == Some(origin) {
        return true;
    }
    let authority = origin
        .split_once("://")
        .map(|(_, authority)| authority.as_bytes());
    site == Some(b"same-origin")
        && authority.is_some()
        && authority == headers.get(HOST).map(|host| host.as_bytes())
}

/// The scheme and authority of a URL.
fn origin_of(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url
        .get(start..)?
        .find('/')
        .map_or(url.len(), |slash| start + slash);
    url.get(..end)
}
