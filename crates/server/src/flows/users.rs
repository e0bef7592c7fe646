//! What an operator does with users and their sessions.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::{
    EndReason, Identifier, Problem, Refusal, Roles, Session, SessionId, User, UserId, UserStatus,
};

use super::login::SESSIONS_PER_USER;
use super::password::choose;
use super::register::{Registration, check, insert};
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded};
use crate::app::App;

/// Makes an account with roles.
///
/// # Errors
/// `validation_failed`, `conflict`, or a fault.
pub async fn add(
    app: &App,
    registration: &Registration,
    roles: Roles,
    origin: &Origin,
) -> Result<User, Error> {
    let account = check(app, registration, roles)?;
    must_be_known(app, &account.user.roles).await?;
    insert(app, account, origin, AuditKind::UserCreated).await
}

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

/// A page of users in the order of their ids, after `after`.
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App, limit: u32, after: Option<UserId>) -> Result<Vec<User>, Error> {
    Ok(app.store.list_users(limit, after).await?)
}

/// Sets a new password and ends every session.
///
/// # Errors
/// `validation_failed`, `overloaded`, or a fault.
pub async fn set_password(
    app: &App,
    mut user: User,
    password: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let password = choose(app, password, &user, "/password")?;
    let hash = app.hasher.hash(password).await?;
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let mut batch = app.store.batch();
        let mut event = origin.event(AuditKind::PasswordSet, now);
        event.subject = Some(user.id);
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::AllSessionsEnd {
            user: &user,
            reason: EndReason::PasswordChanged,
        };
        let revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
        batch.update_password(user.id, user.version + 1, &hash, now);
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
/// `conflict` for the last administrator, `overloaded`, or a fault.
pub async fn set_status(
    app: &App,
    mut user: User,
    status: UserStatus,
    origin: &Origin,
) -> Result<User, Error> {
    for _ in 0..ROUNDS {
        if user.status == status {
            return Ok(user);
        }
        let now = app.clock.now();
        let mut batch = app.store.batch();
        let mut revocations = Vec::new();
        if status == UserStatus::Disabled {
            keep_an_admin(app, &user).await?;
            if user.roles.is_admin() {
                batch.require_other_admin(user.id);
            }
            let ends = Event::AllSessionsEnd {
                user: &user,
                reason: EndReason::Disabled,
            };
            revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
            batch.update_status(user.id, user.version + 1, status, now);
        } else {
            batch.update_status(user.id, user.version, status, now);
        }
        let kind = match status {
            UserStatus::Disabled => AuditKind::UserDisabled,
            UserStatus::Active => AuditKind::UserEnabled,
        };
        let mut event = origin.event(kind, now);
        event.subject = Some(user.id);
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            committed?;
            user.status = status;
            return Ok(user);
        }
        user = reload(app, &user).await?;
    }
    Err(overloaded().into())
}

/// Gives a user other roles. Sessions go on; access tokens that name the former roles are stale at once.
///
/// # Errors
/// `validation_failed` for a role that does not exist, `conflict` for the last administrator, `overloaded`, or a fault.
pub async fn set_roles(
    app: &App,
    mut user: User,
    roles: &Roles,
    origin: &Origin,
) -> Result<User, Error> {
    must_be_known(app, roles).await?;
    for _ in 0..ROUNDS {
        if user.roles == *roles {
            return Ok(user);
        }
        let now = app.clock.now();
        let mut batch = app.store.batch();
        if !roles.is_admin() && counts_as_admin(&user) {
            keep_an_admin(app, &user).await?;
            batch.require_other_admin(user.id);
        }
        let changed = Event::RolesChanged { user: &user };
        let revocations = consequences::write(app, &mut batch, &changed, Some(&user), now);
        batch.update_roles(user.id, user.version + 1, roles, now);
        let mut event = origin.event(AuditKind::RolesChanged, now);
        event.subject = Some(user.id);
        event.detail = Some(format!("{} -> {roles}", user.roles));
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            committed?;
            (user.roles, user.updated_at) = (roles.clone(), now);
            return Ok(user);
        }
        user = reload(app, &user).await?;
    }
    Err(overloaded().into())
}

/// Deletes a user with every session and token.
///
/// # Errors
/// `conflict` for the last administrator, `overloaded`, or a fault.
pub async fn delete(app: &App, user: User, origin: &Origin) -> Result<(), Error> {
    super::profile::delete_user(app, user, None, origin).await
}

/// Live sessions of a user, newest first.
///
/// # Errors
/// A fault of the store.
pub async fn list_sessions(app: &App, user: &User) -> Result<Vec<Session>, Error> {
    Ok(app
        .store
        .list_sessions(user.id, app.clock.now(), SESSIONS_PER_USER)
        .await?)
}

/// Ends one session, whoever it belongs to.
///
/// # Errors
/// `not_found` for a session that is not live, or a fault.
pub async fn revoke_session(app: &App, id: SessionId, origin: &Origin) -> Result<(), Error> {
    let session = app.store.find_session(id).await?.ok_or(Refusal::NotFound)?;
    let now = app.clock.now();
    let mut batch = app.store.batch();
    let mut event = origin.event(AuditKind::SessionEnded, now);
    event.subject = Some(session.user);
    event.session = Some(id);
    event.detail = Some(EndReason::Revoked.as_str().to_owned());
    batch.insert_audit(audit_id(app, now)?, &event);
    let ends = Event::SessionEnds {
        session: id,
        reason: EndReason::Revoked,
    };
    let revocations = consequences::write(app, &mut batch, &ends, None, now);
    let committed = app.commit(batch, &revocations).await;
    if lost_race(&committed) {
        Err(Refusal::NotFound.into())
    } else {
        Ok(committed?)
    }
}

/// Ends every session of a user.
///
/// # Errors
/// `overloaded`, or a fault.
pub async fn revoke_sessions(app: &App, mut user: User, origin: &Origin) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let mut batch = app.store.batch();
        let mut event = origin.event(AuditKind::SessionEnded, now);
        event.subject = Some(user.id);
        event.detail = Some(format!("{}, all of the user's", EndReason::Revoked));
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::AllSessionsEnd {
            user: &user,
            reason: EndReason::Revoked,
        };
        let revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
        user = reload(app, &user).await?;
    }
    Err(overloaded().into())
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

async fn must_be_known(app: &App, roles: &Roles) -> Result<(), Error> {
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
