//! What nodes tell each other by Redis or Valkey (`cache.url`): what they have counted of guessing, and that there is something to
//! look at.
//!
//! 1. Each node publishes how attempts ended there, many things at once, to one channel. They are keyed digests: neither account nor
//!    address can be read from them. Each message bears a tag that only nodes can make ([`message`]).
//! 2. Each adds what others have counted to its own table. Nobody waits for that: what is lost, or comes late, gives somebody who
//!    guesses at several nodes a few attempts more, and nothing else.
//! 3. A revocation that was committed is told as well: where PostgreSQL does not notify, the others look at once.
//! 4. Each hears itself too. Who has heard nothing for a while connects anew.

mod message;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use futures_util::StreamExt;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

pub use self::message::Fact;
use self::message::{MOST, NAME, Reader, Writer};
use crate::app::App;
use crate::flows::{Error, audit_id};

/// What waits to be told; beyond it is forgotten.
const QUEUE: usize = 4096;
/// How often a node that has nothing to tell is heard nevertheless, and after what silence it connects anew.
const BEAT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(15);
/// How long to wait for Redis, and between two attempts.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);

/// Where what this node has to tell goes.
#[derive(Debug, Clone)]
pub struct Outlet(mpsc::Sender<Fact>);

impl Outlet {
    /// Tells it, unless too much waits already.
    pub fn tell(&self, fact: Fact) {
        let _forgotten = self.0.try_send(fact);
    }
}

/// Talks with the other nodes for as long as the process serves; returns at once where no Redis is named.
///
/// # Errors
/// A URL that cannot be read, or keys that are not open.
pub fn start(app: &Arc<App>) -> Result<Option<impl Future<Output = ()> + Send + 'static>, Error> {
    let Some(url) = &app.config.cache.url else {
        return Ok(None);
    };
    let client = redis::Client::open(url.expose().as_str());
    let client = client.map_err(|_| Error::fault("cache.url")("it cannot be read".into()))?;
    let master = &app.issuance()?.master;
    let subkey = |label| {
        let key = master.subkey(label);
        key.map_err(|error| Error::fault("the keys of nodes")(error.into()))
    };
    let (counters, tags) = (subkey("throttle")?, subkey("nodes")?);
    let mut seed = [0; 16];
    seed.copy_from_slice(&counters[..16]);
    let (tell, facts) = mpsc::channel(QUEUE);
    let outlet = Outlet(tell);
    let counted = outlet.clone();
    let share = move |one| counted.tell(Fact::Counted(one));
    app.throttle.share(seed, Box::new(share));
    let _set_once = app.outlet.set(outlet);
    // Installations that share a Redis do not hear each other.
    let place = digest(&SHA256, &counters[..]);
    let talk = Talk {
        client,
        channel: format!(
            "symbolon:{}",
            symbolon_token::encoding::encode(&place.as_ref()[..12])
        ),
        key: hmac::Key::new(hmac::HMAC_SHA256, tags.as_slice()),
        name: *audit_id(app, app.clock.now())?.as_bytes(),
        trouble: Trouble::default(),
    };
    let app = Arc::clone(app);
    Ok(Some(async move {
        tokio::join!(talk.publish(&app, facts), talk.listen(&app));
    }))
}

struct Talk {
    client: redis::Client,
    channel: String,
    key: hmac::Key,
    name: [u8; NAME],
    trouble: Trouble,
}

/// Who asks Redis.
#[derive(Clone, Copy)]
enum Side {
    Telling = 1,
    Hearing = 2,
}

/// Who was failed by Redis when it was last asked, so that it is said once: when the first of them was, and when none is any more.
#[derive(Default)]
struct Trouble(AtomicU8);

impl Trouble {
    fn begins(&self, side: Side, error: &redis::RedisError) {
        if self.0.fetch_or(side as u8, Ordering::Relaxed) == 0 {
            tracing::warn!(%error, "cache.url does not answer as it should (is that Redis running, are address, password and certificate right?): \
                 until it does, each node counts for itself");
        }
    }

    fn ends(&self, side: Side) {
        if self.0.fetch_and(!(side as u8), Ordering::Relaxed) == side as u8 {
            tracing::info!("cache.url answers again: nodes count together");
        }
    }
}

impl Talk {
    /// Step 1.
    async fn publish(&self, app: &App, mut facts: mpsc::Receiver<Fact>) {
        let mut writer = Writer::new(self.key.clone(), self.name);
        let mut connection = None;
        let mut batch = Vec::new();
        loop {
            batch.clear();
            // Nothing is told where there is nothing, save that this node is there.
            let _waited = timeout(BEAT, facts.recv_many(&mut batch, MOST)).await;
            let message = writer.write(&batch, app.clock.now());
            match self.send(&mut connection, &message).await {
                Ok(()) => self.trouble.ends(Side::Telling),
                Err(error) => {
                    self.trouble.begins(Side::Telling, &error);
                    connection = None;
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn send(
        &self,
        connection: &mut Option<MultiplexedConnection>,
        message: &[u8],
    ) -> redis::RedisResult<()> {
        let open = match connection {
            Some(open) => open,
            None => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE));
                let opened = self
                    .client
                    .get_multiplexed_async_connection_with_config(&config);
                connection.insert(opened.await?)
            }
        };
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&self.channel).arg(message);
        publish.query_async(open).await
    }

    /// Steps 2 to 4.
    async fn listen(&self, app: &App) {
        let mut reader = Reader::new(self.key.clone(), self.name);
        loop {
            if let Err(error) = self.hear(app, &mut reader).await {
                self.trouble.begins(Side::Hearing, &error);
            }
            sleep(PAUSE).await;
        }
    }

    async fn hear(&self, app: &App, reader: &mut Reader) -> redis::RedisResult<()> {
        let late = |_| redis::RedisError::from((redis::ErrorKind::Io, "nothing was heard in time"));
        let subscribed = timeout(PATIENCE, async {
            let mut heard = self.client.get_async_pubsub().await?;
            heard.subscribe(&self.channel).await?;
            Ok::<_, redis::RedisError>(heard)
        });
        let mut heard = subscribed.await.map_err(late)??;
        let mut messages = heard.on_message();
        loop {
            let message = timeout(SILENCE, messages.next()).await.map_err(late)?;
            let Some(message) = message else {
                let closed = (redis::ErrorKind::Io, "the connection was closed");
                return Err(closed.into());
            };
            self.trouble.ends(Side::Hearing);
            apply(
                app,
                &reader.read(message.get_payload_bytes(), app.clock.now()),
            );
        }
    }
}

fn apply(app: &App, facts: &[Fact]) {
    let now = app.clock.now();
    for fact in facts {
        if let Fact::Counted(counted) = fact {
            app.throttle.hear(*counted, now);
        }
    }
    if facts.contains(&Fact::Revoked)
        && let Ok(issuance) = app.issuance()
    {
        issuance.feed.committed();
    }
}
