//! The revocation feed for those who read it (CONTRACT section 3.4).
//!
//! 1. The reader takes its place at the end of what was published, before anything is read from the store: what is
//!    published from now on comes by the stream.
//! 2. A point that it names is one to go on from when it is of this epoch and not from the future.
//! 3. What lies between that point (or the beginning) and its place comes from the store, a page at a time, as fast as
//!    its connection takes it. Pages are read one at a time in the whole process: whoever asks for the whole feed
//!    again and again takes no more than one reader's work from the others.
//! 4. Then the published blocks. A reader that falls too far behind gets a new place and goes through step 3 again.
//! 5. Where only clients read, each heartbeat has them looked up again, and the streams of one that was changed or deleted end: it
//!    is asked anew who it is.

mod clients;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use symbolon_domain::oauth::Parameters;
use symbolon_domain::revocation::Entry;
use symbolon_domain::{Client, ClientId, Grant, Refusal};

pub use self::clients::FollowingClients;
use super::oauth::{Credentials, Failed, authenticate};
use super::{Error, Origin, overloaded};
use crate::app::App;
use crate::config::FeedAccess;
use crate::feed::{Follower, Hub, Place, Point, Read, Stream, head, heartbeat, item, revocation};

/// Revocations read at once: some 20 KB of text, which is what a reader that does not read costs.
const PAGE: u32 = 128;

/// A publisher that could not read the store for longer has nothing to say to who comes: a heartbeat's time.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

/// The list of revocations as JSON, piece by piece.
pub struct List {
    /// Counted as a stream is: a reader that does not read costs as much.
    _reader: Stream,
    pages: Pages,
    place: Place,
    next: Piece,
}

/// The stream of revocations as events, piece by piece.
pub struct Follow {
    pages: Pages,
    /// Who was let in; nothing where everybody may read.
    client: Option<Arc<Client>>,
    /// The heartbeats until the last look at it.
    beats: u64,
    place: Place,
    stream: Stream,
    next: Step,
}

enum Piece {
    Head,
    Entries { first: bool },
    End,
}

enum Step {
    Snapshot(Piece),
    CatchUp,
    Follow,
}

/// Who was let in.
pub struct Reader {
    /// As far as it is known.
    address: Option<IpAddr>,
    /// Nothing where everybody may read.
    client: Option<Arc<Client>>,
}

/// Lets in who may read with these credentials: everybody, or, where the owner wants it so, a client that acts for itself
/// and shows its secret by HTTP Basic (RFC 6749 section 2.3.1). Those that registered themselves, or describe themselves in a
/// document, do not act for themselves.
///
/// # Errors
/// `invalid_credentials`, or a fault of the store.
pub async fn admit(
    app: &App,
    basic: Option<(&str, &str)>,
    origin: &Origin,
) -> Result<Reader, Error> {
    let address = origin.address;
    if app.config.feed.access == FeedAccess::Public {
        let client = None;
        return Ok(Reader { address, client });
    }
    // Nothing is fetched for who cannot be let in.
    let is_kept = |(id, _): &(&str, &str)| ClientId::parse(id).is_ok_and(|id| !id.is_document());
    let credentials = Credentials {
        basic: basic.filter(is_kept),
        parameters: &Parameters::default(),
    };
    match authenticate(app, &credentials, origin).await {
        Ok(client) if client.definition.grants.contains(&Grant::ClientCredentials) => Ok(Reader {
            address,
            client: Some(client),
        }),
        Err(Failed::Other(error)) => Err(error),
        _ => Err(Refusal::InvalidClient.into()),
    }
}

/// Where the feed stands, as `EPOCH:SEQ`.
///
/// # Errors
/// `overloaded` where that is not known, or a fault when the keys are not open.
pub async fn point(app: &App) -> Result<String, Error> {
    Ok(stored(app).await?.to_string())
}

/// Where it stands in the store: what was committed is there before it is published.
async fn stored(app: &App) -> Result<Place, Error> {
    let feed = app.store.feed().await?;
    Ok(Place::at(&feed.epoch, feed.seq))
}

/// The feed, unless it is cut off from the store: a reader would take what it says for all that there is.
fn current(app: &App) -> Result<&Arc<Hub>, Error> {
    let hub = &app.issuance()?.feed;
    if hub.silence() > LONGEST_SILENCE {
        return Err(overloaded().into());
    }
    Ok(hub)
}

/// Lists the live revocations, those after `since` only if it can be gone on from.
///
/// # Errors
/// `overloaded` when too many read already or the store is not followed, or a fault of the store.
pub async fn list(app: &Arc<App>, since: Option<Point>, by: Reader) -> Result<List, Error> {
    let hub = &app.issuance()?.feed;
    let reader = hub.open(by.address).ok_or_else(overloaded)?;
    let place = stored(app).await?;
    let after = resume(app, &place, since).await?;
    Ok(List {
        _reader: reader,
        pages: Pages::new(app, after.unwrap_or(0), &place),
        place,
        next: Piece::Head,
    })
}

/// Follows the feed, from `since` on if it can be gone on from.
///
/// # Errors
/// `overloaded` when too many follow it already or the store is not followed, or a fault of the store.
pub async fn follow(app: &Arc<App>, since: Option<Point>, by: Reader) -> Result<Follow, Error> {
    let hub = current(app)?;
    let mut stream = hub.open(by.address).ok_or_else(overloaded)?;
    let place = hub.place();
    stream.follows(&place);
    let after = resume(app, &place, since).await?;
    Ok(Follow {
        pages: Pages::new(app, after.unwrap_or(0), &place),
        client: by.client,
        beats: stream.beats(),
        place,
        stream,
        next: match after {
            Some(_) => Step::CatchUp,
            None => Step::Snapshot(Piece::Head),
        },
    })
}

