//! Mail on its way.
//!
//! 1. A mail is written in the batch of what it tells of: none is lost, and none tells of what did not happen. It holds
//!    no secret and no decision. Who names an address (a reset, a registration) is answered before anything is looked up,
//!    so that neither the answer nor its time tells whether there is an account.
//! 2. A worker takes what is due, for a time: if it dies, another takes it then. Two never have the same mail.
//! 3. Only now it is looked up what the mail is about; where that is over, or never was, nothing is sent.
//! 4. Its link is derived from a proof, of which the store gets the digest, in the commit that takes the mail.
//! 5. It is rendered and handed in. What the server does not take is tried again, with growing pauses, for three days.
//!
//! A worker that dies between the server's answer and its own note of it leaves a mail that is sent again: with the same
//! `Message-ID` and the same link, so that receivers can drop one of the two.

mod plan;
mod preview;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::mail::{LINK_LIFE, Locale, Mail, MailKind, MailState, Proof, Retry, retry};
use symbolon_domain::{Email, Timestamp, User, UserId};
use symbolon_store::Batch;
pub use symbolon_store::MailRow;
use uuid::Uuid;

pub use preview::preview;

use self::plan::{Plan, Wanted, plan};
use super::{Error, Origin, audit_id, lost_race};
use crate::app::App;
use crate::jobs::Causes;
use crate::mail::{Device, Facts, Letter, Link, Sent, Unsent};
use crate::metrics::Count;
use crate::throttle::Quota;

/// How long a worker has a mail for itself; longer than it may take to hand one in.
const LEASE: Duration = Duration::from_secs(5 * 60);
/// Mails that are taken from the store at once, and how many of them are handed in side by side.
const PAGE: u32 = 64;
const AT_ONCE: usize = 4;
/// How long mails that are done with are kept, for whoever asks what became of them.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long those are kept that came to nothing: they count for what an address gets in an hour.
pub(super) const VOID_KEPT: Duration = Duration::from_secs(3600);
/// Mails that may wait before nobody can ask for more.
const MOST_WAITING: u32 = 100_000;

/// A mail as a flow writes it.
pub(super) struct Message<'a> {
    pub(super) kind: MailKind,
    pub(super) recipient: &'a Email,
    /// The user or the invitation, where it is known.
    pub(super) subject: Option<Uuid>,
    /// The other address of a change.
    pub(super) about: Option<&'a Email>,
}

/// Step 1.
pub(super) fn write(
    app: &App,
    batch: &mut Batch,
    message: &Message<'_>,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Error> {
    batch.insert_mail(&Mail {
        id: audit_id(app, now)?,
        kind: message.kind,
        recipient: message.recipient.clone(),
        locale: origin.locale,
        subject: message.subject,
        about: message.about.cloned(),
        address: origin.address_text(),
        user_agent: origin.user_agent.clone(),
        created_at: now,
    });
    Ok(())
}

/// Step 1 for what happened to an account: its owner is told.
pub(super) fn tell(
    app: &App,
    batch: &mut Batch,
    (kind, user): (MailKind, &User),
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Error> {
    let message = Message {
        kind,
        recipient: &user.email,
        subject: Some(user.id.uuid()),
        about: None,
    };
    write(app, batch, &message, origin, now)
}

/// Refuses to write more for whoever only names an address while too much waits.
pub(super) fn admit(app: &App, origin: &Origin, now: Timestamp) -> Result<(), Error> {
    // No password is hashed: the place in the queue is given back at once.
    drop(app.throttle.begin_mail(origin.address, now)?);
    if app.metrics.mail_waiting() >= u64::from(MOST_WAITING) {
        return Err(super::overloaded().into());
    }
    Ok(())
}

/// What is left of the mails that may be asked for from there.
#[must_use]
pub fn quotas(app: &App, origin: &Origin) -> Vec<Quota> {
    app.throttle.mail_quotas(origin.address, app.clock.now())
}

/// Steps 2 to 5, for all that is due.
///
/// # Errors
/// As the store says; what was not handed in is due again when its lease is over.
pub async fn deliver(app: &Arc<App>) -> Result<(), Error> {
    loop {
        let due = app.store.list_due_mail(app.clock.now(), PAGE).await?;
        let waiting = app.store.count_waiting_mail(MOST_WAITING).await?;
        app.metrics.mail_waits(waiting.into());
        let all = due.len() < PAGE as usize;
        let mut rest = due.into_iter();
        let mut running: FuturesUnordered<_> = FuturesUnordered::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(row) = rest.next()
            {
                running.push(hand_in(app, row));
            }
            match running.next().await {
                Some(outcome) => outcome?,
                None => break,
            }
        }
        if all {
            return Ok(());
        }
    }
}

