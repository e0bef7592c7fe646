//! The clients that follow a feed which is not for everybody. Each is looked up once a heartbeat, however many streams it has:
//! they all wake together.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_domain::{Client, ClientId};
use tokio::sync::Mutex;

use crate::app::App;
use crate::flows::Error;

/// What was found since the last heartbeat.
#[derive(Default)]
pub struct Clients(Mutex<Found>);

#[derive(Default)]
struct Found {
    /// How many heartbeats there had been.
    beats: u64,
    clients: HashMap<ClientId, Option<Arc<Client>>>,
}

impl Clients {
    /// Whether a client is stored as it was when it was let in, looked up after so many heartbeats or later.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn is_as_it_was(
        &self,
        app: &App,
        client: &Client,
        beats: u64,
    ) -> Result<bool, Error> {
        let mut found = self.0.lock().await;
        if found.beats < beats {
            found.beats = beats;
            found.clients.clear();
        }
        let stored = match found.clients.get(&client.id) {
            Some(stored) => stored.clone(),
            None => {
                let stored = app.store.find_client(&client.id).await?;
                found.clients.insert(client.id.clone(), stored.clone());
                stored
            }
        };
        // All of it: one that was deleted and made again has the same id, and may have the same version.
        Ok(stored.is_some_and(|stored| *stored == *client))
    }
}
