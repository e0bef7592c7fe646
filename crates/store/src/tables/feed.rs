use symbolon_domain::revocation::{Effect, Entry, Kind, Revocation};

use crate::sqlite::Recent;
use crate::statement::{Expect, Statement, statements};
use crate::value::Row;
use crate::{Batch, Error, Store, Watch};

statements! {
    FIND =
        "SELECT feed.seq, kind, key, effect, below, before_s, until_s, epoch, reloads \
         FROM feed LEFT JOIN revocations ON revocations.seq = feed.seq WHERE feed.id = 1";
    LIST =
        "SELECT seq, kind, key, effect, below, before_s, until_s FROM revocations WHERE seq > $1 \
         ORDER BY seq LIMIT $2";
    LATEST =
        "SELECT seq, kind, key, effect, below, before_s, until_s FROM revocations WHERE seq < $1 \
         ORDER BY seq DESC LIMIT $2";
    BEGIN = "UPDATE feed SET epoch = $1, reloads = reloads + 1 WHERE id = 1 AND epoch = ''";
    RENEW = "UPDATE feed SET epoch = $1, reloads = reloads + 1 WHERE id = 1";
    RELOAD = "UPDATE feed SET reloads = reloads + 1 WHERE id = 1";
    COUNT_UP = "UPDATE feed SET seq = seq + 1 WHERE id = 1";
    INSERT =
        "INSERT INTO revocations (seq, kind, key, effect, below, before_s, until_s) \
         VALUES ((SELECT seq FROM feed WHERE id = 1), $1, $2, $3, $4, $5, $6)";
    PURGE =
        "DELETE FROM revocations WHERE seq IN \
         (SELECT seq FROM revocations WHERE until_s <= $1 ORDER BY until_s LIMIT $2)";
}

/// Where the feed of revocations stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Names this run of numbers; empty until [`Batch::begin_feed`].
    pub epoch: String,
    /// The number of the last revocation.
    pub seq: i64,
    /// Rises with every change of keys and settings.
    pub reloads: i64,
    /// The last revocation, as long as it is kept: a database that has lost it may give its number again.
    pub last: Option<Entry>,
}

impl Store {
    /// Where the feed stands.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn feed(&self) -> Result<Feed, Error> {
        let found = self.find(FIND, &[], read_feed).await?;
        found.ok_or_else(|| Error::fault("the feed's row is gone"))
    }

    /// The revocations after number `since` in their order, which is that of their commits: once one was read,
    /// no lower one appears.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_revocations(&self, since: i64, limit: u32) -> Result<Vec<Entry>, Error> {
        self.list(
            LIST,
            vec![since.into(), i64::from(limit).into()],
            limit,
            read_entry,
        )
        .await
    }

    /// The revocations before number `before`, the latest first: for people who look at them.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_latest_revocations(
        &self,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, Error> {
        let values = vec![before.into(), i64::from(limit).into()];
        self.list(LATEST, values, limit, read_entry).await
    }

    /// Deletes up to `limit` revocations that no token can be hit by at `now_s` (seconds since 1970), and returns
    /// how many there were: fewer than `limit` means that none is left.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_revocations(&self, now_s: i64, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![now_s.into(), i64::from(limit).into()])
            .await
    }

    /// Whether anyone, in this process or another, has committed a revocation or changed a key or a setting since
    /// the same `watch` was asked last; `true` the first time. On an embedded database in which nothing was
    /// written it costs about a microsecond, so that it can be asked a hundred times a second.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`]; the watch is as before.
    pub async fn changed(&self, watch: &mut Watch) -> Result<bool, Error> {
        let version = self.data_version()?;
        if version.is_some() && version == watch.version {
            return Ok(false);
        }
        self.follow_move().await?;
        let feed = self.feed().await?;
        self.with_recent(Recent::forget);
        // The version first, so that what is written in between is seen the next time.
        watch.version = version;
        let changed = watch.feed.as_ref() != Some(&feed);
        watch.feed = Some(feed);
        Ok(changed)
    }
}

impl Batch {
    /// Adds a revocation to the feed. Its number is given at the end of the batch, under the lock of the feed's
    /// row, so that the order of numbers is that of commits on both engines.
    pub fn insert_revocation(&mut self, revocation: &Revocation) -> &mut Self {
        let entry = revocation.entry(0);
        self.push_last(COUNT_UP, Expect::One, []);
        self.push_last(
            INSERT,
            Expect::One,
            [
                entry.kind.as_str().into(),
                entry.key.into(),
                entry.effect.as_str().into(),
                entry.below.into(),
                entry.before.into(),
                entry.until_s.into(),
            ],
        )
    }

    /// Names the feed's epoch, if it has none yet. Read it back to know.
    pub fn begin_feed(&mut self, epoch: &str) -> &mut Self {
        self.push_last(BEGIN, Expect::Any, [epoch.to_owned().into()])
    }

    /// Begins another epoch: after a backup was restored, guards must not go on from where they were.
    pub fn renew_feed(&mut self, epoch: &str) -> &mut Self {
        self.push_last(RENEW, Expect::One, [epoch.to_owned().into()])
    }
}

/// Tells other processes to load again what they hold in memory. Last in a batch, as everything that locks the
/// feed's row.
pub(crate) fn reload() -> Statement {
    Statement {
        text: RELOAD,
        values: Vec::new(),
        expect: Expect::One,
    }
}

/// Whether other processes are to look at the feed once it is committed.
pub(crate) fn is_signal(statement: &Statement) -> bool {
    [COUNT_UP, BEGIN, RENEW, RELOAD].contains(&statement.text)
}

fn read_feed(row: &Row<'_>) -> Result<Feed, Error> {
    Ok(Feed {
        epoch: row.text(7)?,
        seq: row.int(0)?,
        reloads: row.int(8)?,
        // One that is not kept any more, or that a newer version wrote, says nothing.
        last: read_entry(row).ok(),
    })
}

fn read_entry(row: &Row<'_>) -> Result<Entry, Error> {
    Ok(Entry {
        seq: row.int(0)?,
        kind: row.parsed(1, str::parse::<Kind>)?,
        key: row.array(2)?,
        effect: row.parsed(3, str::parse::<Effect>)?,
        below: row.int_or_none(4)?,
        before: row.int_or_none(5)?,
        until_s: row.int(6)?,
    })
}
