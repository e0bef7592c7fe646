//! Change the own password: the current one is asked for (NIST SP 800-63B-4, ASVS 6.2.3), and every
//! other session ends with its tokens.
//!
//! 1. The throttle is the one of sign-in, so that a stolen access token does not make a guessing machine.
//! 2. The current password is verified, the new one judged by the rules, then hashed.
//! 3. One transaction: the new hash (compare-and-set on the user row), the end of every other session,
//!    a revocation for each, and the audit row. A session that began meanwhile makes it decide again.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::mail::MailKind;
use symbolon_domain::{Password, Problem, Refusal, SessionId, User};
use symbolon_store::Credentials;

use super::authenticate::Caller;
use super::login::{admit, compare};
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, outbox, overloaded, proof};
use crate::app::App;

/// Changes the password of `caller`.
///
/// # Errors
/// `wrong_password`, `validation_failed` for the new one, `rate_limited`, `overloaded`, or a fault.
pub async fn change(
    app: &App,
    caller: &Caller,
    current: Password,
    new: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let credentials = confirm(app, caller, current, origin).await?;
    let new = choose(app, new, &credentials.user, "/newPassword")?;
    let hash = app.hasher.hash(new).await?;
    let mut user = credentials.user;
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let mut batch = app.store.batch();
        batch.update_password(user.id, user.version, &hash, now);
        // All there are: sign-ins at once can pass the limit, and each session needs its revocation.
        let sessions = app.store.list_sessions(user.id, now, u32::MAX).await?;
        let live: Vec<SessionId> = sessions.iter().map(|session| session.id).collect();
        let event = origin.own_event(
            AuditKind::PasswordChanged,
            now,
            user.id,
            Some(caller.session),
        );
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::PasswordChanged {
            user: user.id,
            kept: caller.session,
            live: &live,
        };
        let revocations = consequences::write(app, &mut batch, &ends, None, now);
        proof::end_all(&mut batch, &user, now);
        outbox::tell(
            app,
            &mut batch,
            (MailKind::PasswordChanged, &user),
            origin,
            now,
        )?;
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
        let again = app
            .store
            .find_credentials(user.id)
            .await?
            .ok_or(Refusal::InvalidToken)?;
        if again.password_hash != credentials.password_hash {
            return Err(Refusal::WrongPassword.into());
        }
        user = again.user;
    }
    Err(overloaded().into())
}

/// The caller's credentials, after the password was given again. A wrong one is in the audit log.
///
/// # Errors
/// `wrong_password`, `rate_limited`, `invalid_token` when the user is gone.
pub(super) async fn confirm(
    app: &App,
    caller: &Caller,
    password: Password,
    origin: &Origin,
) -> Result<Credentials, Error> {
    let credentials = app
        .store
        .find_credentials(caller.user)
        .await?
        .ok_or(Refusal::InvalidToken)?;
    let mut admitted = admit(app, Some(caller.user), None, origin).await?;
    let stored = credentials.password_hash.clone();
    if compare(app, &password, stored, &mut admitted)
        .await?
        .matches
    {
        return Ok(credentials);
    }
    let now = app.clock.now();
    let user = credentials.user.id;
    let event = origin.own_event(AuditKind::PasswordRefused, now, user, Some(caller.session));
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    batch.commit().await?;
    Err(Refusal::WrongPassword.into())
}

/// Judges a new password for `user`; `pointer` names the field in the answer.
pub(super) fn choose(app: &App, text: &str, user: &User, pointer: &str) -> Result<Password, Error> {
    let mut context = vec![user.email.as_str()];
    context.extend(user.username.as_ref().map(|username| username.as_str()));
    choose_for(app, text, &context)
        .map_err(|problem| Refusal::Validation(vec![problem.at(pointer)]).into())
}

/// The rules for a new password, and what the configured hash can take.
pub(super) fn choose_for(app: &App, text: &str, context: &[&str]) -> Result<Password, Problem> {
    let password = app.password_rules().choose(text, context)?;
    match app.hasher.longest_password_bytes() {
        Some(most) if password.as_bytes().len() > most => Err(Problem::new(
            "password_too_long",
            format!("The password must not be longer than {most} bytes."),
        )),
        _ => Ok(password),
    }
}
