//! What the edge knows of a request before its handler runs.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use http::request::Parts;
use symbolon_domain::mail::Locale;

use super::cookies;
use super::pages::hosted::LANGUAGE;
use crate::app::App;
use crate::client_address::client_address;
use crate::flows::Origin;

/// Longest `User-Agent` that is kept.
const USER_AGENT_CHARACTERS: usize = 256;

/// Put into each request by the edge.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) peer: IpAddr,
    pub(super) request_id: Arc<str>,
}

impl FromRequestParts<Arc<App>> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .map(|value| printable(value.as_bytes()));
        let connection = parts.extensions.get::<Connection>();
        Ok(Self {
            address: connection.map(|connection| {
                client_address(
                    connection.peer,
                    &parts.headers,
                    &app.config.server.trusted_proxies,
                )
            }),
            user_agent: user_agent.filter(|text| !text.is_empty()),
            request_id: connection.map(|connection| connection.request_id.to_string()),
            locale: locale(&parts.headers),
        })
    }
}

/// The language that somebody chose on a page, else what the browser asks for.
fn locale(headers: &HeaderMap) -> Locale {
    let chosen = cookies::named(headers, LANGUAGE).ok().flatten();
    let asked = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    chosen
        .and_then(|chosen| chosen.parse().ok())
        .or_else(|| asked.map(Locale::negotiate))
        .unwrap_or_default()
}

fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .filter(|character| !character.is_control())
        .take(USER_AGENT_CHARACTERS)
        .collect()
}
