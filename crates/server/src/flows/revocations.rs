//! What an operator does with revocations: look at them, follow them, kill tokens in an emergency, begin the feed anew.
//!
//! 1. A session or a user is ended as everywhere else, with the tokens. Where the tokens are only to be renewed
//!    (`stale`), the user's token version is raised, as it is when roles change.
//!    One token, a client's or all tokens are ended by a statement about them alone.
//! 2. The audit row and the revocation are one transaction.
//! 3. A new epoch makes every guard take a new snapshot: what it knew counts no more.

pub(in crate::flows) mod by_time;
pub mod former;

use std::collections::{BTreeMap, HashMap};

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::revocation::{Effect, Entry, Kind, Subject};
use symbolon_domain::{ClientId, Refusal, SessionId, User};
use symbolon_store::{Feed, Watch};
use symbolon_token::feed_key;

use self::former::Former;
use super::actor::Actor;
use super::login::OWN_CLIENT;
use super::page::Page;
use super::{
    Error, Origin, ROUNDS, audit_id, clients, consequences, lost_race, overloaded, users,
    was_forestalled,
};
use crate::app::App;
use crate::app::timekeeping::last_issue_s;
use crate::feed::Point;

/// What it takes to see revocations.
pub const READ: &str = "revocations:read";
/// What it takes to add one, of whatever kind.
pub const WRITE: &str = "revocations:write";
/// Revocations read at once.
const PAGE: u32 = 1000;
/// Revocations that are looked at for those about one id.
const MOST_LOOKED_AT: u32 = 100_000;

/// Whose tokens an operator kills.
pub enum Target {
    /// Those of a session.
    Session(SessionId),
    /// Those of a user.
    User(Box<User>),
    /// The one with this `jti`.
    Token(String),
    /// Those that this client has by now.
    Client(String),
    /// All that there are by now.
    All,
}

/// The live revocations after number `after`, at most `limit`.
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App, after: i64, limit: u32) -> Result<Vec<Entry>, Error> {
    let mut entries = app.store.list_revocations(after, limit).await?;
    let now = app.clock.now().seconds();
    // Those that wait for the purge.
    entries.retain(|entry| entry.until_s > now);
    Ok(entries)
}

/// A page of the live revocations in the order of their numbers, behind number `after`.
///
/// # Errors
/// A fault of the store.
pub async fn page(app: &App, limit: u32, after: Option<i64>) -> Result<Page<Entry, i64>, Error> {
    let rows = app
        .store
        .list_revocations(after.unwrap_or_default(), limit + 1)
        .await?;
    let mut page = Page::of(rows, limit, |entry| entry.seq);
    let now = app.clock.now().seconds();
    // A page may be short of those that wait for the purge; it does not end the list.
    page.items.retain(|entry| entry.until_s > now);
    Ok(page)
}

/// A page of the live revocations, the latest first, behind number `before`: for people who look at them.
///
/// # Errors
/// A fault of the store.
pub async fn latest(app: &App, limit: u32, before: Option<i64>) -> Result<Page<Entry, i64>, Error> {
    let before = before.unwrap_or(i64::MAX);
    let rows = app.store.list_latest_revocations(before, limit + 1);
    let mut page = Page::of(rows.await?, limit, |entry| entry.seq);
    let now = app.clock.now().seconds();
    page.items.retain(|entry| entry.until_s > now);
    Ok(page)
}

/// The live revocations about this id, whatever it is the id of, the latest first. Looks at the latest
/// [`MOST_LOOKED_AT`].
///
/// # Errors
/// A fault of the store.
pub async fn about(app: &App, id: &str) -> Result<Vec<Entry>, Error> {
    let keys: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| (*kind, feed_key(kind.as_str(), id)))
        .collect();
    let (mut found, mut before) = (Vec::new(), None);
    for _ in 0..MOST_LOOKED_AT / PAGE {
        let page = latest(app, PAGE, before).await?;
        let is_it = |entry: &Entry| keys.contains(&(entry.kind, entry.key));
        found.extend(page.items.into_iter().filter(is_it));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    Ok(found)
}

/// What some keys of the feed are about: applications and keys of this server, which are few and no secret.
pub struct Names(HashMap<(Kind, [u8; 16]), String>);

