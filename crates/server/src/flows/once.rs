//! A creation that is asked for again with the same `Idempotency-Key` is done once
//! (draft-ietf-httpapi-idempotency-key-header, section 2).
//!
//! 1. Key and body are kept as MACs under keys derived from the master key, for a body may hold a password.
//! 2. What the first request made is noted in the same transaction, under a unique key: of two at once one makes it, and the
//!    other finds it.
//! 3. The answer is made anew from what was made. Nothing of the first answer is kept.

use std::time::Duration;

use symbolon_domain::{Problem, Refusal, Timestamp};
use symbolon_store::{Batch, Creation};

use super::Error;
use super::actor::Actor;
use crate::app::App;
use crate::sealing::SealError;

/// How long a key is remembered.
pub const LIFE: Duration = Duration::from_secs(24 * 3600);
const KEY: &str = "idempotency key";
const BODY: &str = "idempotency body";

/// A creation as it is asked for.
pub struct Asked<'a> {
    /// What is to be made, such as `user`.
    pub thing: &'static str,
    /// The key that the client chose.
    pub key: &'a str,
    /// The body of the request.
    pub body: &'a [u8],
}

/// A creation that is to happen once.
pub struct Once {
    key: [u8; 32],
    request: [u8; 32],
}

impl Once {
    /// Step 1. A key is good for one actor and one kind of thing.
    ///
    /// # Errors
    /// A fault when the keys are not open.
    pub fn of(app: &App, actor: Actor, asked: &Asked<'_>) -> Result<Self, Error> {
        let who = match actor {
            Actor::Operator => [0; 16],
            Actor::User(id) | Actor::Application(id) => *id.as_bytes(),
        };
        let length = (asked.thing.len() as u64).to_be_bytes();
        let text = [&length, asked.thing.as_bytes(), &who, asked.key.as_bytes()].concat();
        let master = &app.issuance()?.master;
        Ok(Self {
            key: master.mac(KEY, &text).map_err(fault)?,
            request: master.mac(BODY, asked.body).map_err(fault)?,
        })
    }

    /// The id of what was made under this key.
    ///
    /// # Errors
    /// `validation_failed` when it was used with another body, or a fault.
    pub async fn made(&self, app: &App) -> Result<Option<[u8; 16]>, Error> {
        let Some(found) = app.store.find_creation(self.key).await? else {
            return Ok(None);
        };
        if found.request != self.request {
            let reused = Problem::new(
                "idempotency_key_reused",
                "This Idempotency-Key was used with another body.",
            );
            return Err(Refusal::Validation(vec![reused.at("")]).into());
        }
        Ok(Some(found.made))
    }

    /// Step 2. To be called first of all, so that of two at once the later one fails for this.
    pub fn bind(&self, batch: &mut Batch, made: [u8; 16], now: Timestamp) {
        let creation = Creation {
            request: self.request,
            made,
        };
        batch.insert_creation(self.key, &creation, now);
    }
}

fn fault(error: SealError) -> Error {
    Error::Fault {
        context: "idempotency key",
        source: error.into(),
    }
}
