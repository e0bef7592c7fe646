//! Which process does what only one should do.

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND = "SELECT holder, beat FROM leases WHERE name = $1";
    INSERT = "INSERT INTO leases (name, holder, beat) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    UPDATE = "UPDATE leases SET holder = $1, beat = $2 WHERE name = $3 AND holder = $4 AND beat = $5";
    DELETE = "DELETE FROM leases WHERE name = $1 AND holder = $2";
}

/// Who has a lease, and how often it was renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Names a process.
    pub holder: [u8; 16],
    /// Rises with each renewal: a lease whose number stands still is that of a process which is gone.
    pub beat: i64,
}

impl Store {
    /// The lease of this name, if anybody has it.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_lease(&self, name: &str) -> Result<Option<Lease>, Error> {
        let read = |row: &Row<'_>| {
            Ok(Lease {
                holder: row.array(0)?,
                beat: row.int(1)?,
            })
        };
        self.find(FIND, &[name.to_owned().into()], read).await
    }
}

impl Batch {
    /// Puts a lease in the place of the one that was read, or of none. Compare-and-set.
    pub fn replace_lease(
        &mut self,
        name: &str,
        former: Option<&Lease>,
        lease: &Lease,
    ) -> &mut Self {
        let (name, holder, beat) = (name.to_owned().into(), lease.holder.into(), lease.beat);
        match former {
            None => self.push(INSERT, Expect::One, [name, holder, beat.into()]),
            Some(former) => self.push(
                UPDATE,
                Expect::One,
                [
                    holder,
                    beat.into(),
                    name,
                    former.holder.into(),
                    former.beat.into(),
                ],
            ),
        }
    }

    /// Gives a lease up, if it is still this holder's.
    pub fn release_lease(&mut self, name: &str, holder: [u8; 16]) -> &mut Self {
        let values = [name.to_owned().into(), holder.into()];
        self.push(DELETE, Expect::Any, values)
    }
}
