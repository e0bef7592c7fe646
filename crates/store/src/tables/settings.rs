use crate::statement::{Expect, statements};
use crate::{Batch, Error, Store};

statements! {
    FIND = "SELECT value FROM settings WHERE name = $1";
    PUT =
        "INSERT INTO settings (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    INSERT_ONCE = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
}

impl Store {
    /// The value kept under a name.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_setting(&self, name: &str) -> Result<Option<String>, Error> {
        self.find(FIND, &[name.to_owned().into()], |row| row.text(0))
            .await
    }
}

/// Each of these tells other processes to load the settings again: see [`Store::changed`].
impl Batch {
    /// Keeps a value under a name, in the place of a former one.
    pub fn put_setting(&mut self, name: &str, value: &str) -> &mut Self {
        self.push(
            PUT,
            Expect::One,
            [name.to_owned().into(), value.to_owned().into()],
        );
        self.reloads()
    }

    /// Keeps a value under a name unless there is one: then the commit is good and the former value stays. Read
    /// it back to know.
    pub fn insert_setting_once(&mut self, name: &str, value: &str) -> &mut Self {
        self.push(
            INSERT_ONCE,
            Expect::Any,
            [name.to_owned().into(), value.to_owned().into()],
        );
        self.reloads()
    }
}
