//! The signed-in user's own profile: read, change, delete.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{DisplayName, Password, Problem, Refusal, User, Username};

use super::authenticate::Caller;
use super::password::confirm;
use super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};
use crate::app::App;

/// What to change: `None` leaves a field, `Some(None)` clears it.
#[derive(Default)]
pub struct Change {
    /// The name to be shown.
    pub name: Option<Option<String>>,
    /// The name to sign in with.
    pub username: Option<Option<String>>,
}

/// The caller's user.
///
/// # Errors
/// `invalid_token` when the user is gone, or a fault.
pub async fn show(app: &App, caller: &Caller) -> Result<User, Error> {
    Ok(app
        .store
        .find_user(caller.user)
        .await?
        .ok_or(Refusal::InvalidToken)?)
}

/// Changes the caller's profile.
///
/// # Errors
/// `validation_failed`, `conflict` for a username that is taken, `rate_limited`, or a fault.
pub async fn change(
    app: &App,
    caller: &Caller,
    change: &Change,
    origin: &Origin,
) -> Result<User, Error> {
    let mut errors = Vec::new();
    let mut note = |pointer: &str, problem: Problem| errors.push(problem.at(pointer));
    let name = parse(&change.name, DisplayName::parse)
        .map_err(|problem| note("/name", problem))
        .unwrap_or_default();
    let username = parse(&change.username, Username::parse)
        .map_err(|problem| note("/username", problem))
        .unwrap_or_default();
    if !errors.is_empty() {
        return Err(Refusal::Validation(errors).into());
    }
    // Each change makes administrators who change the account decide again: nobody fends off its end.
    app.throttle
        .begin_profile_change(caller.user, app.clock.now())?;
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let former = show(app, caller).await?;
        let mut user = former.clone();
        if let Some(name) = &name {
            user.name.clone_from(name);
        }
        if let Some(username) = &username {
            user.username.clone_from(username);
        }
        if user == former {
            return Ok(user);
        }
        user.version += 1;
        user.updated_at = now;
        let mut batch = app.store.batch();
        batch.update_profile(&user);
        let event = origin.own_event(
            AuditKind::ProfileChanged,
            now,
            user.id,
            Some(caller.session),
        );
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = batch.commit().await;
        if lost_race(&committed) {
            continue;
        }
        committed?;
        return Ok(user);
    }
    Err(overloaded().into())
}

fn parse<T>(
    field: &Option<Option<String>>,
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Result<Option<Option<T>>, Problem> {
    field
        .as_ref()
        .map(|value| value.as_deref().map(&parse).transpose())
        .transpose()
}

/// Deletes the caller's account after the password was given again: the user, every session and, at every
/// guard, every token.
///
/// # Errors
/// `wrong_password`, `rate_limited`, `conflict` for the last administrator, `overloaded`, or a fault.
pub async fn delete(
    app: &App,
    caller: &Caller,
    password: Password,
    origin: &Origin,
) -> Result<(), Error> {
    let mut user = confirm(app, caller, password, origin).await?.user;
    for _ in 0..ROUNDS {
        let mut batch = app.store.batch();
        let mut event = origin.event(AuditKind::UserDeleted, app.clock.now());
        (event.actor, event.session) = (Some(caller.user), Some(caller.session));
        let revocations = super::users::delete_in(app, &mut batch, &user, event).await?;
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
        user = app
            .store
            .find_user(user.id)
            .await?
            .ok_or(Refusal::NotFound)?;
    }
    Err(overloaded().into())
}
