//! Invitations: an administrator names an address, whoever gets its mail makes the account.
//!
//! 1. Nobody is invited to more than the inviter has.
//! 2. The link is good for a week, once, for that address. The newest invitation of an address replaces the one before.
//! 3. Whoever accepts gets the roles of the invitation if the inviter may still give them, in the same transaction; who
//!    was disabled or demoted meanwhile has invited nobody. The address is confirmed: the mail went there.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::mail::{INVITATION_LIFE, MailKind, ProofKind};
use symbolon_domain::{DisplayName, Email, Problem, Refusal, Roles, User};
pub use symbolon_store::Invitation;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::actor::{Actor, Authority};
use super::outbox::{self, Message};
use super::page::Page;
use super::register::{NewAccount, Registration, check};
use super::users::{WRITE, must_be_known};
use super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded, proof};
use crate::app::App;

/// Whom to invite.
pub struct Invite {
    /// The address.
    pub email: Email,
    /// The name that the account begins with.
    pub name: Option<DisplayName>,
    /// The roles that it gets.
    pub roles: Roles,
}

/// Steps 1 and 2.
///
/// # Errors
/// `forbidden`, `validation_failed` for a role that does not exist, `conflict` for an address that has an account,
/// `overloaded`, or a fault.
pub async fn invite(
    app: &App,
    actor: Actor,
    invite: Invite,
    origin: &Origin,
) -> Result<Invitation, Error> {
    actor.authorize(app, WRITE).await?;
    must_be_known(app, &invite.roles).await?;
    let now = app.clock.now();
    let mut invitation = Invitation {
        id: audit_id(app, now)?,
        email: invite.email,
        name: invite.name,
        roles: invite.roles,
        inviter: None,
        created_at: now,
        expires_at: now.plus(INVITATION_LIFE),
    };
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        authority.may_grant(&invitation.roles)?;
        let key = invitation.email.key();
        if app.store.find_user_by_email(&key).await?.is_some() {
            return Err(Refusal::Conflict("email").into());
        }
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        invitation.inviter = authority.user().map(|user| user.id);
        if let Some(former) = app.store.find_invitation_by_email(&key).await? {
            batch.delete_proofs(former.id);
        }
        batch.put_invitation(&invitation);
        let message = Message {
            kind: MailKind::Invitation,
            recipient: &invitation.email,
            subject: Some(invitation.id),
            about: None,
        };
        outbox::write(app, &mut batch, &message, origin, now)?;
        note(
            app,
            &mut batch,
            AuditKind::UserInvited,
            &authority,
            (&invitation, origin),
        )?;
        let committed = app.commit(batch, &[]).await;
        if !lost_race(&committed) {
            committed?;
            return Ok(invitation);
        }
    }
    Err(overloaded().into())
}

fn note(
    app: &App,
    batch: &mut symbolon_store::Batch,
    kind: AuditKind,
    authority: &Authority,
    (invitation, origin): (&Invitation, &Origin),
) -> Result<(), Error> {
    let now = app.clock.now();
    let mut event = origin.event(kind, now);
    authority.stamp(&mut event);
    event.detail = Some(format!("{} {}", invitation.email, invitation.roles));
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(())
}

/// A page of invitations that wait, the latest first.
///
/// # Errors
/// A fault of the store.
pub async fn list(
    app: &App,
    limit: u32,
    before: Option<Uuid>,
) -> Result<Page<Invitation, Uuid>, Error> {
    let rows = app.store.list_invitations(limit + 1, before).await?;
    Ok(Page::of(rows, limit, |invitation| invitation.id))
}

/// Withdraws an invitation: its link is void.
///
/// # Errors
/// `forbidden`, `not_found`, `overloaded`, or a fault.
pub async fn withdraw(app: &App, actor: Actor, id: Uuid, origin: &Origin) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let invitation = app
            .store
            .find_invitation(id)
            .await?
            .ok_or(Refusal::NotFound)?;
        authority.may_grant(&invitation.roles)?;
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        batch.take_invitation(id);
        batch.delete_proofs(id);
        let kind = AuditKind::InvitationWithdrawn;
        note(app, &mut batch, kind, &authority, (&invitation, origin))?;
        let committed = app.commit(batch, &[]).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// Whom the link of an invitation is for; nothing is used up.
///
/// # Errors
/// `malformed_request` for a link that is not valid any more, or a fault.
pub async fn invited(app: &App, token: &str) -> Result<Email, Error> {
    Ok(of_link(app, token).await?.1.email)
}

/// Step 3: makes the account.
///
/// # Errors
/// `malformed_request` for a link that is not valid any more, `validation_failed`, `conflict`, `overloaded`, or a fault.
pub(super) async fn accept(
    app: &App,
    mut registration: Registration,
    token: Zeroizing<String>,
    origin: &Origin,
) -> Result<User, Error> {
    let (_, invitation) = of_link(app, &token).await?;
    if registration.name.is_none() {
        registration.name = invitation
            .name
            .as_ref()
            .map(|name| name.as_str().to_owned());
    }
    let NewAccount { mut user, password } = check(app, &registration, invitation.roles)?;
    if user.email.key() != invitation.email.key() {
        let other = Problem::new(
            "email_not_invited",
            "The invitation is for another address.",
        );
        return Err(Refusal::Validation(vec![other.at("/email")]).into());
    }
    user.email_verified = true;
    let hash = app.hasher.hash(password).await?;
    for _ in 0..ROUNDS {
        let (proof, invitation) = of_link(app, &token).await?;
        let authority = authority(app, &invitation).await?;
        let now = app.clock.now();
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        batch.take_proof(proof);
        batch.take_invitation(invitation.id);
        batch.insert_user(&user, Some(&hash));
        batch.update_locale(user.id, origin.locale);
        let mut event = origin.event(AuditKind::UserRegistered, now);
        event.subject = Some(user.id);
        event.detail = Some(format!("invited: {}", user.roles));
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = app.commit(batch, &[]).await;
        if !lost_race(&committed) {
            committed?;
            return Ok(user);
        }
    }
    Err(overloaded().into())
}

/// The id of the proof and the invitation, which was made for the address that the mail went to.
async fn of_link(app: &App, token: &str) -> Result<(Uuid, Invitation), Error> {
    let now = app.clock.now();
    let proof = proof::find(app, token, &[ProofKind::Invitation], now).await?;
    let found = app.store.find_invitation(proof.subject).await?;
    let good = |found: &Invitation| now < found.expires_at && found.email == proof.email;
    Ok((proof.id, found.filter(good).ok_or(Refusal::InvalidLink)?))
}

/// That of the inviter, today.
async fn authority(app: &App, invitation: &Invitation) -> Result<Authority, Error> {
    let actor = invitation.inviter.map_or(Actor::Operator, Actor::User);
    let may = match actor.authorize(app, WRITE).await {
        Ok(authority) => authority.may_grant(&invitation.roles).map(|()| authority),
        Err(error) => Err(error),
    };
    match may {
        Err(Error::Refused(Refusal::Forbidden)) => Err(Refusal::InvalidLink.into()),
        other => other,
    }
}