/// Sends one mail at once, past the outbox: what the server said to it, good or bad.
///
/// # Errors
/// A fault of the store.
pub async fn test(app: &App, recipient: &Email) -> Result<Result<String, String>, Error> {
    let now = app.clock.now();
    let configured = app.config.server.issuer.as_ref();
    let issuer = match configured {
        Some(issuer) => Some(issuer.as_str().to_owned()),
        None => app.store.find_setting(crate::app::ISSUER).await?,
    };
    let facts = Facts {
        id: audit_id(app, now)?,
        kind: None,
        locale: Locale::En,
        recipient,
        issuer: issuer.as_deref().unwrap_or("Symbolon"),
        link: None,
        about: None,
        address: None,
        device: Device::of(None, None),
        at: now,
        now,
    };
    let sent = match app.mail.write(&facts) {
        Ok(letter) => app.mail.send(&letter).await,
        Err(unsent) => Err(unsent),
    };
    Ok(sent.map(|sent| sent.said).map_err(|unsent| unsent.said))
}

/// The same to somebody who asks for it on a page, as often as mail may be asked for.
///
/// # Errors
/// `rate_limited`, `overloaded`, or a fault of the store.
pub async fn test_own(
    app: &App,
    recipient: &Email,
    origin: &Origin,
) -> Result<Result<String, String>, Error> {
    admit(app, origin, app.clock.now())?;
    test(app, recipient).await
}

/// Mails that wait, and those that were given up.
///
/// # Errors
/// As the store says.
pub async fn list(app: &App, limit: u32) -> Result<Vec<MailRow>, Error> {
    let mut rows = app.store.list_mail(MailState::Waiting, limit).await?;
    rows.extend(app.store.list_mail(MailState::Dead, limit).await?);
    Ok(rows)
}

/// Drops what is done with, `limit` rows at a time.
///
/// # Errors
/// As the store says.
pub(crate) async fn purge(app: &App, now: Timestamp, limit: u32) -> Result<(), Error> {
    let full = u64::from(limit);
    for state in [MailState::Sent, MailState::Void, MailState::Dead] {
        while app.store.purge_mail(state, now, limit).await? == full {}
    }
    while app.store.purge_proofs(now, limit).await? == full {}
    while app.store.purge_email_changes(now, limit).await? == full {}
    while app.store.purge_invitations(now, limit).await? == full {}
    app.mail.tidy();
    Ok(())
}

async fn hand_in(app: &App, row: MailRow) -> Result<(), Error> {
    let now = app.clock.now();
    let Some(plan) = plan(app, &row.mail, now).await? else {
        return settle(app, &row, MailState::Void, now.plus(VOID_KEPT), None).await;
    };
    let mut batch = app.store.batch();
    let proof = match &plan.proof {
        Some(wanted) => Some(prove(app, &mut batch, &row, (wanted, &plan.recipient), now).await?),
        None => None,
    };
    let claimed = MailRow {
        due_at: now.plus(LEASE),
        attempts: row.attempts.saturating_add(1),
        ..row.clone()
    };
    batch.claim_mail(&row, proof, claimed.due_at);
    if let (MailKind::ResetPassword, Some(user), 0) = (plan.kind, plan.user, row.attempts) {
        note_reset(app, &mut batch, &row.mail, user, now)?;
    }
    let committed = batch.commit().await;
    if lost_race(&committed) {
        return Ok(());
    }
    committed?;
    let outcome = match letter(app, &claimed, &plan, proof).await? {
        Ok(letter) => app.mail.send(&letter).await,
        Err(unsent) => Err(unsent),
    };
    conclude(app, &claimed, outcome).await
}

/// Step 4: the id of the proof, which is the one of the try before as long as half its life is left.
async fn prove(
    app: &App,
    batch: &mut Batch,
    row: &MailRow,
    (wanted, recipient): (&Wanted, &Email),
    now: Timestamp,
) -> Result<Uuid, Error> {
    if let Some(id) = row.proof
        && let Some(proof) = app.store.find_proof(id).await?
        && proof.email == *recipient
        && proof.is_good(wanted.kind, now.plus(LINK_LIFE / 2))
    {
        return Ok(id);
    }
    let proof = Proof {
        id: audit_id(app, now)?,
        kind: wanted.kind,
        subject: wanted.subject,
        email: recipient.clone(),
        created_at: now,
        expires_at: wanted.expires_at,
    };
    batch.put_proof(&proof, link(app, proof.id)?.digest());
    Ok(proof.id)
}

