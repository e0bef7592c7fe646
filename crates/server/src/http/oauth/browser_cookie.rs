//! The cookie of a browser where somebody is signed in (RFC 6265bis sections 4.1.3.2 and 5.7).
//!
//! Behind https its name begins with `__Host-`, so that no other host and no page by http can set it. `SameSite=Lax`: it
//! comes with the navigation from an application to us, and with no other request of another site.

use axum::response::Response;
use http::HeaderMap;
use http::header::{HeaderValue, SET_COOKIE};

use super::super::cookies;
use crate::app::App;
use crate::flows::Error;
use crate::flows::oauth::browser::{self, Begun, Browser};
use crate::metrics::Count;

/// Who is signed in at the browser; nobody where there are two cookies of the name.
///
/// # Errors
/// A fault.
pub(in crate::http) async fn who(app: &App, headers: &HeaderMap) -> Result<Option<Browser>, Error> {
    let (name, _) = name(app)?;
    match cookies::named(headers, name) {
        Ok(Some(value)) => browser::find(app, value).await,
        _ => Ok(None),
    }
}

/// Puts the cookie of a sign-in into its answer.
pub(in crate::http) fn put(app: &App, response: &mut Response, begun: &Begun) {
    app.metrics.count(Count::SignIn);
    let age = begun.browser.session.cookie_max_age(app.clock.now());
    let age = age.map(|age| format!("; Max-Age={}", age.as_secs()));
    if let Some(cookie) = header(app, &begun.secret, &age.unwrap_or_default()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}

/// `Set-Cookie` that removes it.
pub(in crate::http) fn clear(app: &App) -> Option<HeaderValue> {
    header(app, "", "; Max-Age=0")
}

fn header(app: &App, value: &str, age: &str) -> Option<HeaderValue> {
    let (name, secure) = name(app).ok()?;
    let text = format!("{name}={value}; HttpOnly{secure}; SameSite=Lax; Path=/{age}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn name(app: &App) -> Result<(&'static str, &'static str), Error> {
    Ok(match app.issuance()?.issuer.starts_with("https:") {
        true => ("__Host-symbolon", "; Secure"),
        false => ("symbolon", ""),
    })
}
