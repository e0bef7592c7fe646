//! Clients that describe themselves in a document on the web, whose URL is their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! 1. Where the owner does not allow it, or not from that host, there is no such client (section 3).
//! 2. What was fetched within its time is taken: five minutes at least, a day at most (section 4.4).
//! 3. Who asks is counted: one network has few documents fetched (SECURITY row F4).
//! 4. It is fetched by the bounded client, 5 KB at most: status 200, JSON, no redirect (sections 4 and 6.5).
//! 5. It is judged: [`symbolon_domain::ClientMetadata::describe`]. What fails is not kept.
//!
//! A host that does not answer, or says that it is its own fault, does not make a client unknown: the answer is
//! `overloaded`, so that nobody throws tokens away.

use std::sync::Arc;

use symbolon_domain::{Client, ClientId};

use super::super::{Error, Origin, overloaded};
use super::described::Written;
use crate::app::App;
use crate::outbound::{Answer, OutboundError};

/// Longest document, in bytes.
const MOST: usize = 5 * 1024;

/// The client of that id: the one that is kept here, or the one that the document says.
///
/// # Errors
/// `rate_limited`; `overloaded` where the document's host does not answer; a fault of the store.
pub async fn resolve(
    app: &App,
    id: &ClientId,
    origin: &Origin,
) -> Result<Option<Arc<Client>>, Error> {
    if !id.is_document() {
        return Ok(app.store.find_client(id).await?);
    }
    if let Some(client) = remembered(app, id) {
        return Ok(Some(client));
    }
    if !is_allowed(app, id) {
        return Ok(None);
    }
    let now = app.clock.now();
    app.throttle.begin_document(origin.address, now)?;
    let answer = match app.outbound.fetch(id.as_str(), MOST).await {
        Ok(answer) if answer.status < 500 => answer,
        Ok(_) => return Err(overloaded().into()),
        Err(error) => return none_or_later(id, error),
    };
    match judge(app, id, &answer) {
        Ok(client) => {
            let kept = app.documents.keep(id.as_str(), client, answer.max_age, now);
            Ok(Some(kept))
        }
        Err(reason) => {
            tracing::info!(
                host = id.document_host(),
                reason,
                "a client's document is refused"
            );
            Ok(None)
        }
    }
}

/// Steps 1 and 2 alone: the client of a document that was fetched already. Nothing is called.
#[must_use]
pub fn remembered(app: &App, id: &ClientId) -> Option<Arc<Client>> {
    if !is_allowed(app, id) {
        return None;
    }
    let (client, _) = app.documents.find(id.as_str(), app.clock.now())?;
    Some(client)
}

/// Step 1.
fn is_allowed(app: &App, id: &ClientId) -> bool {
    let settings = &app.config.oauth;
    let hosts = &settings.document_hosts;
    let of_host = |host: &str| hosts.is_empty() || hosts.iter().any(|one| one == host);
    settings.client_documents && id.document_host().is_some_and(of_host)
}

/// Steps 4 and 5.
fn judge(app: &App, id: &ClientId, answer: &Answer) -> Result<Client, String> {
    let is_json = answer
        .media_type
        .as_deref()
        .is_some_and(|kind| kind == "application/json" || kind.ends_with("+json"));
    if answer.status != 200 || !is_json {
        return Err("the answer is not 200, or not JSON".to_owned());
    }
    let written = Written::read(&answer.body).ok_or("the document is not such an object")?;
    let (named, has_secret) = (written.client_id.clone(), written.has_secret());
    let metadata = written.metadata();
    let described = metadata.describe(id, (named.as_deref(), has_secret), &app.config.oauth.open);
    let described = described.map_err(|error| error.to_string())?;
    let now = app.clock.now();
    Ok(Client {
        id: id.clone(),
        kind: described.kind,
        definition: described.definition,
        secrets: Vec::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

fn none_or_later<T>(id: &ClientId, error: OutboundError) -> Result<Option<T>, Error> {
    let host = id.document_host();
    match error {
        OutboundError::Forbidden | OutboundError::TooLong => {
            tracing::info!(host, %error, "a client's document is refused");
            Ok(None)
        }
        OutboundError::Busy
        | OutboundError::Unreachable
        | OutboundError::TimedOut
        | OutboundError::NoTls => Err(overloaded().into()),
    }
}
