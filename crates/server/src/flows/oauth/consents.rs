//! Which applications have access, and taking it back.

use std::sync::Arc;

use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::oauth::{Agreement, Consent, Scopes};
use symbolon_domain::{Client, ClientId, EndReason, Refusal, Resource, Timestamp, UserId};
use symbolon_store::Batch;

use super::browser::Browser;
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::authenticate::Caller;
use crate::flows::clients::remembered;
use crate::flows::consequences::{Together, write_together};
use crate::flows::page::Page;
pub use crate::flows::sessions::{READ, WRITE};
use crate::flows::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};

/// Sessions of one user and client that are ended at once; there are fewer.
const MOST: u32 = 1_000;

/// An application that a person let in.
pub struct Application {
    /// What they agreed to.
    pub consent: Consent,
    /// The application, unless it is gone; of one that describes itself elsewhere, what is remembered of that.
    pub client: Option<Arc<Client>>,
}

/// What a user has agreed to, by the clients' ids, behind `after`.
///
/// # Errors
/// A fault of the store.
pub async fn list(
    app: &App,
    user: UserId,
    limit: u32,
    after: Option<String>,
) -> Result<Page<Application, String>, Error> {
    // It stood on the page before.
    let after = after.and_then(|id| ClientId::parse(&id).ok());
    let more = limit.saturating_add(1);
    let rows = app.store.list_consents(user, after.as_ref(), more).await?;
    let page = Page::of(rows, limit, |consent| consent.client.to_string());
    let mut items = Vec::new();
    for consent in page.items {
        let client = match consent.client.is_document() {
            true => remembered(app, &consent.client),
            false => app.store.find_client(&consent.client).await?,
        };
        items.push(Application { consent, client });
    }
    Ok(Page {
        items,
        next: page.next,
    })
}

/// What a person agrees to.
pub(super) struct Agreed<'a> {
    pub(super) client: &'a ClientId,
    pub(super) scopes: &'a Scopes,
    pub(super) resources: &'a [Resource],
}

/// Keeps that a person agreed, beside what they agreed to before, in the batch that acts on it. That does not hold if the
/// consent changed meanwhile, or was taken back: then the person is asked again.
pub(super) async fn add(
    app: &App,
    batch: &mut Batch,
    browser: &Browser,
    (agreed, now): (&Agreed<'_>, Timestamp),
    origin: &Origin,
) -> Result<(), Error> {
    let user = browser.user.id;
    let before = app.store.find_consent(user, agreed.client).await?;
    let mut consent = before.clone().unwrap_or_else(|| Consent {
        user,
        client: agreed.client.clone(),
        agreement: Agreement::default(),
        version: 0,
        created_at: now,
        updated_at: now,
    });
    consent.agreement = consent.agreement.with(agreed.resources, agreed.scopes);
    if before.as_ref() == Some(&consent) {
        batch.require_consent(&consent);
        return Ok(());
    }
    consent.updated_at = now;
    batch.put_consent(&consent);
    let mut event = origin.own_event(AuditKind::ConsentGiven, now, user, Some(browser.session.id));
    event.detail = Some(format!("{}: {}", consent.client, agreed.scopes));
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(())
}

/// Takes back what the caller agreed to: every token that the client has for them dies, at every guard.
///
/// # Errors
/// `not_found`, `overloaded`, or a fault.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    client: &ClientId,
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let (user, session) = (caller.user, Some(caller.session));
        let event = origin.own_event(AuditKind::ConsentWithdrawn, now, user, session);
        if take_back(app, app.store.batch(), (user, client), event).await? {
            return Ok(());
        }
    }
    Err(overloaded().into())
}

/// Takes back what a user agreed to, as [`withdraw`] does. The actor needs [`WRITE`], and all that the user has.
///
/// # Errors
/// `forbidden`, `not_found`, `overloaded`, or a fault.
pub async fn withdraw_from(
    app: &App,
    actor: Actor,
    (user, client): (UserId, &ClientId),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let user = app.store.find_user(user).await?.ok_or(Refusal::NotFound)?;
        authority.may_manage(&user)?;
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        batch.require_user(user.id, user.version);
        let mut event = origin.event(AuditKind::ConsentWithdrawn, app.clock.now());
        authority.stamp(&mut event);
        event.subject = Some(user.id);
        if take_back(app, batch, (user.id, client), event).await? {
            return Ok(());
        }
    }
    Err(overloaded().into())
}

/// One round: `false` where something it rests on has changed meanwhile.
async fn take_back(
    app: &App,
    mut batch: Batch,
    whose: (UserId, &ClientId),
    mut event: AuditEvent,
) -> Result<bool, Error> {
    let (user, client) = whose;
    let now = event.at;
    if app.store.find_consent(user, client).await?.is_none() {
        return Err(Refusal::NotFound.into());
    }
    batch.delete_consent(user, client);
    event.detail = Some(client.to_string());
    batch.insert_audit(audit_id(app, now)?, &event);
    let live = app
        .store
        .list_client_authorizations(whose, now, MOST)
        .await?;
    let (which, how) = (
        Together::OfClient(user, client),
        (now, EndReason::Withdrawn),
    );
    let revocations = write_together(app, &mut batch, &which, &live, how);
    let committed = app.commit(batch, &revocations).await;
    if lost_race(&committed) {
        return Ok(false);
    }
    committed?;
    Ok(true)
}
