//! The clients that follow a feed which is not for everybody. Each is looked up once a heartbeat, however many streams it has:
//! they all wake together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_domain::{Client, ClientId};
use tokio::sync::OnceCell;

use crate::app::App;
use crate::jobs::Causes;

/// What was found since the last heartbeat.
#[derive(Default)]
pub struct FollowingClients(Mutex<Found>);

#[derive(Default)]
struct Found {
    /// How many heartbeats there had been.
    beats: u64,
    clients: HashMap<ClientId, Arc<OnceCell<Seen>>>,
}

enum Seen {
    Stored(Arc<Client>),
    Gone,
    /// The store did not say.
    Unknown,
}

impl FollowingClients {
    /// Whether a client is stored as it was when it was let in, looked up after so many heartbeats or later. Where the store does
    /// not say, it is until the next heartbeat: its stream has nothing to tell without the store.
    pub async fn is_as_it_was(&self, app: &App, client: &Client, beats: u64) -> bool {
        let cell = self.cell(&client.id, beats);
        match cell.get_or_init(|| look_up(app, &client.id)).await {
            // All of it: one that was deleted and made again has the same id, and may have the same version.
            Seen::Stored(stored) => **stored == *client,
            Seen::Gone => false,
            Seen::Unknown => true,
        }
    }

    /// Where the first who asks after so many heartbeats puts what it finds, and the others wait for that.
    fn cell(&self, id: &ClientId, beats: u64) -> Arc<OnceCell<Seen>> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if found.beats < beats {
            found.beats = beats;
            found.clients.clear();
        }
        Arc::clone(found.clients.entry(id.clone()).or_default())
    }
}

async fn look_up(app: &App, id: &ClientId) -> Seen {
    match app.store.find_client(id).await {
        Ok(Some(stored)) => Seen::Stored(stored),
        Ok(None) => Seen::Gone,
        Err(error) => {
            tracing::warn!(error = %Causes(&error), client = %id, "cannot look up who follows the feed");
            Seen::Unknown
        }
    }
}
