//! Pages of lists, and the cursors that lead from one to the next.
//!
//! A cursor is the position of a page's last row, as JSON, behind a MAC under a key derived from the master key. The MAC
//! covers the list, the filter and the order as well: a cursor that was made up, changed or taken elsewhere opens
//! nothing. It hides nothing either, for it holds only what stood on the page.

use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_domain::Refusal;
use symbolon_token::encoding;

use super::Error;
use crate::app::App;

/// The subkey of cursors.
const LABEL: &str = "cursor";
const TAG_BYTES: usize = 32;

/// Rows of a list, and the position of the last if there are more behind it.
pub struct Page<T, P> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; nothing where this was the last one.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// From one row more than the page has, where there is one: that tells whether another page follows.
    pub fn of(mut rows: Vec<T>, limit: u32, position: impl Fn(&T) -> P) -> Self {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self {
            next: rows.last().filter(|_| more).map(position),
            items: rows,
        }
    }

    /// The same page with its rows told otherwise.
    pub fn map<U>(self, tell: impl FnMut(T) -> U) -> Page<U, P> {
        Page {
            items: self.items.into_iter().map(tell).collect(),
            next: self.next,
        }
    }
}

/// What the cursors of a list are good for.
pub struct Bound(Vec<u8>);

impl Bound {
    /// To this list, filter and order.
    pub fn to<'a>(list: &str, chosen: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut bytes = Vec::new();
        // With their lengths, so that no two choices read the same.
        let mut add = |text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        add(list);
        for (name, value) in chosen {
            add(name);
            add(value);
        }
        Self(bytes)
    }

    /// The cursor of a position.
    ///
    /// # Errors
    /// A fault when the keys are not open.
    pub fn seal(&self, app: &App, position: &impl Serialize) -> Result<String, Error> {
        let mut bytes = serde_json::to_vec(position).map_err(|error| fault(error.into()))?;
        let master = &app.issuance()?.master;
        let tag = master.mac(LABEL, &self.whole(&bytes));
        let tag = tag.map_err(|error| fault(error.into()))?;
        bytes.extend_from_slice(&tag);
        Ok(encoding::encode(&bytes))
    }

    /// The position of a cursor.
    ///
    /// # Errors
    /// `malformed_request` for one that was not made here for this.
    pub fn open<P: DeserializeOwned>(&self, app: &App, cursor: &str) -> Result<P, Error> {
        let bytes = encoding::decode(cursor.as_bytes()).map_err(|_| not_ours())?;
        let split = bytes.len().checked_sub(TAG_BYTES).ok_or_else(not_ours)?;
        let (position, tag) = bytes.split_at(split);
        let master = &app.issuance()?.master;
        let ours = master.mac_is(LABEL, &self.whole(position), tag);
        if !ours.map_err(|error| fault(error.into()))? {
            return Err(not_ours().into());
        }
        // One of a version that had other positions.
        serde_json::from_slice(position).map_err(|_| not_ours().into())
    }

    /// What the MAC is over.
    fn whole(&self, position: &[u8]) -> Vec<u8> {
        let length = (position.len() as u64).to_be_bytes();
        [length.as_slice(), position, &self.0].concat()
    }
}

/// What a cursor is refused with that was not made here for this list, filter and order.
pub fn not_ours() -> Refusal {
    Refusal::MalformedRequest(
        "The parameter cursor is not one that this list gave with these parameters.".to_owned(),
    )
}

fn fault(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Fault {
        context: "cursor",
        source,
    }
}
