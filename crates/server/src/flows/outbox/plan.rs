//! What a mail comes to at the moment when it goes out.

use symbolon_domain::mail::{LINK_LIFE, Mail, MailKind, ProofKind};
use symbolon_domain::{Email, Timestamp, User, UserId};
use uuid::Uuid;

use super::super::Error;
use crate::app::App;

/// What a mail came to when it was looked up.
pub(super) struct Plan {
    pub(super) kind: MailKind,
    pub(super) recipient: Email,
    pub(super) user: Option<UserId>,
    pub(super) proof: Option<Wanted>,
}

/// A proof that its link needs.
pub(super) struct Wanted {
    pub(super) kind: ProofKind,
    pub(super) subject: Uuid,
    pub(super) expires_at: Timestamp,
}

/// Step 3: who gets what, or nothing where it is over.
pub(super) async fn plan(app: &App, mail: &Mail, now: Timestamp) -> Result<Option<Plan>, Error> {
    let user = match (mail.kind, mail.subject) {
        // To the address that the account has, however it was typed: two that look alike can lead to two people.
        (MailKind::ResetPassword | MailKind::AddressInUse, _) => {
            let found = app.store.find_user_by_email(&mail.recipient.key()).await?;
            found.map(|credentials| credentials.user)
        }
        (MailKind::Invitation, _) | (_, None) => None,
        (_, Some(id)) => app.store.find_user(UserId::new(id)).await?,
    };
    Ok(match (mail.kind, user) {
        (MailKind::Invitation, _) => invitation(app, mail, now).await?,
        (MailKind::ChangeEmailNew | MailKind::ChangeEmailOld, Some(user)) => {
            change(app, mail, user, now).await?
        }
        (MailKind::ResetPassword, Some(user)) => Some(linked(&user, ProofKind::ResetPassword, now)),
        (MailKind::VerifyEmail, Some(user)) => {
            let good = !user.email_verified && user.email.key() == mail.recipient.key();
            good.then(|| linked(&user, ProofKind::VerifyEmail, now))
        }
        (MailKind::AddressInUse, Some(user)) => Some(Plan {
            kind: mail.kind,
            recipient: user.email,
            user: Some(user.id),
            proof: None,
        }),
        (kind, user) if !kind.is_asked_for() => Some(Plan {
            kind,
            recipient: mail.recipient.clone(),
            user: user.map(|user| user.id),
            proof: None,
        }),
        _ => None,
    })
}

fn linked(user: &User, kind: ProofKind, now: Timestamp) -> Plan {
    let mail = match kind {
        ProofKind::ResetPassword => MailKind::ResetPassword,
        _ => MailKind::VerifyEmail,
    };
    Plan {
        kind: mail,
        recipient: user.email.clone(),
        user: Some(user.id),
        proof: Some(Wanted {
            kind,
            subject: user.id.uuid(),
            expires_at: now.plus(LINK_LIFE),
        }),
    }
}

/// A change of address. Where the new one belongs to somebody, it is them who hear of it, in other words.
async fn change(app: &App, mail: &Mail, user: User, now: Timestamp) -> Result<Option<Plan>, Error> {
    let Some(change) = app.store.find_email_change(user.id).await? else {
        return Ok(None);
    };
    let new = mail.kind == MailKind::ChangeEmailNew;
    let (same, done) = if new {
        (mail.recipient == change.email, change.new_confirmed)
    } else {
        let same = mail.about.as_ref() == Some(&change.email) && mail.recipient == user.email;
        (same, change.old_confirmed)
    };
    if !same || done || change.expires_at <= now {
        return Ok(None);
    }
    if new
        && let Some(owner) = app.store.find_user_by_email(&change.email.key()).await?
        && owner.user.id != user.id
    {
        return Ok(Some(Plan {
            kind: MailKind::AddressInUse,
            recipient: owner.user.email,
            user: Some(owner.user.id),
            proof: None,
        }));
    }
    let kind = if new {
        ProofKind::ChangeEmailNew
    } else {
        ProofKind::ChangeEmailOld
    };
    Ok(Some(Plan {
        kind: mail.kind,
        recipient: mail.recipient.clone(),
        user: Some(user.id),
        proof: Some(Wanted {
            kind,
            subject: user.id.uuid(),
            expires_at: now.plus(LINK_LIFE),
        }),
    }))
}

async fn invitation(app: &App, mail: &Mail, now: Timestamp) -> Result<Option<Plan>, Error> {
    let Some(id) = mail.subject else {
        return Ok(None);
    };
    let found = app.store.find_invitation(id).await?;
    Ok(found
        .filter(|invitation| now < invitation.expires_at)
        .map(|invitation| Plan {
            kind: mail.kind,
            recipient: invitation.email,
            user: None,
            proof: Some(Wanted {
                kind: ProofKind::Invitation,
                subject: id,
                expires_at: invitation.expires_at,
            }),
        }))
}
