//! Another address for an account: it is changed when it was confirmed at both, the new one and the one before.
//!
//! 1. The password is asked for again; who guesses it here is limited as at a sign-in.
//! 2. Whether the new address is taken is looked at when the mail goes out: the answer is the same, and the owner of a taken
//!    one hears of it instead. An address that was never confirmed need not agree, for it may be a slip of the pen.
//! 3. The later of the two confirmations changes the address, in one transaction with what follows: other links are void,
//!    the former address is told. Sessions go on.
//! 4. A change that is asked for again, another password, or a reset ends one that waits.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::mail::{CHANGE_LIFE, EmailChange, MailKind, ProofKind};
use symbolon_domain::{Email, Password, Problem, Refusal, User, UserId};

use super::authenticate::Caller;
use super::outbox::{self, Message};
use super::password::confirm as confirm_password;
use super::register::must_be_welcome;
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded, proof};
use crate::app::App;

/// What a confirmation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// The address is the new one.
    Changed,
    /// The other address has yet to confirm.
    Waiting,
}

/// Steps 1 and 2.
///
/// # Errors
/// `wrong_password`, `validation_failed`, `rate_limited`, `overloaded`, or a fault.
pub async fn ask(
    app: &App,
    caller: &Caller,
    (email, password): (Email, Password),
    origin: &Origin,
) -> Result<(), Error> {
    must_be_welcome(app, &email)?;
    let now = app.clock.now();
    outbox::admit(app, origin, now)?;
    let user = confirm_password(app, caller, password, origin).await?.user;
    if user.email == email {
        let same = Problem::new(
            "email_unchanged",
            "This is the address that the account has.",
        );
        return Err(Refusal::Validation(vec![same.at("/email")]).into());
    }
    let change = EmailChange {
        id: audit_id(app, now)?,
        user: user.id,
        email,
        new_confirmed: false,
        old_confirmed: !user.email_verified,
        expires_at: now.plus(CHANGE_LIFE),
    };
    let mut batch = app.store.batch();
    // Of a change before this one: its links must not agree to this one.
    proof::end_all(&mut batch, &user, now);
    batch.put_email_change(&change);
    let to_both = [
        (MailKind::ChangeEmailNew, &change.email, &user.email, true),
        (
            MailKind::ChangeEmailOld,
            &user.email,
            &change.email,
            user.email_verified,
        ),
    ];
    for (kind, recipient, about, needed) in to_both {
        let message = Message {
            kind,
            recipient,
            subject: Some(user.id.uuid()),
            about: Some(about),
        };
        if needed {
            outbox::write(app, &mut batch, &message, origin, now)?;
        }
    }
    let event = origin.own_event(
        AuditKind::EmailChangeAsked,
        now,
        user.id,
        Some(caller.session),
    );
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(batch.commit().await?)
}

/// Step 3.
///
/// # Errors
/// `malformed_request` for a link that is not valid any more, or an address that was taken meanwhile; `overloaded`, or a
/// fault.
pub async fn confirm(app: &App, token: &str, origin: &Origin) -> Result<Confirmed, Error> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let kinds = [ProofKind::ChangeEmailNew, ProofKind::ChangeEmailOld];
        let proof = proof::find(app, token, &kinds, now).await?;
        let id = UserId::new(proof.subject);
        let user = app.store.find_user(id).await?.ok_or(Refusal::InvalidLink)?;
        let asked = match proof.kind {
            ProofKind::ChangeEmailNew => None,
            _ => Some(&user.email),
        };
        let change = app.store.find_email_change(id).await?;
        let change = change
            .filter(|change| now < change.expires_at)
            .filter(|change| proof.email == *asked.unwrap_or(&change.email))
            .ok_or(Refusal::InvalidLink)?;
        let next = change.clone().confirmed(proof.kind);
        let mut batch = app.store.batch();
        batch.take_proof(proof.id);
        let (committed, confirmed) = if next.is_complete() {
            batch.take_email_change(&change);
            let committed = change_address(app, batch, user, next.email, origin).await?;
            (committed, Confirmed::Changed)
        } else {
            batch.confirm_email_change(&change, &next);
            (batch.commit().await, Confirmed::Waiting)
        };
        if lost_race(&committed) {
            continue;
        }
        return match committed {
            Ok(()) => Ok(confirmed),
            Err(symbolon_store::Error::Conflict("email")) => Err(Refusal::InvalidLink.into()),
            Err(error) => Err(error.into()),
        };
    }
    Err(overloaded().into())
}

async fn change_address(
    app: &App,
    mut batch: symbolon_store::Batch,
    former: User,
    email: Email,
    origin: &Origin,
) -> Result<Result<(), symbolon_store::Error>, Error> {
    let now = app.clock.now();
    let mut user = User {
        email,
        email_verified: true,
        version: former.version + 1,
        updated_at: now,
        ..former.clone()
    };
    let mut revocations = Vec::new();
    if app.config.tokens.email {
        // Tokens carry the former address.
        let stale = Event::RolesChanged { user: &former };
        revocations = consequences::write(app, &mut batch, &stale, Some(&former), now);
        user.version += 1;
    }
    batch.update_profile(&user);
    proof::end_all(&mut batch, &former, now);
    let message = Message {
        kind: MailKind::EmailChanged,
        recipient: &former.email,
        subject: Some(user.id.uuid()),
        about: Some(&user.email),
    };
    outbox::write(app, &mut batch, &message, origin, now)?;
    let event = origin.own_event(AuditKind::EmailChanged, now, user.id, None);
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(app.commit(batch, &revocations).await)
}
