//! Hearing at once of what another process commits: `LISTEN` and `NOTIFY`.
//!
//! A notification says only that there is something to look at, never what: one that is lost, or comes twice, or that a
//! server or a pooler between does not pass on, costs time until the next look and nothing else.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_postgres::AsyncMessage;

use super::open::Target;

pub(super) const NOTIFY: &str = "NOTIFY symbolon";
pub(super) const NOTIFY_AND_COMMIT: &str = "NOTIFY symbolon; COMMIT";
const LISTEN: &str = "LISTEN symbolon; NOTIFY symbolon";
/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection of its own that listens, for as long as this lives.
pub(super) struct Signals {
    heard: Arc<Heard>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    any: Notify,
    /// Whether a notification has come through on the connection that there is.
    live: AtomicBool,
}

impl Signals {
    pub(super) fn start(target: Target) -> Self {
        let heard = Arc::new(Heard::default());
        let hearing = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            loop {
                if let Err(error) = listen(&target, &hearing).await {
                    tracing::debug!(%error, "PostgreSQL does not notify; trying again");
                }
                // What was said meanwhile is gone: it is to be looked at.
                hearing.live.store(false, Ordering::Relaxed);
                hearing.any.notify_one();
                sleep(PAUSE).await;
            }
        });
        Self { heard, task }
    }

    pub(super) fn are_heard(&self) -> bool {
        self.heard.live.load(Ordering::Relaxed)
    }

    /// Waits for the next, or for one that has come since the last wait.
    pub(super) async fn next(&self) {
        self.heard.any.notified().await;
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens until the connection ends.
async fn listen(target: &Target, heard: &Heard) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = target.config.connect(target.secure.clone()).await?;
    let hear = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                heard.live.store(true, Ordering::Relaxed);
                heard.any.notify_one();
            }
        }
        Ok(())
    };
    let ask = async {
        client.batch_execute(LISTEN).await?;
        // The connection ends with its client, which must stay.
        std::future::pending().await
    };
    tokio::select! {
        ended = hear => ended,
        refused = ask => refused,
    }
}
