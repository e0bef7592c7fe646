use super::Parameters;
use crate::{Client, ClientStatus, ClientType, Grant, RedirectUri};

/// Where answers to a request go. Until that is known, no browser is sent anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// As it came, byte for byte.
    pub uri: RedirectUri,
    /// Whether the request named it, so that the exchange of the code must name it too (RFC 6749 section 4.1.3).
    pub named: bool,
    /// Whether anybody's program may be listening there: a loopback address, or a scheme of an app's own
    /// (RFC 8252 section 8.6). Then the person is asked each time.
    pub open: bool,
}

/// Why there is no destination. It is told on a page of ours (RFC 6749 section 4.1.2.1; SECURITY row A1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdirected {
    /// There is no active client of this id, or it has no use for codes.
    Client,
    /// The redirect URI is none of the client's, or is missing where it has several.
    RedirectUri,
}

/// Where the answers go, from `redirect_uri` and the client: one of its URIs byte for byte, save the port of a loopback
/// address (RFC 8252 section 7.3; RFC 9700 section 2.1).
///
/// # Errors
/// [`Misdirected`].
pub fn destination(
    client: Option<&Client>,
    parameters: &Parameters,
) -> Result<Destination, Misdirected> {
    let client = client.filter(|client| {
        let definition = &client.definition;
        definition.status == ClientStatus::Active
            && definition.grants.contains(&Grant::AuthorizationCode)
    });
    let client = client.ok_or(Misdirected::Client)?;
    let registered = &client.definition.redirect_uris;
    let (uri, named) = match parameters.get("redirect_uri") {
        Some(text) => {
            let given = RedirectUri::parse(text).map_err(|_| Misdirected::RedirectUri)?;
            let known = registered.iter().any(|one| one.admits(&given));
            (Some(given).filter(|_| known), true)
        }
        None => {
            let only = registered.first().filter(|_| registered.len() == 1);
            (only.cloned(), false)
        }
    };
    let uri = uri.ok_or(Misdirected::RedirectUri)?;
    let open = client.kind == ClientType::Public && !uri.is_of_a_site();
    Ok(Destination { uri, named, open })
}