impl Names {
    /// Reads them.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn read(app: &App) -> Result<Self, Error> {
        let clients = app.store.list_clients(None, None, PAGE).await?;
        let clients = clients.into_iter().map(|client| client.id.to_string());
        let clients = clients.chain([OWN_CLIENT.to_owned()]);
        let clients = clients.map(|id| (Kind::Client, id));
        let keys = app.store.list_keys().await?.into_iter();
        let keys = keys.map(|key| (Kind::Key, key.kid));
        let named = clients.chain(keys);
        Ok(Self(
            named
                .map(|(kind, id)| ((kind, feed_key(kind.as_str(), &id)), id))
                .collect(),
        ))
    }

    /// The name of what a revocation is about, where it is known.
    #[must_use]
    pub fn of(&self, entry: &Entry) -> Option<&str> {
        self.0.get(&(entry.kind, entry.key)).map(String::as_str)
    }
}

/// Kills tokens, or makes them be renewed.
///
/// # Errors
/// `forbidden`, `not_found` for a session that is not live and a client that there is not, `overloaded`, or a fault.
pub async fn add(
    app: &App,
    actor: Actor,
    target: Target,
    effect: Effect,
    origin: &Origin,
) -> Result<(), Error> {
    let subject = match (target, effect) {
        (Target::Session(id), Effect::Revoked) => {
            return users::revoke_session(app, (actor, WRITE), id, origin).await;
        }
        (Target::User(user), Effect::Revoked) => {
            return users::revoke_sessions(app, (actor, WRITE), *user, origin).await;
        }
        (Target::User(user), Effect::Stale) => {
            return renew_tokens(app, actor, *user, origin).await;
        }
        // By the user's version: an entry that names the session would hit its refreshed tokens as well.
        (Target::Session(id), Effect::Stale) => {
            let session = app.store.find_session(id).await?.ok_or(Refusal::NotFound)?;
            let user = app.store.find_user(session.user).await?;
            let user = user.ok_or(Refusal::NotFound)?;
            return renew_tokens(app, actor, user, origin).await;
        }
        (Target::Token(jti), _) => Subject::Token(jti),
        // Both up to the moment of the commit, which `end_tokens` knows.
        (Target::Client(id), _) => {
            must_be_known(app, &id).await?;
            Subject::Client { id, before_s: 0 }
        }
        (Target::All, _) => Subject::All { before_s: 0 },
    };
    end_tokens(app, actor, (subject, effect), origin).await
}

/// A name that no client has is a mistake, and whoever makes it believes tokens dead that are not.
async fn must_be_known(app: &App, client: &str) -> Result<(), Error> {
    if client == OWN_CLIENT {
        return Ok(());
    }
    let id = ClientId::parse(client).map_err(|_| Refusal::NotFound)?;
    match id.is_document() {
        // It is nowhere written down who came with one.
        true => Ok(()),
        false => clients::find(app, &id).await.map(drop),
    }
}

/// Begins another epoch of the feed, and returns its name.
///
/// # Errors
/// A fault.
pub async fn renew(app: &App, origin: &Origin) -> Result<String, Error> {
    renew_if(app, None, origin).await
}

/// The same, unless another node has done so since the feed was of `epoch`.
///
/// # Errors
/// A fault.
pub async fn renew_from(app: &App, epoch: &str, origin: &Origin) -> Result<String, Error> {
    renew_if(app, Some(epoch), origin).await
}

async fn renew_if(app: &App, only: Option<&str>, origin: &Origin) -> Result<String, Error> {
    let now = app.clock.now();
    let epoch = app.rng.bytes::<9>().map_err(|error| Error::Fault {
        context: "random source",
        source: error.into(),
    })?;
    let epoch = symbolon_token::encoding::encode(&epoch);
    let mut event = origin.event(AuditKind::FeedRenewed, now);
    event.detail = Some(epoch.clone());
    for _ in 0..ROUNDS {
        let mut batch = app.store.batch();
        batch.insert_audit(audit_id(app, now)?, &event);
        let former = Former::read(&app.store).await?;
        let feed = app.store.feed().await?;
        if only.is_some_and(|only| only != feed.epoch) {
            return Ok(feed.epoch);
        }
        former.renew(&mut batch, &[&feed.epoch], &epoch);
        let committed = batch.commit().await;
        if !was_forestalled(&committed) {
            committed?;
            return Ok(epoch);
        }
    }
    Err(overloaded().into())
}