fn link(app: &App, proof: Uuid) -> Result<Link, Error> {
    Link::of(&app.issuance()?.master, proof).map_err(|error| Error::Fault {
        context: "deriving a link",
        source: error.into(),
    })
}

fn note_reset(
    app: &App,
    batch: &mut Batch,
    mail: &Mail,
    user: UserId,
    now: Timestamp,
) -> Result<(), Error> {
    let origin = Origin {
        user_agent: mail.user_agent.clone(),
        ..Origin::default()
    };
    let mut event = origin.event(AuditKind::PasswordResetAsked, now);
    event.subject = Some(user);
    event.address.clone_from(&mail.address);
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(())
}

/// Step 5: the mail as it goes out, or why none can be made of it.
async fn letter(
    app: &App,
    row: &MailRow,
    plan: &Plan,
    proof: Option<Uuid>,
) -> Result<Result<Letter, Unsent>, Error> {
    let mail = &row.mail;
    let known = match plan.user {
        Some(user) => app.store.find_locale(user).await?,
        None => None,
    };
    let issuer = &app.issuance()?.issuer;
    let link = match proof {
        Some(proof) => {
            let path = match plan.kind {
                MailKind::ResetPassword => "reset-password",
                MailKind::VerifyEmail => "verify-email",
                MailKind::Invitation => "invitation",
                _ => "confirm-email",
            };
            format!("{issuer}/{path}?token={}", link(app, proof)?.expose())
        }
        None => format!("{issuer}/"),
    };
    let facts = Facts {
        id: mail.id,
        kind: Some(plan.kind),
        locale: known.unwrap_or(mail.locale),
        recipient: &plan.recipient,
        issuer,
        link: Some(&link),
        about: mail.about.as_ref(),
        address: mail.address.as_deref(),
        device: Device::of(mail.user_agent.as_deref(), mail.address.as_deref()),
        at: mail.created_at,
        now: app.clock.now(),
    };
    Ok(app.mail.write(&facts))
}

async fn conclude(app: &App, row: &MailRow, outcome: Result<Sent, Unsent>) -> Result<(), Error> {
    let now = app.clock.now();
    let unsent = match outcome {
        Ok(_) => {
            app.metrics.count(Count::MailSent);
            return settle(app, row, MailState::Sent, now.plus(KEPT), None).await;
        }
        Err(unsent) => unsent,
    };
    app.metrics.count(Count::MailFailed);
    let chance = app.rng.bytes::<2>().map(u16::from_be_bytes).unwrap_or(0);
    let (kind, id) = (row.mail.kind, row.mail.id);
    match retry(
        row.mail.created_at,
        row.attempts,
        unsent.refused,
        now,
        chance,
    ) {
        Retry::At(at) => {
            tracing::warn!(%id, %kind, attempts = row.attempts, error = %Causes(&unsent), "mail was not accepted; trying again");
            settle(app, row, MailState::Waiting, at, Some(&unsent.said)).await
        }
        Retry::GiveUp => {
            app.metrics.count(Count::MailDead);
            tracing::error!(%id, %kind, attempts = row.attempts, error = %Causes(&unsent), "mail is given up");
            settle(
                app,
                row,
                MailState::Dead,
                now.plus(KEPT),
                Some(&unsent.said),
            )
            .await
        }
    }
}

/// Notes what became of a mail; if somebody else has it by now, that is theirs to say.
async fn settle(
    app: &App,
    row: &MailRow,
    state: MailState,
    due_at: Timestamp,
    error: Option<&str>,
) -> Result<(), Error> {
    let mut batch = app.store.batch();
    batch.settle_mail(row, state, due_at, error);
    let committed = batch.commit().await;
    if lost_race(&committed) {
        return Ok(());
    }
    Ok(committed?)
}

/// Tells the owner of an account of a sign-in from a device that no session of theirs was begun from.
pub(super) async fn tell_of_device(
    app: &App,
    batch: &mut Batch,
    user: &User,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Error> {
    let seen = app.store.list_devices(user.id).await?;
    let seen: Vec<Device> = seen
        .iter()
        .map(|(agent, address)| Device::of(agent.as_deref(), address.as_deref()))
        .collect();
    let device = Device::of(
        origin.user_agent.as_deref(),
        origin.address_text().as_deref(),
    );
    if symbolon_domain::mail::is_new_device(&device, &seen) {
        tell(app, batch, (MailKind::NewDevice, user), origin, now)?;
    }
    Ok(())
}
