//! What an operator or an administrator does with users.
//!
//! Whoever is named as the actor must be allowed to, and must hold all that the user holds: nobody disables, deletes or
//! takes the password of somebody above. That is decided anew in each round and holds at the commit.

mod create;
mod edit;
mod fields;
mod list;
mod search;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::ending::Event;
use symbolon_domain::mail::MailKind;
use symbolon_domain::revocation::Revocation;
use symbolon_domain::{
    EndReason, Identifier, Problem, Refusal, Roles, Session, User, UserId, UserStatus,
};
use symbolon_store::Batch;
pub use symbolon_store::UserRow;

pub use create::{New, add};
pub use edit::edit;
pub use fields::{Edit, Fields};
pub use list::{Filter, Place, Sort, list};
pub use search::{Search, Spot, search};
pub use sessions::{revoke_session, revoke_session_of, revoke_sessions};

use super::actor::Actor;
use super::login::MOST_SESSIONS;
use super::password::choose;
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, outbox, overloaded, proof};
use crate::app::App;

/// What it takes to see users.
pub const READ: &str = "users:read";
/// What it takes to change them.
pub const WRITE: &str = "users:write";

/// Finds a user by id, e-mail address or username.
///
/// # Errors
/// `not_found`, or a fault.
pub async fn find(app: &App, reference: &str) -> Result<User, Error> {
    if let Ok(id) = reference.parse::<UserId>() {
        return Ok(app.store.find_user(id).await?.ok_or(Refusal::NotFound)?);
    }
    let found = match Identifier::parse(reference) {
        Ok(Identifier::Email(email)) => app.store.find_user_by_email(&email.key()).await?,
        Ok(Identifier::Username(username)) => {
            app.store.find_user_by_username(&username.key()).await?
        }
        Err(Problem { .. }) => None,
    };
    Ok(found.ok_or(Refusal::NotFound)?.user)
}

/// The user of this id, with the time of the last sign-in.
///
/// # Errors
/// `not_found`, or a fault.
pub async fn show(app: &App, id: UserId) -> Result<UserRow, Error> {
    Ok(app
        .store
        .find_user_row(id)
        .await?
        .ok_or(Refusal::NotFound)?)
}

/// The addresses of users, as far as they are still there.
///
/// # Errors
/// A fault of the store.
pub async fn names(
    app: &App,
    ids: impl Iterator<Item = UserId>,
) -> Result<BTreeMap<UserId, String>, Error> {
    let ids: BTreeSet<UserId> = ids.collect();
    let found = ids.iter().map(|id| app.store.find_user(*id));
    let found = join_all(found).await;
    let mut names = BTreeMap::new();
    for user in found {
        if let Some(user) = user? {
            names.insert(user.id, user.email.to_string());
        }
    }
    Ok(names)
}

/// Sets a new password and ends every session.
///
/// # Errors
/// `forbidden`, `validation_failed`, `overloaded`, or a fault.
pub async fn set_password(
    app: &App,
    actor: Actor,
    mut user: User,
    password: &str,
    origin: &Origin,
) -> Result<(), Error> {
    // Before the password is judged and hashed: neither is for those who may not.
    actor.authorize(app, WRITE).await?.may_manage(&user)?;
    let password = choose(app, password, &user, "/password")?;
    let hash = app.hasher.hash(password).await?;
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        authority.may_manage(&user)?;
        let now = app.clock.now();
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        let mut event = origin.event(AuditKind::PasswordSet, now);
        authority.stamp(&mut event);
        event.subject = Some(user.id);
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::AllSessionsEnd {
            user: &user,
            reason: EndReason::PasswordChanged,
        };
        let revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
        batch.update_password(user.id, user.version + 1, &hash, now);
        proof::end_all(&mut batch, &user, now);
        outbox::tell(
            app,
            &mut batch,
            (MailKind::PasswordReset, &user),
            origin,
            now,
        )?;
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
        user = reload(app, &user).await?;
    }
    Err(overloaded().into())
}

