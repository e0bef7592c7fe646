//! OAuth clients: what they are, and what follows when one is changed.
//!
//! 1. A change is decided against the client and the roles as they are, and is committed only if they still are.
//! 2. Who gives a client roles, takes some from it, or gets a secret that speaks for it, must have those roles: nobody
//!    grants what they do not have.
//! 3. In the same commit its tokens die if it is disabled or deleted, and become stale if it has other roles.
//!
//! Step 3 hits what was issued up to the second of the decision. Who makes a token for a client therefore reads the clock
//! first and the client after it, and does not sign for one that is not active.

mod described;
mod document;
pub mod origins;
mod public_keys;
mod secrets;
mod self_registered;
mod write;

use std::sync::Arc;

use symbolon_domain::{
    Client, ClientDefinition, ClientId, ClientStatus, ClientType, Effective, Permission,
    Permissions, Refusal, Roles, Scope,
};

pub use self::document::{remembered, resolve};
pub(super) use self::public_keys::fetch_keys;
pub use self::public_keys::{Wanted, public_keys};
pub use self::secrets::{
    Which, add as add_secret, chosen as chosen_secret, delete as delete_secret, proves,
};
pub(super) use self::secrets::{kept as kept_secret, write_secrets};
pub use self::self_registered::{NotRegistered, Registered, register};
pub(super) use self::write::{Writer, of_client};
use super::actor::{Actor, Authority};
use super::page::Page;
use super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};
use crate::app::App;

/// What it takes to change clients.
const WRITE: &str = "clients:write";

/// A client that is to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// Its id; one is drawn where there is none.
    pub id: Option<ClientId>,
    /// Whether it can keep a secret.
    pub kind: ClientType,
    /// The rest.
    pub definition: ClientDefinition,
}

/// One client.
///
/// # Errors
/// `not_found`, or a fault of the store.
pub async fn find(app: &App, id: &ClientId) -> Result<Client, Error> {
    let found = app.store.find_client(id).await?;
    Ok(Arc::unwrap_or_clone(found.ok_or(Refusal::NotFound)?))
}

/// A page of clients by id, behind `after`.
///
/// # Errors
/// A fault of the store.
pub async fn page(
    app: &App,
    status: Option<ClientStatus>,
    limit: u32,
    after: Option<String>,
) -> Result<Page<Client, String>, Error> {
    // It stood on the page before.
    let after = after.and_then(|id| ClientId::parse(&id).ok());
    let rows = app
        .store
        .list_clients(status, after.as_ref(), limit + 1)
        .await?;
    Ok(Page::of(rows, limit, |client| client.id.to_string()))
}

/// An id that no client has.
///
/// # Errors
/// A fault of the random source.
pub fn drawn_id(app: &App) -> Result<ClientId, Error> {
    Ok(ClientId::drawn(audit_id(app, app.clock.now())?))
}

/// Makes a client. A confidential one has no secret yet.
///
/// # Errors
/// `forbidden`, `validation_failed`, `conflict` when there is one of this id, `overloaded`, or a fault.
pub async fn create(app: &App, actor: Actor, new: &New, origin: &Origin) -> Result<Client, Error> {
    let now = app.clock.now();
    let drawn = drawn_id(app)?;
    let client = Client {
        id: new.id.clone().unwrap_or(drawn),
        kind: new.kind,
        definition: new.definition.clone(),
        secrets: Vec::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        must_be_sound(&authority, &client, &Roles::default())?;
        let mut writer = Writer::new(app, &authority, origin);
        writer.create(&client)?;
        let committed = writer.commit().await;
        if !lost_race(&committed) {
            committed?;
            return Ok(client);
        }
    }
    Err(overloaded().into())
}

/// Gives a client another definition. `expected` is the version that whoever asks has seen, if that matters.
///
/// # Errors
/// `not_found`, `forbidden`, `validation_failed`, `precondition_failed` for another version, `overloaded`, or a fault.
pub async fn change(
    app: &App,
    actor: Actor,
    (id, definition, expected): (&ClientId, &ClientDefinition, Option<i64>),
    origin: &Origin,
) -> Result<Client, Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let former = of_version(find(app, id).await?, expected)?;
        let client = Client {
            definition: definition.clone(),
            ..former.clone()
        };
        must_be_sound(&authority, &client, &former.definition.roles)?;
        if client == former {
            return Ok(client);
        }
        let mut writer = Writer::new(app, &authority, origin);
        writer.change(&former, &client)?;
        let now = writer.now;
        let committed = writer.commit().await;
        if !lost_race(&committed) {
            committed?;
            return Ok(Client {
                version: client.version + 1,
                updated_at: now,
                ..client
            });
        }
    }
    Err(overloaded().into())
}

/// Lets a client get tokens, or lets it get none: then those that it has are dead at once. `expected` as at [`change`].
///
/// # Errors
/// As [`change`].
pub async fn set_status(
    app: &App,
    actor: Actor,
    (id, status, expected): (&ClientId, ClientStatus, Option<i64>),
    origin: &Origin,
) -> Result<Client, Error> {
    let client = of_version(find(app, id).await?, expected)?;
    let definition = ClientDefinition {
        status,
        ..client.definition
    };
    // What was read is what is changed.
    change(app, actor, (id, &definition, Some(client.version)), origin).await
}

/// Deletes a client. Its tokens are dead at once.
///
/// # Errors
/// `not_found`, `forbidden`, `precondition_failed` for another version, `overloaded`, or a fault.
pub async fn delete(
    app: &App,
    actor: Actor,
    (id, expected): (&ClientId, Option<i64>),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let client = of_version(find(app, id).await?, expected)?;
        authority.may_grant(&client.definition.roles)?;
        let mut writer = Writer::new(app, &authority, origin);
        writer.delete(&client)?;
        let committed = writer.commit().await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

fn of_version(client: Client, expected: Option<i64>) -> Result<Client, Refusal> {
    match expected.is_some_and(|version| version != client.version) {
        true => Err(Refusal::PreconditionFailed),
        false => Ok(client),
    }
}

/// Step 2, once the definition makes sense.
fn must_be_sound(authority: &Authority, client: &Client, former: &Roles) -> Result<(), Error> {
    let mut faults = client.definition.faults(client.kind);
    let roles = &client.definition.roles;
    if let Err(problem) = authority.book().must_define(roles) {
        faults.push(problem.at("/roles"));
    }
    if !faults.is_empty() {
        return Err(Refusal::Validation(faults).into());
    }
    authority.may_grant(former)?;
    authority.may_grant(roles)?;
    // What people who have it can let the client have: whoever decides where their answers go could take it.
    let scopes = client.definition.scopes.iter().map(Scope::as_str);
    let permissions = scopes.filter(|scope| Permission::parse(scope).is_ok());
    let permissions = Permissions::from_names(permissions).map_err(|_| Refusal::Forbidden)?;
    authority.must_have(&Effective {
        roles: Roles::default(),
        permissions,
    })
}
