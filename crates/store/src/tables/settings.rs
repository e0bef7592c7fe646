use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND = "SELECT value FROM settings WHERE name = $1";
    PUT =
        "INSERT INTO settings (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    LIST = "SELECT name, value FROM settings WHERE name >= $1 AND name < $2 ORDER BY name";
    INSERT = "INSERT INTO settings (name, value) VALUES ($1, $2)";
    UPDATE = "UPDATE settings SET value = $1 WHERE name = $2 AND value = $3";
    DELETE = "DELETE FROM settings WHERE name = $1 AND value = $2";
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

    /// Every value whose name begins with `prefix`, which ends with a colon, by name.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_settings(&self, prefix: &str) -> Result<Vec<(String, String)>, Error> {
        // The character behind the colon: where the names that begin so end.
        let end = format!("{};", prefix.trim_end_matches(':'));
        let values = vec![prefix.to_owned().into(), end.into()];
        let read = |row: &Row<'_>| Ok((row.text(0)?, row.text(1)?));
        self.list(LIST, values, 0, read).await
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

    /// Puts a value, or none, in the place of the one that was read, or of none. Compare-and-set: the commit is
    /// [`Error::Stale`] if another value is there, [`Error::Conflict`] with `setting` if one is there and none was.
    pub fn replace_setting(
        &mut self,
        name: &str,
        former: Option<&str>,
        value: Option<&str>,
    ) -> &mut Self {
        let name = name.to_owned();
        match (former.map(str::to_owned), value.map(str::to_owned)) {
            (None, None) => return self,
            (None, Some(value)) => self.push(INSERT, Expect::One, [name.into(), value.into()]),
            (Some(former), Some(value)) => {
                let values = [value.into(), name.into(), former.into()];
                self.push(UPDATE, Expect::One, values)
            }
            (Some(former), None) => self.push(DELETE, Expect::One, [name.into(), former.into()]),
        };
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