/// Disables a user, which ends every session and token, or enables one.
///
/// # Errors
/// As [`edit`].
pub async fn set_status(
    app: &App,
    actor: Actor,
    user: User,
    status: UserStatus,
    origin: &Origin,
) -> Result<User, Error> {
    let change = Edit {
        status: Some(status),
        ..Edit::default()
    };
    Ok(edit(app, actor, (user.id, &change, None), origin)
        .await?
        .user)
}

/// Gives a user other roles. Sessions go on; access tokens that name the former roles are stale at once.
///
/// # Errors
/// As [`edit`].
pub async fn set_roles(
    app: &App,
    actor: Actor,
    user: User,
    roles: &Roles,
    origin: &Origin,
) -> Result<User, Error> {
    let change = Edit {
        roles: Some(roles.clone()),
        ..Edit::default()
    };
    Ok(edit(app, actor, (user.id, &change, None), origin)
        .await?
        .user)
}

/// Deletes a user with every session and token. `expected` is the version that whoever asks has seen, if that matters.
///
/// # Errors
/// `forbidden`, `not_found`, `precondition_failed`, `conflict` for the last administrator, `overloaded`, or a fault.
pub async fn delete(
    app: &App,
    actor: Actor,
    (id, expected): (UserId, Option<i64>),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let user = show(app, id).await?.user;
        if expected.is_some_and(|version| version != user.version) {
            return Err(Refusal::PreconditionFailed.into());
        }
        authority.may_manage(&user)?;
        let now = app.clock.now();
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        let mut event = origin.event(AuditKind::UserDeleted, now);
        authority.stamp(&mut event);
        let revocations = delete_in(app, &mut batch, &user, event).await?;
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// Puts the end of `user`, with everything that hangs on it, into the batch; `event` says who did it and when.
pub(super) async fn delete_in(
    app: &App,
    batch: &mut Batch,
    user: &User,
    mut event: AuditEvent,
) -> Result<Vec<Revocation>, Error> {
    keep_an_admin(app, user).await?;
    // The user's row before its sessions, as everywhere.
    batch.require_user(user.id, user.version);
    if user.roles.is_admin() {
        batch.require_other_admin(user.id);
    }
    let now = event.at;
    event.subject = Some(user.id);
    batch.insert_audit(audit_id(app, now)?, &event);
    let ends = Event::AllSessionsEnd {
        user,
        reason: EndReason::Deleted,
    };
    let revocations = consequences::write(app, batch, &ends, None, now);
    proof::end_all(batch, user, now);
    batch.delete_user_sessions(user.id);
    batch.delete_user_authorizations(user.id);
    batch.delete_user_consents(user.id);
    batch.delete_user_codes(user.id);
    batch.delete_user_devices(user.id);
    batch.delete_user(user.id, user.version);
    Ok(revocations)
}

/// Live sessions of a user, newest first.
///
/// # Errors
/// A fault of the store.
pub async fn list_sessions(app: &App, user: &User) -> Result<Vec<Session>, Error> {
    Ok(app
        .store
        .list_sessions(user.id, app.clock.now(), MOST_SESSIONS)
        .await?)
}

/// Refuses what would leave nobody who may administrate. The batch repeats the check under its locks.
pub(super) async fn keep_an_admin(app: &App, user: &User) -> Result<(), Error> {
    if counts_as_admin(user) && app.store.count_other_admins(user.id).await? == 0 {
        return Err(Refusal::Conflict("last_admin").into());
    }
    Ok(())
}

fn counts_as_admin(user: &User) -> bool {
    user.roles.is_admin() && user.status == UserStatus::Active
}

pub(super) async fn must_be_known(app: &App, roles: &Roles) -> Result<(), Error> {
    let known = app.role_book().await?.must_define(roles);
    known.map_err(|problem| Refusal::Validation(vec![problem.at("/roles")]).into())
}

async fn reload(app: &App, user: &User) -> Result<User, Error> {
    Ok(app
        .store
        .find_user(user.id)
        .await?
        .ok_or(Refusal::NotFound)?)
}
