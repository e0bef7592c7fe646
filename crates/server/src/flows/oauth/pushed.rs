//! Requests that come ahead of the browser (RFC 9126).
//!
//! 1. The client shows who it is, as at the token endpoint (section 2).
//! 2. The request is judged as the authorization endpoint would; errors are told at once (section 2.3).
//! 3. It is kept for a minute, under a name that only the client knows, and is used up when the browser brings that name
//!    (sections 2.2 and 4).

use std::time::Duration;

use symbolon_domain::oauth::{Misdirected, OAuthError, Parameters, destination, judge};
use symbolon_domain::{ClientType, Timestamp};
use symbolon_store::PushedRow;

use super::interaction;
use super::secret_text::{digest_of, draw, sha256};
use super::{Credentials, Failed, authenticate, claims};
use crate::app::App;
use crate::flows::{Error, Origin, lost_race};

/// What the name of a pushed request begins with (section 2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long it is kept.
const LIFE: Duration = Duration::from_secs(60);

/// What is told of a request that is kept.
pub struct Pushed {
    /// Its name.
    pub request_uri: String,
    /// How long it is kept, in seconds.
    pub expires_in: u64,
}

/// Keeps a request.
///
/// # Errors
/// `invalid_request`, `invalid_client`, and what the authorization endpoint would say; a fault.
pub async fn push(
    app: &App,
    credentials: &Credentials<'_>,
    (jkt, origin): (Option<&str>, &Origin),
) -> Result<Pushed, Failed> {
    let client = authenticate(app, credentials, origin).await?;
    let parameters = credentials.parameters;
    if client.kind == ClientType::Public {
        let counted = app
            .throttle
            .begin_open_request(origin.address, app.clock.now());
        counted.map_err(Error::from)?;
    }
    if parameters.get("request_uri").is_some() {
        let sentence = "A request that is pushed names no other one.";
        return Err(OAuthError::invalid_request(sentence).into());
    }
    let place = destination(Some(&client), parameters).map_err(|misdirected| {
        OAuthError::invalid_request(match misdirected {
            Misdirected::Client => "The client has no use for codes.",
            Misdirected::RedirectUri => "The parameter redirect_uri is none of the client's.",
        })
    })?;
    let request = judge(&client, place, parameters)?;
    claims::check(request.claims.as_deref())?;
    let bound = parameters.get("dpop_jkt");
    if jkt.is_some() && bound.is_some() && jkt != bound {
        let sentence = "The parameter dpop_jkt is not the key of the proof.";
        return Err(OAuthError::invalid_request(sentence).into());
    }
    let mut kept: Vec<(&str, &str)> = parameters.pairs().filter(is_of_request).collect();
    kept.push(("client_id", client.id.as_str()));
    if let (None, Some(jkt)) = (bound, jkt) {
        kept.push(("dpop_jkt", jkt));
    }
    let request = serde_json::to_string(&kept);
    let name = draw(app, PREFIX)?;
    let mut batch = app.store.batch();
    batch.insert_pushed(&PushedRow {
        digest: digest_of(PREFIX, &name).ok_or_else(OAuthError::invalid_grant)?,
        client: client.id.clone(),
        request: request.map_err(|error| Error::fault("keeping a request")(error.into()))?,
        expires_at: app.clock.now().plus(LIFE),
    });
    batch.commit().await?;
    Ok(Pushed {
        request_uri: name.to_string(),
        expires_in: LIFE.as_secs(),
    })
}

/// Marks a request that was pushed as answered; false if it was before.
pub(super) async fn burn(app: &App, name: &str, now: Timestamp) -> Result<bool, Error> {
    let text = format!("pushed\0{name}");
    let mut batch = app.store.batch();
    batch.insert_replay(sha256(text.as_bytes()), now.plus(interaction::LIFE));
    let burnt = batch.commit().await;
    if lost_race(&burnt) {
        return Ok(false);
    }
    burnt?;
    Ok(true)
}

/// Not what the client has shown to say who it is.
fn is_of_request((name, _): &(&str, &str)) -> bool {
    let of_client = [
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
    ];
    !of_client.contains(name)
}

/// The parameters behind a name, which is used up; the parameters themselves where they have none of ours. And the
/// name.
pub(super) async fn fetch(
    app: &App,
    parameters: Parameters,
    now: Timestamp,
) -> Result<(Parameters, Option<String>), Failed> {
    let name = parameters.get("request_uri").unwrap_or_default();
    if !name.starts_with(PREFIX) {
        return Ok((parameters, None));
    }
    let gone = || {
        OAuthError::invalid_request("The request was used, is too old, or is of another client.")
    };
    let digest = digest_of(PREFIX, name).ok_or_else(gone)?;
    let found = app.store.find_pushed(digest).await?;
    let found = found.filter(|found| {
        now < found.expires_at && parameters.get("client_id") == Some(found.client.as_str())
    });
    let found = found.ok_or_else(gone)?;
    let mut batch = app.store.batch();
    batch.take_pushed(digest);
    let taken = batch.commit().await;
    if lost_race(&taken) {
        return Err(gone().into());
    }
    taken?;
    let pairs: Vec<(String, String)> = serde_json::from_str(&found.request)
        .map_err(|error| Error::fault("reading a kept request")(error.into()))?;
    Ok((Parameters::read(pairs)?, Some(name.to_owned())))
}
