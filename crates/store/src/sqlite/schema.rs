//! Migrations on SQLite.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use symbolon_domain::Timestamp;

use super::errors::open_error;
use super::open::APPLICATION_ID;
use crate::OpenError;
use crate::migrate::{Applied, CREATE_TABLE, INSERT, LIST, MIGRATIONS, pending};

/// Brings the tables up to date. The write lock keeps other processes out meanwhile.
pub(crate) fn migrate(
    connection: &Connection,
    name: &str,
    now: Timestamp,
) -> Result<(), OpenError> {
    let explain = |error| open_error(Path::new(name), error);
    // Looked at without the lock first: most starts have nothing to do.
    if pending(MIGRATIONS, &applied(connection).map_err(explain)?)?
        .next()
        .is_none()
    {
        return Ok(());
    }
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(explain)?;
    let steps = pending(MIGRATIONS, &applied(&transaction).map_err(explain)?)?;
    transaction.execute_batch(CREATE_TABLE).map_err(explain)?;
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(explain)?;
    for step in steps {
        transaction.execute_batch(step.text).map_err(explain)?;
        let noted = params![
            step.number,
            step.name,
            step.digest(),
            step.needs,
            now.millis()
        ];
        transaction.execute(INSERT, noted).map_err(explain)?;
        tracing::info!(
            number = step.number,
            name = step.name,
            "migrated the database"
        );
    }
    transaction.commit().map_err(explain)
}

/// The steps that were applied.
pub(crate) fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    // Asked for with a statement, since what SQLite remembers of the tables may be older than this transaction.
    let exists = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'";
    if !connection.query_row(exists, [], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(LIST)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied {
            number: row.get(0)?,
            name: row.get(1)?,
            digest: row.get(2)?,
            needs: row.get(3)?,
        })
    })?;
    rows.collect()
}