/// Step 2: the number to go on from.
async fn resume(app: &App, place: &Place, since: Option<Point>) -> Result<Option<i64>, Error> {
    let Some(since) = since.filter(|since| since.epoch == place.epoch()) else {
        return Ok(None);
    };
    // Another node may have published what this one is about to.
    let known = since.seq <= place.seq() || since.seq <= app.store.feed().await?.seq;
    Ok(known.then_some(since.seq))
}

/// Who follows the feed of this process.
pub struct Followers {
    /// Whoever lags most first.
    pub told: Vec<Follower>,
    /// How many there are in all.
    pub count: usize,
    /// The number of the last revocation that was published.
    pub seq: i64,
    /// For how long the publisher has not been able to read the store.
    pub silence: Duration,
}

/// Who follows the feed of this process: at most `most` of them are told.
///
/// # Errors
/// A fault when the keys are not open.
pub fn followers(app: &App, most: usize) -> Result<Followers, Error> {
    let hub = &app.issuance()?.feed;
    let (told, count) = hub.followers(most);
    Ok(Followers {
        told,
        count,
        seq: hub.place().seq(),
        silence: hub.silence(),
    })
}

impl List {
    /// Where the list stands, as `EPOCH:SEQ`.
    #[must_use]
    pub fn point(&self) -> String {
        self.place.to_string()
    }

    /// The next piece, `None` at the end.
    ///
    /// # Errors
    /// A fault of the store: the text stays unfinished, and its reader sees that.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = json(&mut self.next, &mut self.pages, &self.place).await?;
        Ok(piece.map(Bytes::from))
    }
}

impl Follow {
    /// The next piece, as soon as there is one; `None` when the stream is over.
    ///
    /// # Errors
    /// A fault of the store: the stream breaks off, and its reader comes back.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(client) = self.client.clone()
            && !Box::pin(self.may_go_on(&client)).await?
        {
            return Ok(None);
        }
        loop {
            match &mut self.next {
                Step::Snapshot(piece) => {
                    let begins = matches!(piece, Piece::Head);
                    let Some(text) = json(piece, &mut self.pages, &self.place).await? else {
                        self.next = Step::Follow;
                        return Ok(Some(format!("\n{}", self.heartbeat()).into()));
                    };
                    let place = &self.place;
                    return Ok(Some(match begins {
                        true => format!("event: snapshot\nid: {place}\ndata: {text}\n").into(),
                        false => format!("data: {text}\n").into(),
                    }));
                }
                Step::CatchUp => {
                    let Some(page) = Box::pin(self.pages.next()).await? else {
                        self.next = Step::Follow;
                        return Ok(Some(self.heartbeat().into()));
                    };
                    let mut events = String::with_capacity(page.len() * 192);
                    for entry in &page {
                        revocation(&mut events, self.place.epoch(), entry);
                    }
                    return Ok(Some(events.into()));
                }
                Step::Follow => match self.stream.read(&mut self.place) {
                    Read::Events(events) => return Ok(Some(events)),
                    Read::Nothing => self.stream.wait().await,
                    Read::Behind(place) => {
                        self.pages = Pages::new(&self.pages.app, self.place.seq(), &place);
                        self.place = place;
                        self.next = Step::CatchUp;
                    }
                    Read::Over => return Ok(None),
                },
            }
        }
    }

    /// Step 5.
    async fn may_go_on(&mut self, client: &Client) -> Result<bool, Error> {
        let beats = self.stream.beats();
        if std::mem::replace(&mut self.beats, beats) == beats {
            return Ok(true);
        }
        let app = &self.pages.app;
        let clients = &app.issuance()?.feed_clients;
        Ok(clients.is_as_it_was(app, client, beats).await)
    }

    fn heartbeat(&self) -> String {
        heartbeat(self.pages.app.clock.now(), self.place.seq())
    }
}

/// The next piece of the list's text; `None` after the last.
async fn json(next: &mut Piece, pages: &mut Pages, place: &Place) -> Result<Option<String>, Error> {
    match next {
        Piece::Head => {
            *next = Piece::Entries { first: true };
            Ok(Some(head(place, pages.app.clock.now())))
        }
        Piece::Entries { first } => {
            // Boxed, for a stream that only follows would keep room for it.
            let Some(page) = Box::pin(pages.next()).await? else {
                *next = Piece::End;
                return Ok(Some("]}".to_owned()));
            };
            let mut text = String::with_capacity(page.len() * 160);
            for entry in &page {
                if !std::mem::take(first) {
                    text.push(',');
                }
                item(&mut text, entry);
            }
            Ok(Some(text))
        }
        Piece::End => Ok(None),
    }
}

/// Step 3: the stored revocations after one number, up to another.
struct Pages {
    app: Arc<App>,
    after: i64,
    last: i64,
}

impl Pages {
    fn new(app: &Arc<App>, after: i64, place: &Place) -> Self {
        Self {
            app: Arc::clone(app),
            after,
            last: place.seq(),
        }
    }

    /// The next page, which is not empty; `None` when there is no more.
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        if self.after >= self.last {
            return Ok(None);
        }
        let issuance = self.app.issuance()?;
        // The semaphore is never closed; were it, pages would be read side by side.
        let turn = issuance.feed_pages.acquire().await;
        let mut page = self.app.store.list_revocations(self.after, PAGE).await?;
        drop(turn);
        // What is numbered higher comes by the stream.
        page.retain(|entry| entry.seq <= self.last);
        self.after = match page.last() {
            Some(last) => last.seq,
            None => self.last,
        };
        Ok((!page.is_empty()).then_some(page))
    }
}
