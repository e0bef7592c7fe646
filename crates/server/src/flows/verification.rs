//! Confirm the address of an account.
//!
//! Whoever gets the mail can confirm, signed in or not. That proves the address, not who chose the password: a person
//! whose address somebody else has used takes the account over by a reset, which ends all that the other one had.

use symbolon_domain::Refusal;
use symbolon_domain::UserId;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::mail::{MailKind, ProofKind};

use super::authenticate::Caller;
use super::{Error, Origin, ROUNDS, audit_id, lost_race, outbox, overloaded, proof};
use crate::app::App;

/// Sends the mail again. Nothing is sent for an address that is confirmed; the answer is the same.
///
/// # Errors
/// `invalid_token` when the user is gone, `rate_limited`, `overloaded`, or a fault.
pub async fn ask(app: &App, caller: &Caller, origin: &Origin) -> Result<(), Error> {
    let now = app.clock.now();
    outbox::admit(app, origin, now)?;
    let user = app.store.find_user(caller.user).await?;
    let user = user.ok_or(Refusal::InvalidToken)?;
    let mut batch = app.store.batch();
    if !user.email_verified {
        outbox::tell(app, &mut batch, (MailKind::VerifyEmail, &user), origin, now)?;
    }
    Ok(batch.commit().await?)
}

/// Confirms the address by the token of a link.
///
/// # Errors
/// `malformed_request` for a link that is not valid any more, `overloaded`, or a fault.
pub async fn confirm(app: &App, token: &str, origin: &Origin) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let proof = proof::find(app, token, &[ProofKind::VerifyEmail], now).await?;
        let found = app.store.find_user(UserId::new(proof.subject)).await?;
        let mut user = found
            .filter(|user| user.email.key() == proof.email.key())
            .ok_or(Refusal::InvalidLink)?;
        let mut batch = app.store.batch();
        batch.take_proof(proof.id);
        if !user.email_verified {
            user.email_verified = true;
            user.version += 1;
            user.updated_at = now;
            batch.update_profile(&user);
        }
        let event = origin.own_event(AuditKind::EmailVerified, now, user.id, None);
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = batch.commit().await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}
