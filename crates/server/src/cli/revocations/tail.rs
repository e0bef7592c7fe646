//! `symbolon revocations tail`

use std::io::{ErrorKind, Write, stdout};
use std::time::Duration;

use clap::Args;
use reqwest::header::{ACCEPT, HeaderName};
use reqwest::{Client, Response, StatusCode};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::discovery::discover;
use super::super::fetch::{Credentials, refused_by_feed};
use super::super::output::Output;
use super::super::{Causes, Common, Failed, block_on};
use super::events::Events;
use super::shown::{Entry, Told};
use crate::feed::Point;
use crate::flows::revocations::{Follower, Seen};

/// How often the database is looked at; it costs a microsecond.
const LOOK: Duration = Duration::from_millis(100);
/// How many looks there are from one heartbeat to the next, which makes 5 seconds.
const LOOKS_A_HEARTBEAT: u32 = 50;
const CONNECT: Duration = Duration::from_secs(10);
/// Three heartbeats: a connection on which nothing comes for so long is dead.
const SILENCE: Duration = Duration::from_secs(15);
const SILENT: &str = "nothing came for 15 seconds";
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(in super::super) struct Tail {
    /// The issuer whose feed is followed [default: the database of this command]
    #[arg(long, value_name = "ISSUER")]
    url: Option<String>,
    /// The OAuth client that may read the feed, where not everybody may; its secret is asked for, or comes from standard input
    #[arg(long, value_name = "CLIENT_ID", requires = "url")]
    client: Option<String>,
    /// Go on from here, where the feed still can
    #[arg(long, value_name = "EPOCH:SEQ", allow_hyphen_values = true)]
    since: Option<String>,
    /// Print heartbeats too
    #[arg(long)]
    heartbeats: bool,
}

/// The address of a stream, and what is shown there.
type Source<'a> = (&'a str, Option<&'a Credentials>);

/// Why it ends.
enum End {
    /// Nobody reads any more, or the operator has seen enough.
    Enough,
    Failed(Failed),
}

impl<T: Into<Failed>> From<T> for End {
    fn from(failed: T) -> Self {
        Self::Failed(failed.into())
    }
}

impl Tail {
    pub(in super::super) fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let point = |text: &String| {
            text.parse::<Point>().map_err(|()| {
                Failed::said(
                    "bad_argument",
                    "--since takes a point such as dGhpcyBpcw:17",
                )
            })
        };
        let since = self.since.as_ref().map(point).transpose()?;
        let printer = Printer {
            output,
            heartbeats: self.heartbeats,
        };
        let stream = self.url.as_deref().map(discover).transpose()?;
        let shown = match (&self.client, &stream) {
            (Some(id), Some(endpoints)) => Some(Credentials::ask(id, &endpoints.stream)?),
            _ => None,
        };
        let ended = block_on(async {
            let follow = async {
                match stream {
                    Some(endpoints) => {
                        follow_server((&endpoints.stream, shown.as_ref()), since, &printer).await
                    }
                    None => follow_database(common, since, &printer).await,
                }
            };
            tokio::select! {
                end = follow => Ok(end),
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted?;
                    Ok(Err(End::Enough))
                }
            }
        })?;
        match ended {
            Ok(()) | Err(End::Enough) => Ok(()),
            Err(End::Failed(failed)) => Err(failed),
        }
    }
}

struct Printer<'a> {
    output: &'a Output,
    heartbeats: bool,
}

impl Printer<'_> {
    fn print(&self, told: &Told) -> Result<(), End> {
        if matches!(told, Told::Heartbeat { .. }) && !self.heartbeats {
            return Ok(());
        }
        let line = format!("{}\n", told.line(self.output));
        let mut out = stdout().lock();
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            // A reader such as `head` that has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(End::Enough),
            other => Ok(other?),
        }
    }
}

async fn follow_database(
    common: &Common,
    since: Option<Point>,
    printer: &Printer<'_>,
) -> Result<(), End> {
    let app = common.open().await?;
    let mut follower = Follower::new(since);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count: u32 = 0;
    loop {
        looks.tick().await;
        loop {
            let seen = follower.look(&app).await.map_err(Failed::from)?;
            if seen.is_empty() {
                break;
            }
            for seen in seen {
                printer.print(&told(seen))?;
            }
        }
        if count.is_multiple_of(LOOKS_A_HEARTBEAT) {
            printer.print(&Told::Heartbeat {
                now: app.clock.now().seconds(),
                seq: follower.seq(),
            })?;
        }
        count = count.wrapping_add(1);
    }
}

