//! The PostgreSQL database of a move: one connection, which keeps others from moving into the same one.

use deadpool_postgres::Object;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::MoveError;
use super::cell::{Bound, Cell, Line, bound, bound_column};
use super::embedded::{Chunk, is_mark};
use super::shape::{Table, listed, quoted};
use crate::marks::{MOVED_TO, MOVING_FROM, PUT_ASIDE};
use crate::postgres::Postgres;
use crate::{DatabaseUrl, OpenOptions};

/// `SymbMove` in bytes: the advisory lock of a move.
const LOCK: i64 = 0x5379_6d62_4d6f_7665;
/// Tables of the first step, one of which holds something in every database that was ever used.
const USED: [&str; 4] = ["users", "settings", "keys", "audit"];
/// A move takes longer than any request.
const PATIENT: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

pub(super) struct Server {
    pub(super) client: Object,
    pub(super) postgres: Postgres,
    /// Hosts and database, without credentials.
    pub(super) name: String,
}

impl Server {
    /// Connects. Its tables may be missing.
    pub(super) async fn connect(url: &str, connections: usize) -> Result<Self, MoveError> {
        let options = OpenOptions {
            connections,
            ..OpenOptions::default()
        };
        Self::of(Postgres::open(url, &options).await?, url).await
    }

