//! Migrations on PostgreSQL.

use deadpool_postgres::{GenericClient, Pool};
use symbolon_domain::Timestamp;
use tokio_postgres::error::SqlState;

use super::Origin;
use super::open::{refused, said};
use crate::migrate::{Applied, CREATE_TABLE, INSERT, LIST, MIGRATIONS, pending};
use crate::{OpenError, marks};

/// `Symbolon` in bytes: the advisory lock that keeps other processes out meanwhile.
const LOCK: i64 = 0x5379_6d62_6f6c_6f6e;

/// Brings the tables up to date.
pub(super) async fn migrate(pool: &Pool, name: &str, now: Timestamp) -> Result<(), OpenError> {
    // Looked at without the lock first: most starts have nothing to do.
    if pending(MIGRATIONS, &applied(pool, name).await?)?
        .next()
        .is_none()
    {
        return Ok(());
    }
    let explain = |error: tokio_postgres::Error| match error.code() {
        Some(&SqlState::DUPLICATE_TABLE) => OpenError::Foreign(name.to_owned()),
        _ => said(name, &error),
    };
    let mut client = pool.get().await.map_err(|error| refused(name, &error))?;
    // Dropped without a commit it rolls back.
    let transaction = client.transaction().await.map_err(explain)?;
    // A step may take its time, and so may the process that is at it now.
    transaction
        .batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        .await
        .map_err(explain)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(explain)?;
    // Made before it is looked into: whether a table is there is remembered from before the lock was had.
    transaction
        .batch_execute(CREATE_TABLE)
        .await
        .map_err(explain)?;
    let steps = pending(MIGRATIONS, &list(&transaction).await.map_err(explain)?)?;
    for step in steps {
        transaction
            .batch_execute(&translated(step.text))
            .await
            .map_err(explain)?;
        let (digest, at) = (step.digest(), now.millis());
        let noted = transaction
            .execute(
                INSERT,
                &[&step.number, &step.name, &digest, &step.needs, &at],
            )
            .await;
        noted.map_err(explain)?;
        tracing::info!(
            number = step.number,
            name = step.name,
            "migrated the database"
        );
    }
    transaction.commit().await.map_err(explain)
}

/// Refuses a database that a move fills, or has left. Who comes from the sealed file knows that it is complete, and says so
/// to all.
pub(super) async fn arrive(pool: &Pool, name: &str, from: Origin<'_>) -> Result<(), OpenError> {
    let client = pool.get().await.map_err(|error| refused(name, &error))?;
    let explain = |error| said(name, &error);
    let found = "SELECT to_regclass('schema_migrations') IS NOT NULL AND to_regclass('settings') IS NOT NULL";
    let found = client.query_one(found, &[]).await.map_err(explain)?;
    if !found.try_get::<_, bool>(0).map_err(explain)? {
        return match from {
            Origin::Url => Ok(()),
            Origin::SealedFile(_) => Err(OpenError::Vanished(name.to_owned())),
        };
    }
    if let Origin::SealedFile(mark) = from {
        let complete = "DELETE FROM settings WHERE name = $1 AND value = $2";
        let complete = client
            .execute(complete, &[&marks::MOVING_FROM, &mark])
            .await;
        complete.map_err(explain)?;
    }
    let marks = "SELECT name, value FROM settings WHERE name IN ($1, $2)";
    let [filling, left] = &marks::ALL;
    let rows = client.query(marks, &[filling, left]).await;
    let rows = rows.map_err(explain)?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let mark: String = row.try_get(0).map_err(explain)?;
    if mark != marks::MOVED_TO {
        return Err(OpenError::Filling(name.to_owned()));
    }
    let (from, to) = (name.to_owned(), row.try_get(1).map_err(explain)?);
    let aside = client.query_one(marks::PUT_ASIDE, &[]).await;
    let aside = aside.map_err(explain)?;
    Err(match aside.try_get(0).map_err(explain)? {
        true => OpenError::Left(from, to),
        false => OpenError::Leaving(from, to),
    })
}

/// The steps that were applied.
pub(super) async fn applied(pool: &Pool, name: &str) -> Result<Vec<Applied>, OpenError> {
    let client = pool.get().await.map_err(|error| refused(name, &error))?;
    noted(&client).await.map_err(|error| said(name, &error))
}

async fn noted(client: &impl GenericClient) -> Result<Vec<Applied>, tokio_postgres::Error> {
    let found = client
        .query_one("SELECT to_regclass('schema_migrations') IS NOT NULL", &[])
        .await?;
    if !found.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    list(client).await
}

async fn list(client: &impl GenericClient) -> Result<Vec<Applied>, tokio_postgres::Error> {
    let rows = client.query(LIST, &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Applied {
            number: row.try_get(0)?,
            name: row.try_get(1)?,
            digest: row.try_get(2)?,
            needs: row.try_get(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Bytes have another name here, and texts are ordered as SQLite does it, by their bytes: ranges and pages must not
/// depend on the language of a database.
fn translated(text: &str) -> String {
    text.replace(" BLOB", " BYTEA")
        .replace(" TEXT", " TEXT COLLATE \"C\"")
}
