//! What nodes tell each other by Redis or Valkey (`cache.url`): what they have counted of guessing, and that there is something to
//! look at.
//!
//! 1. Each node publishes what it has counted, many things at once, to one channel. They are keyed digests: neither account nor
//!    address can be read from them.
//! 2. Each adds what others have counted to its own table. Nobody waits for that: what is lost, or comes late, gives somebody who
//!    guesses at several nodes a few attempts more, and nothing else.
//! 3. A revocation that was committed is told as well: where PostgreSQL does not notify, the others look at once.
//! 4. Each hears itself too. Who has heard nothing for a while connects anew.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::flows::{Error, audit_id};
use crate::throttle::Counted;

/// What waits to be told; beyond it is forgotten.
const QUEUE: usize = 4096;
/// The most that one message tells.
const MOST: usize = 512;
/// How often a node that has nothing to tell is heard nevertheless, and after what silence it connects anew.
const BEAT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(15);
/// How long to wait for Redis, and between two attempts.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);
/// The label of the key under which nodes know the same counter.
const LABEL: &str = "throttle";
/// The length of a node's name, with which each message begins.
const NAME: usize = 16;

/// Something that other nodes are to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A revocation was committed.
    Look,
    /// An attempt was counted.
    Counted(Counted),
}

impl Told {
    const BYTES: usize = Counted::BYTES;

    fn write(self, message: &mut Vec<u8>) {
        match self {
            Self::Look => message.extend([0; Self::BYTES]),
            Self::Counted(counted) => message.extend(counted.to_bytes()),
        }
    }

    /// Nothing where it is of a version that this one does not know.
    fn read(bytes: &[u8]) -> Option<Self> {
        match bytes.iter().all(|byte| *byte == 0) {
            true => Some(Self::Look),
            false => Counted::from_bytes(bytes).map(Self::Counted),
        }
    }
}

/// Where what this node has to tell goes.
#[derive(Debug, Clone)]
pub struct Voice(mpsc::Sender<Told>);

impl Voice {
    /// One that is heard at the other end.
    pub fn new(told: mpsc::Sender<Told>) -> Self {
        Self(told)
    }

    /// Tells it, unless too much waits already.
    pub fn tell(&self, told: Told) {
        let _forgotten = self.0.try_send(told);
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
    let key = app.issuance()?.master.subkey(LABEL);
    let key = key.map_err(|error| Error::fault("cache.url")(error.into()))?;
    let mut seed = [0; 16];
    seed.copy_from_slice(&key[..16]);
    let (voice, told) = mpsc::channel(QUEUE);
    let voice = Voice::new(voice);
    app.throttle.share(seed, voice.clone());
    let _set_once = app.voice.set(voice);
    // Installations that share a Redis do not hear each other.
    let place = digest(&SHA256, &key[..]);
    let talk = Talk {
        client,
        channel: format!(
            "symbolon:{}",
            symbolon_token::encoding::encode(&place.as_ref()[..12])
        ),
        name: *audit_id(app, app.clock.now())?.as_bytes(),
    };
    let app = Arc::clone(app);
    Ok(Some(async move {
        tokio::join!(talk.publish(told), talk.listen(&app));
    }))
}

struct Talk {
    client: redis::Client,
    channel: String,
    name: [u8; NAME],
}

impl Talk {
    /// Step 1.
    async fn publish(&self, mut told: mpsc::Receiver<Told>) {
        let mut connection = None;
        let mut batch = Vec::new();
        loop {
            batch.clear();
            // Nothing is told where there is nothing, save that this node is there.
            let _waited = timeout(BEAT, told.recv_many(&mut batch, MOST)).await;
            let mut message = self.name.to_vec();
            for one in &batch {
                one.write(&mut message);
            }
            if let Err(error) = self.send(&mut connection, &message).await {
                tracing::debug!(%error, "other nodes are not told; trying again");
                connection = None;
                sleep(PAUSE).await;
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
        let mut is_failing = false;
        loop {
            if let Err(error) = self.hear(app, &mut is_failing).await
                && !std::mem::replace(&mut is_failing, true)
            {
                tracing::warn!(%error, "Redis does not answer: each node counts for itself until it does");
            }
            sleep(PAUSE).await;
        }
    }

    async fn hear(&self, app: &App, is_failing: &mut bool) -> redis::RedisResult<()> {
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
            *is_failing = false;
            self.apply(app, message.get_payload_bytes());
        }
    }

    fn apply(&self, app: &App, message: &[u8]) {
        let Some((name, told)) = message.split_at_checked(NAME) else {
            return;
        };
        if name == self.name {
            return;
        }
        let now = app.clock.now();
        for one in told.chunks_exact(Told::BYTES).filter_map(Told::read) {
            match one {
                Told::Counted(counted) => app.throttle.hear(counted, now),
                Told::Look => {
                    if let Ok(issuance) = app.issuance() {
                        issuance.feed.committed();
                    }
                }
            }
        }
    }
}