async fn end_tokens(
    app: &App,
    actor: Actor,
    (mut subject, effect): (Subject, Effect),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let now = app.clock.now();
        if let Subject::Client { before_s, .. } | Subject::All { before_s } = &mut subject {
            *before_s = last_issue_s(&app.store, now);
        }
        let subject = &subject;
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        let mut event = origin.event(AuditKind::TokensRevoked, now);
        authority.stamp(&mut event);
        event.detail = Some(said(subject, effect));
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::TokensEnd { subject, effect };
        let revocations = consequences::write(app, &mut batch, &ends, None, now);
        let committed = by_time::commit(app, batch, revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

fn said(subject: &Subject, effect: Effect) -> String {
    match subject {
        Subject::Token(id) | Subject::Client { id, .. } => {
            format!("{} {} {id}", effect.as_str(), subject.kind().as_str())
        }
        _ => format!("{} {}", effect.as_str(), subject.kind().as_str()),
    }
}

/// As if the user's roles had changed: that is what it says about tokens.
async fn renew_tokens(
    app: &App,
    actor: Actor,
    mut user: User,
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        authority.may_manage(&user)?;
        let now = app.clock.now();
        let mut event = origin.event(AuditKind::TokensRevoked, now);
        authority.stamp(&mut event);
        event.subject = Some(user.id);
        event.detail = Some("stale user".to_owned());
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        batch.insert_audit(audit_id(app, now)?, &event);
        let changed = Event::RolesChanged { user: &user };
        let revocations = consequences::write(app, &mut batch, &changed, Some(&user), now);
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
        let again = app.store.find_user(user.id).await?;
        user = again.ok_or(Refusal::NotFound)?;
    }
    Err(overloaded().into())
}

/// What happens in the feed of a database, seen from beside the server.
pub enum Seen {
    /// The beginning, or another epoch: how many live revocations of each kind there are up to this number.
    Snapshot {
        /// Names the run of numbers.
        epoch: String,
        /// The number of the last revocation.
        seq: i64,
        /// How many there are, by kind.
        counts: BTreeMap<&'static str, u64>,
    },
    /// A revocation.
    Entry(Entry),
}

/// Follows the feed of a database.
#[derive(Default)]
pub struct Follower {
    watch: Watch,
    /// The epoch that is followed, and the last number that was seen.
    place: Option<(String, i64)>,
    /// The store has more than what was read last.
    behind: bool,
}

impl Follower {
    /// Goes on from a point, where the feed is of that epoch and has come that far; else from the beginning.
    #[must_use]
    pub fn new(since: Option<Point>) -> Self {
        Self {
            place: since.map(|point| (point.epoch, point.seq)),
            ..Self::default()
        }
    }

    /// The number that was seen last.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.place.as_ref().map_or(0, |(_, seq)| *seq)
    }

    /// What happened since it was asked last, a page at most.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn look(&mut self, app: &App) -> Result<Vec<Seen>, Error> {
        if !self.behind && !app.store.changed(&mut self.watch).await? {
            return Ok(Vec::new());
        }
        let feed = app.store.feed().await?;
        let after = match &self.place {
            Some((epoch, seq)) if *epoch == feed.epoch && *seq <= feed.seq => *seq,
            _ => return Ok(vec![self.snapshot(app, feed).await?]),
        };
        let page = app.store.list_revocations(after, PAGE).await?;
        self.behind = page.len() == PAGE as usize;
        if let Some(last) = page.last() {
            self.place = Some((feed.epoch, last.seq));
        }
        Ok(page.into_iter().map(Seen::Entry).collect())
    }

    async fn snapshot(&mut self, app: &App, feed: Feed) -> Result<Seen, Error> {
        let now = app.clock.now().seconds();
        let mut counts = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = app.store.list_revocations(after, PAGE).await?;
            // What is numbered higher was committed since, and is seen next.
            let counted = page.iter().filter(|entry| entry.seq <= feed.seq);
            for entry in counted.filter(|entry| entry.until_s > now) {
                *counts.entry(entry.kind.as_str()).or_insert(0) += 1;
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize && last.seq < feed.seq => {
                    after = last.seq
                }
                _ => break,
            }
        }
        self.behind = true;
        self.place = Some((feed.epoch.clone(), feed.seq));
        Ok(Seen::Snapshot {
            epoch: feed.epoch,
            seq: feed.seq,
            counts,
        })
    }
}
