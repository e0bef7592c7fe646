//! Clients that register themselves (RFC 7591), where the owner allows it.
//!
//! 1. Where it is not allowed, there is nothing.
//! 2. Who asks is counted by network.
//! 3. The metadata are judged: [`symbolon_domain::ClientMetadata::register`].
//! 4. The id is drawn; a client that proves itself with a secret gets one, shown this once (section 3.2.1).

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{AuthMethod, Client, ClientId, MetadataError, Refusal, SecretText};

use super::super::actor::Actor;
use super::super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};
use super::described::Written;
use super::secrets::{chosen, draw, kept, write_secrets};
use super::write::Writer;
use super::{WRITE, must_be_sound};
use crate::app::App;

/// A client that registered itself.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, where it has one.
    pub secret: Option<SecretText>,
}

/// Why a client did not register.
#[derive(Debug, thiserror::Error)]
pub enum NotRegistered {
    /// What it says of itself is not taken.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// For another reason.
    #[error(transparent)]
    Other(#[from] Error),
}

/// Makes the client that a JSON object describes.
///
/// # Errors
/// `not_found` where nobody may register; `rate_limited`; what is wrong with the metadata; `overloaded`, or a fault.
pub async fn register(
    app: &App,
    body: &[u8],
    origin: &Origin,
) -> Result<Registered, NotRegistered> {
    if !app.config.oauth.registration {
        return Err(Error::from(Refusal::NotFound).into());
    }
    let now = app.clock.now();
    app.throttle
        .begin_client(origin.address, now)
        .map_err(Error::from)?;
    let unreadable =
        || MetadataError::Metadata("The body is not a JSON object of metadata.".into());
    let written = Written::read(body).ok_or_else(unreadable)?;
    let described = written.metadata().register(&app.config.oauth.open)?;
    let mut client = Client {
        id: ClientId::drawn(audit_id(app, now)?),
        kind: described.kind,
        definition: described.definition,
        secrets: Vec::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let shared = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    let secret = match shared.contains(&client.definition.auth_method) {
        true => Some(draw(app)?),
        false => None,
    };
    if let Some(text) = &secret {
        client.secrets.push(kept(app, &chosen(text), now)?);
    }
    write(app, &client, origin).await?;
    Ok(Registered { client, secret })
}

/// Step 4.
async fn write(app: &App, client: &Client, origin: &Origin) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = Actor::Operator.authorize(app, WRITE).await?;
        must_be_sound(&authority, client, &client.definition.roles)?;
        let mut writer = Writer::new(app, &authority, origin);
        writer.create(client)?;
        for secret in &client.secrets {
            write_secrets(
                &mut writer,
                client,
                (AuditKind::ClientSecretAdded, secret.id),
            )?;
        }
        let committed = writer.commit().await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}
