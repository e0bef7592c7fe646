//! The clients that follow a feed which is not for everybody. Each is looked up once a heartbeat, however many streams it has:
//! they all wake together.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_domain::{Client, ClientId};
use tokio::sync::Mutex;

use crate::app::App;
use crate::jobs::Causes;

/// What was found since the last heartbeat.
#[derive(Default)]
pub struct Clients(Mutex<Found>);

#[derive(Default)]
struct Found {
    /// How many heartbeats there had been.
    beats: u64,
    clients: HashMap<ClientId, Seen>,
}

#[derive(Clone)]
enum Seen {
    Stored(Arc<Client>),
    Gone,
    /// The store did not say.
    Unknown,
}

impl Clients {
    /// Whether a client is stored as it was when it was let in, looked up after so many heartbeats or later. Where the store does
    /// not say, it is until the next heartbeat: its stream has nothing to tell without the store.
    pub async fn is_as_it_was(&self, app: &App, client: &Client, beats: u64) -> bool {
        let mut found = self.0.lock().await;
        if found.beats < beats {
            found.beats = beats;
            found.clients.clear();
        }
        let seen = match found.clients.get(&client.id) {
            Some(seen) => seen.clone(),
            None => {
                let seen = look_up(app, &client.id).await;
                found.clients.insert(client.id.clone(), seen.clone());
                seen
            }
        };
        match seen {
            // All of it: one that was deleted and made again has the same id, and may have the same version.
            Seen::Stored(stored) => *stored == *client,
            Seen::Gone => false,
            Seen::Unknown => true,
        }
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
