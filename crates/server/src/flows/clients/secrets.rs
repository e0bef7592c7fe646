//! The secrets of confidential clients: drawn here or chosen by the owner, kept as SHA-256, two at a time.
//!
//! They are random and long, so that a digest without salt and stretching hides them.

use aws_lc_rs::digest::{SHA256, digest};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::refresh::Digest;
use symbolon_domain::setup::ChosenSecret;
use symbolon_domain::{
    Client, ClientId, ClientSecret, ClientType, MOST_SECRETS, Problem, Refusal, SecretText,
    Timestamp,
};
use symbolon_token::encoding;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::actor::{Actor, Authority};
use super::super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};
use super::write::Writer;
use super::{WRITE, find, of_version};
use crate::app::App;

/// What scanners for leaked secrets recognise ours by.
const PREFIX: &str = "sbs_";

/// Which secret, and of which version of its client, if that matters.
pub struct Which {
    /// The secret.
    pub id: Uuid,
    /// The version of the client that whoever asks has seen.
    pub expected: Option<i64>,
}

/// Gives a client another secret, and returns it: it is shown this once.
///
/// # Errors
/// `not_found`, `forbidden`, `validation_failed` for a public client, `conflict` when it has two, `precondition_failed`
/// for another version, `overloaded`, or a fault.
pub async fn add(
    app: &App,
    actor: Actor,
    (id, expected): (&ClientId, Option<i64>),
    origin: &Origin,
) -> Result<(Client, SecretText), Error> {
    let text = draw(app)?;
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let mut client = of_version(find(app, id).await?, expected)?;
        may_speak_for(&authority, &client)?;
        let mut writer = Writer::new(app, &authority, origin);
        let secret = kept(app, &chosen(&text), writer.now)?;
        must_take_another(&client)?;
        let made = (AuditKind::ClientSecretAdded, secret.id);
        client.secrets.push(secret);
        write_secrets(&mut writer, &client, made)?;
        writer.batch.update_client(&client, writer.now);
        let now = writer.now;
        let committed = writer.commit().await;
        if !lost_race(&committed) {
            committed?;
            client.version += 1;
            client.updated_at = now;
            return Ok((client, text));
        }
    }
    Err(overloaded().into())
}

/// Takes a secret from a client. Tokens that it got with it go on.
///
/// # Errors
/// `not_found`, `forbidden`, `precondition_failed` for another version, `overloaded`, or a fault.
pub async fn delete(
    app: &App,
    actor: Actor,
    (id, which): (&ClientId, &Which),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let mut client = of_version(find(app, id).await?, which.expected)?;
        may_speak_for(&authority, &client)?;
        let before = client.secrets.len();
        client.secrets.retain(|secret| secret.id != which.id);
        if client.secrets.len() == before {
            return Err(Refusal::NotFound.into());
        }
        let mut writer = Writer::new(app, &authority, origin);
        let gone = (AuditKind::ClientSecretDeleted, which.id);
        write_secrets(&mut writer, &client, gone)?;
        writer.batch.update_client(&client, writer.now);
        let committed = writer.commit().await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// Whether a client has shown a secret of its own. Each is compared in constant time.
#[must_use]
pub fn proves(client: &Client, presented: &str) -> bool {
    let presented = digest_of(presented);
    let matching = client.secrets.iter().filter(|one| one.digest == presented);
    matching.count() > 0
}

/// What is kept of a secret.
#[must_use]
pub fn chosen(text: &SecretText) -> ChosenSecret {
    ChosenSecret {
        digest: digest_of(text.expose()),
        hint: text.hint(),
    }
}

fn digest_of(text: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    Digest::new(bytes)
}

/// A secret as it is kept.
pub(in crate::flows) fn kept(
    app: &App,
    secret: &ChosenSecret,
    now: Timestamp,
) -> Result<ClientSecret, Error> {
    Ok(ClientSecret {
        id: audit_id(app, now)?,
        hint: secret.hint.clone(),
        digest: secret.digest,
        created_at: now,
    })
}

/// Writes down that a client got or lost a secret; the client is stored by the caller.
pub(in crate::flows) fn write_secrets(
    writer: &mut Writer<'_>,
    client: &Client,
    (kind, secret): (AuditKind, Uuid),
) -> Result<(), Error> {
    writer.audit(kind, format!("{}: {secret}", client.id))
}

/// Whether a client may have one secret more.
fn must_take_another(client: &Client) -> Result<(), Refusal> {
    if client.kind == ClientType::Public {
        let sentence = "A public client has no secret: it could not keep one.";
        let problem = Problem::new("secret_of_public", sentence);
        return Err(Refusal::Validation(vec![problem.at("")]));
    }
    if client.secrets.len() >= MOST_SECRETS {
        return Err(Refusal::Conflict("secrets"));
    }
    Ok(())
}

/// Who has a client's secret can do what the client can: nobody gets one who could not give its roles (SECURITY row M5).
fn may_speak_for(authority: &Authority, client: &Client) -> Result<(), Error> {
    authority.may_grant(&client.definition.roles)
}

/// 256 random bits.
pub(super) fn draw(app: &App) -> Result<SecretText, Error> {
    let fault = Error::fault("random source");
    let bytes = match app.rng.bytes::<32>() {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) => return Err(fault(error.into())),
    };
    let text = Zeroizing::new(format!("{PREFIX}{}", encoding::encode(&*bytes)));
    SecretText::parse(&text).map_err(|problem| fault(problem.into()))
}
