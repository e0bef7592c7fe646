//! A forgotten password: a link goes to the account's address, and whoever follows it chooses another one.
//!
//! 1. Who asks is always answered the same: the request is written down, and looked at by the worker that sends mail.
//! 2. The link works once. It proves the address, so that the account is its owner's from now on, whoever made it: every
//!    session, every other link and a change of address that waits are void (pre-hijacking), the address is confirmed.
//! 3. Nobody is signed in by it, and an account that is disabled stays disabled.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::mail::{MailKind, ProofKind};
use symbolon_domain::{Email, EndReason, Refusal, User, UserId};

use super::outbox::{self, Message};
use super::password::choose;
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded, proof};
use crate::app::App;

/// Step 1.
///
/// # Errors
/// `rate_limited` and `overloaded`, neither of which depends on the address, or a fault.
pub async fn ask(app: &App, email: &Email, origin: &Origin) -> Result<(), Error> {
    let now = app.clock.now();
    outbox::admit(app, origin, now)?;
    let mut batch = app.store.batch();
    let message = Message {
        kind: MailKind::ResetPassword,
        recipient: email,
        subject: None,
        about: None,
    };
    outbox::write(app, &mut batch, &message, origin, now)?;
    Ok(batch.commit().await?)
}

/// Step 2.
///
/// # Errors
/// `malformed_request` for a link that is not valid any more, `validation_failed` for the password, after which the link
/// is still good, `overloaded`, or a fault.
pub async fn reset(app: &App, token: &str, new: &str, origin: &Origin) -> Result<(), Error> {
    let (_, user) = of_link(app, token).await?;
    let new = choose(app, new, &user, "/newPassword")?;
    let hash = app.hasher.hash(new).await?;
    for _ in 0..ROUNDS {
        let (proof, mut user) = of_link(app, token).await?;
        let now = app.clock.now();
        let mut batch = app.store.batch();
        batch.take_proof(proof);
        let ends = Event::AllSessionsEnd {
            user: &user,
            reason: EndReason::PasswordChanged,
        };
        let revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
        batch.update_password(user.id, user.version + 1, &hash, now);
        // Whoever made the account, or came in by another way, may not be who has the address (SECURITY row H1), also
        // where that was confirmed since: who links again gives the new password.
        batch.delete_upstream_identities(user.id);
        // What they agreed to, the owner is asked again.
        batch.delete_user_consents(user.id);
        user.email_verified = true;
        user.version += 3;
        user.updated_at = now;
        batch.update_profile(&user);
        proof::end_all(&mut batch, &user, now);
        let event = origin.own_event(AuditKind::PasswordReset, now, user.id, None);
        batch.insert_audit(audit_id(app, now)?, &event);
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
    }
    Err(overloaded().into())
}

/// The id of the proof and the user whom it is about, whose address is still the one that the mail went to.
async fn of_link(app: &App, token: &str) -> Result<(uuid::Uuid, User), Error> {
    let kinds = [ProofKind::ResetPassword];
    let proof = proof::find(app, token, &kinds, app.clock.now()).await?;
    let found = app.store.find_user(UserId::new(proof.subject)).await?;
    let user = found.filter(|user| user.email.key() == proof.email.key());
    Ok((proof.id, user.ok_or(Refusal::InvalidLink)?))
}