    /// Takes one of its connections for good.
    pub(super) async fn of(postgres: Postgres, url: &str) -> Result<Self, MoveError> {
        let client = postgres.client().await?;
        client.batch_execute(PATIENT).await?;
        let name = DatabaseUrl::Postgres(url.to_owned()).to_string();
        let row = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK])
            .await?;
        if !row.try_get::<_, bool>(0)? {
            return Err(MoveError::UnderWay(name));
        }
        Ok(Self {
            client,
            postgres,
            name,
        })
    }

    /// Whether nothing was ever kept in it, or nothing but what an interrupted move of `source` brought.
    pub(super) async fn is_free_for(&self, source: &str) -> Result<bool, MoveError> {
        if self.postgres.applied().await?.is_empty() {
            let text = "SELECT EXISTS (SELECT 1 FROM pg_class c WHERE relnamespace = current_schema()::regnamespace \
                 AND relkind IN ('r', 'p', 'v', 'm', 'f') \
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))";
            let row = self.client.query_one(text, &[]).await?;
            return Ok(!row.try_get::<_, bool>(0)?);
        }
        let mark = "SELECT value FROM settings WHERE name = $1";
        let found = self.client.query_opt(mark, &[&MOVING_FROM]).await?;
        if let Some(row) = found {
            return Ok(row.try_get::<_, String>(0)? == source);
        }
        if self.moved_to().await?.is_some() {
            return Ok(false);
        }
        let used: Vec<_> = USED
            .iter()
            .map(|table| format!("EXISTS (SELECT 1 FROM {table})"))
            .collect();
        let row = self
            .client
            .query_one(&format!("SELECT {}", used.join(" OR ")), &[])
            .await?;
        Ok(!row.try_get::<_, bool>(0)?)
    }

    /// Empties the tables and says for whom; where nobody has begun to use them since they were looked at.
    pub(super) async fn prepare(&self, tables: &[Table], source: &str) -> Result<(), MoveError> {
        let names = listed(tables.iter(), |table| quoted(&table.name));
        let lock = format!("BEGIN; LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE");
        self.client.batch_execute(&lock).await?;
        if !self.is_free_for(source).await? {
            self.client.batch_execute("ROLLBACK").await?;
            return Err(MoveError::NotEmpty(self.name.clone()));
        }
        self.client
            .batch_execute(&format!("TRUNCATE {names}"))
            .await?;
        let mark = "INSERT INTO settings (name, value) VALUES ($1, $2)";
        self.client.execute(mark, &[&MOVING_FROM, &source]).await?;
        Ok(self.client.batch_execute("COMMIT").await?)
    }

    /// Says that it is complete.
    pub(super) async fn complete(&self) -> Result<(), MoveError> {
        let text = "DELETE FROM settings WHERE name = $1";
        self.client.execute(text, &[&MOVING_FROM]).await?;
        Ok(())
    }

    /// Says where its data goes, so that nobody starts on it.
    pub(super) async fn leave_for(&self, url: &str) -> Result<(), MoveError> {
        let text = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.client.execute(text, &[&MOVED_TO, &url]).await?;
        Ok(())
    }

    /// Takes that back, whatever is under way.
    pub(super) async fn stay(&self) -> Result<(), MoveError> {
        self.client.batch_execute("ROLLBACK").await?;
        let text = "DELETE FROM settings WHERE name = $1";
        self.client.execute(text, &[&MOVED_TO]).await?;
        Ok(())
    }

    /// Gives its tables names that no statement of ours has, save those that say where the data is.
    pub(super) async fn put_aside(&self, tables: &[Table]) -> Result<(), MoveError> {
        let others = tables.iter().filter(|table| table.name != "settings");
        let renamed = others.map(|table| {
            let left = quoted(&format!("left_{}", table.name));
            format!("ALTER TABLE {} RENAME TO {left}", quoted(&table.name))
        });
        let renamed: Vec<_> = renamed.collect();
        Ok(self.client.batch_execute(&renamed.join("; ")).await?)
    }

    /// Where its data goes.
    pub(super) async fn moved_to(&self) -> Result<Option<String>, MoveError> {
        let text = "SELECT value FROM settings WHERE name = $1";
        let row = self.client.query_opt(text, &[&MOVED_TO]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Puts rows in the place of those of the same keys.
    pub(super) async fn put(&self, table: &Table, lines: &[Line]) -> Result<(), MoveError> {
        if lines.is_empty() {
            return Ok(());
        }
        let arrays = listed(table.columns.iter().enumerate(), |(place, column)| {
            format!("${}::{}", place + 1, column.kind.array())
        });
        let others = (0..table.columns.len()).filter(|place| !table.key.contains(place));
        let set = listed(others, |place| {
            let name = quoted(&table.columns[place].name);
            format!("{name} = excluded.{name}")
        });
        let conflict = match set.is_empty() {
            true => "NOTHING".to_owned(),
            false => format!("UPDATE SET {set}"),
        };
        let text = format!(
            "{} SELECT * FROM unnest({arrays}) ON CONFLICT ({}) DO {conflict}",
            table.insert_into(),
            table.key_list()
        );
        let columns = table.columns.iter().enumerate();
        let values: Vec<_> = columns
            .map(|(place, column)| bound_column(lines, place, column.kind))
            .collect();
        let statement = self.client.prepare_cached(&text).await?;
        self.client.execute(&statement, &borrowed(&values)).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, table: &Table, keys: &[Line]) -> Result<(), MoveError> {
        if keys.is_empty() {
            return Ok(());
        }
        let (of_keys, values) = of_keys(table, keys);
        let text = format!("DELETE FROM {} WHERE {of_keys}", quoted(&table.name));
        let statement = self.client.prepare_cached(&text).await?;
        self.client.execute(&statement, &borrowed(&values)).await?;
        Ok(())
    }

    /// The rows of these keys, as far as there are.
    pub(super) async fn by_keys(
        &self,
        table: &Table,
        keys: &[Line],
    ) -> Result<Vec<Line>, MoveError> {
        let (of_keys, values) = of_keys(table, keys);
        let from = quoted(&table.name);
        let text = format!("SELECT {} FROM {from} WHERE {of_keys}", table.column_list());
        read(&self.client, table, &text, &values).await
    }

    /// The rows behind a key up to another one.
    pub(super) async fn range(
        &self,
        table: &Table,
        after: Option<&Line>,
        upto: Option<&Line>,
    ) -> Result<Vec<Line>, MoveError> {
        let text = table.select_range(after.is_some(), upto.is_some(), None);
        let ends = after.into_iter().chain(upto).flatten();
        let values: Vec<_> = ends.map(bound).collect();
        let lines = read(&self.client, table, &text, &values).await?;
        Ok(lines
            .into_iter()
            .filter(|line| !is_mark(table, line))
            .collect())
    }
}

/// Where the data went for good.
pub(super) async fn left_for(postgres: &Postgres) -> Result<Option<String>, MoveError> {
    let client = postgres.client().await?;
    let text = format!("SELECT value FROM settings WHERE name = $1 AND ({PUT_ASIDE})");
    let row = client.query_opt(&text, &[&MOVED_TO]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Rows behind a key, `limit` at most.
pub(super) async fn chunk(
    client: &Object,
    table: &Table,
    after: Option<&Line>,
    limit: usize,
) -> Result<Chunk, MoveError> {
    let text = table.select_range(after.is_some(), false, Some(limit));
    let values: Vec<_> = after.into_iter().flatten().map(bound).collect();
    let lines = read(client, table, &text, &values).await?;
    Ok(Chunk::of(table, lines, limit))
}

async fn read(
    client: &Object,
    table: &Table,
    text: &str,
    values: &[Bound<'_>],
) -> Result<Vec<Line>, MoveError> {
    let statement = client.prepare_cached(text).await?;
    let rows = client.query(&statement, &borrowed(values)).await?;
    let read = |row: &tokio_postgres::Row| {
        let columns = table.columns.iter().enumerate();
        columns
            .map(|(place, column)| Cell::of_postgres(row, place, column.kind))
            .collect()
    };
    rows.iter().map(read).collect()
}

/// The condition that a row has one of these keys, and what is bound in it.
fn of_keys<'a>(table: &Table, keys: &'a [Line]) -> (String, Vec<Bound<'a>>) {
    let arrays = listed(table.key_columns().enumerate(), |(place, column)| {
        format!("${}::{}", place + 1, column.kind.array())
    });
    let columns = table.key_columns().enumerate();
    let values = columns
        .map(|(place, column)| bound_column(keys, place, column.kind))
        .collect();
    let text = format!("({}) IN (SELECT * FROM unnest({arrays}))", table.key_list());
    (text, values)
}

fn borrowed<'a>(values: &'a [Bound<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| &**value as &(dyn ToSql + Sync))
        .collect()
}

/// Whether a row could not be put because another one holds what must be unique.
pub(super) fn is_taken(error: &MoveError) -> bool {
    matches!(error, MoveError::Postgres(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
}