fn told(seen: Seen) -> Told {
    match seen {
        Seen::Snapshot { epoch, seq, counts } => Told::Snapshot {
            epoch,
            seq,
            entries: counts
                .into_iter()
                .map(|(kind, count)| (kind.to_owned(), count))
                .collect(),
        },
        Seen::Entry(entry) => Told::Revocation(Entry::from(&entry)),
    }
}

/// Follows the stream and comes back to it whenever it is lost. A server that cannot be reached at first is an error.
async fn follow_server(
    source: Source<'_>,
    since: Option<Point>,
    printer: &Printer<'_>,
) -> Result<(), End> {
    let cannot_fetch = |reason: String| Failed::said("cannot_fetch", reason);
    let client = Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| cannot_fetch(said(error)))?;
    let mut reader = Reader::new(since);
    let mut connected = connect(&client, source, reader.last_id()).await;
    if let Err(reason) = connected {
        return Err(cannot_fetch(reason).into());
    }
    let mut pause = FIRST_PAUSE;
    let mut complained = false;
    loop {
        let reason = match connected {
            Ok(mut response) => {
                let before = reader.heard;
                let reason = reader.follow(&mut response, printer).await?;
                if reader.heard > before {
                    (pause, complained) = (FIRST_PAUSE, false);
                }
                reason
            }
            Err(reason) => reason,
        };
        if !complained {
            let sentence = format!("the feed was lost and is tried again: {reason}");
            printer.output.failed("feed_lost", &sentence);
            complained = true;
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
        connected = connect(&client, source, reader.last_id()).await;
    }
}

async fn connect(
    client: &Client,
    (url, shown): Source<'_>,
    last_id: Option<&str>,
) -> Result<Response, String> {
    let mut request = client.get(url).header(ACCEPT, "text/event-stream");
    if let Some(id) = last_id {
        request = request.header(HeaderName::from_static("last-event-id"), id);
    }
    if let Some(credentials) = shown {
        request = credentials.show(request);
    }
    let answer = timeout(SILENCE, request.send());
    let response = answer.await.map_err(|_| SILENT)?.map_err(said)?;
    match response.status() {
        StatusCode::OK => Ok(response),
        status => Err(refused_by_feed(status)),
    }
}

fn said(error: reqwest::Error) -> String {
    Causes(&error.without_url()).to_string()
}

/// What was read of the stream, over all connections.
struct Reader {
    events: Events,
    /// The last number that was seen.
    seq: i64,
    /// How many events there were.
    heard: u64,
}

impl Reader {
    fn new(since: Option<Point>) -> Self {
        let id = since
            .as_ref()
            .map(|point| format!("{}:{}", point.epoch, point.seq));
        Self {
            events: Events::after(id),
            seq: since.map_or(0, |point| point.seq),
            heard: 0,
        }
    }

    fn last_id(&self) -> Option<&str> {
        self.events.last_id.as_deref()
    }

    /// Prints what comes on a connection until it is lost, and says why it was.
    async fn follow(
        &mut self,
        response: &mut Response,
        printer: &Printer<'_>,
    ) -> Result<String, End> {
        self.events.reset();
        loop {
            let piece = match timeout(SILENCE, response.chunk()).await {
                Err(_) => return Ok(SILENT.to_owned()),
                Ok(Err(error)) => return Ok(said(error)),
                Ok(Ok(None)) => return Ok("the server ended it".to_owned()),
                Ok(Ok(Some(piece))) => piece,
            };
            match self.events.read(&piece) {
                Ok(told) => {
                    for told in told {
                        if let Some(reason) = self.take(&told, printer)? {
                            return Ok(reason);
                        }
                    }
                }
                Err(reason) => {
                    // Who knows what it was: only a snapshot has it all.
                    self.events.last_id = None;
                    return Ok(reason);
                }
            }
        }
    }

    /// Prints what is new; a reason where something was lost before it.
    fn take(&mut self, told: &Told, printer: &Printer<'_>) -> Result<Option<String>, End> {
        match told {
            Told::Snapshot { seq, .. } => self.seq = *seq,
            Told::Revocation(entry) if entry.seq <= self.seq => return Ok(None),
            Told::Revocation(entry) => self.seq = entry.seq,
            Told::Heartbeat { seq, .. } if *seq > self.seq => {
                return Ok(Some("some of it did not come".to_owned()));
            }
            Told::Heartbeat { .. } => {}
        }
        self.heard += 1;
        printer.print(told)?;
        Ok(None)
    }
}
