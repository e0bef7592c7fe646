//! The floor of an import: the same rows, by SQLite alone.

use std::{path::Path, time::Duration};

use anyhow::Result;
use rusqlite::{Connection, params};

use super::{CHUNK, Line, PASSWORD_HASH};
use crate::{clock, seed::mix};

/// As the server makes them.
const TABLES: &str = "
    CREATE TABLE users (id BLOB NOT NULL PRIMARY KEY, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE,
        username TEXT, username_key TEXT UNIQUE, name TEXT, roles TEXT NOT NULL, status TEXT NOT NULL,
        email_verified BOOLEAN NOT NULL, token_version BIGINT NOT NULL, version BIGINT NOT NULL, password_hash TEXT,
        password_changed_at BIGINT, last_login_at BIGINT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
    CREATE INDEX users_by_creation ON users (created_at, id);
    CREATE INDEX users_by_status ON users (status, created_at, id);
    CREATE TABLE user_roles (user_id BLOB NOT NULL, role TEXT NOT NULL, PRIMARY KEY (role, user_id));
    CREATE INDEX user_roles_by_user ON user_roles (user_id);";
const USER: &str = "INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'user', 'active', TRUE, 1, 1, ?7, ?8, NULL, ?8, ?8)";
const ROLE: &str = "INSERT INTO user_roles VALUES (?1, 'user')";

/// How long so many users take.
pub fn insert(folder: &Path, users: u64) -> Result<Duration> {
    let connection = Connection::open(folder.join("bare.db"))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -32768")?;
    connection.execute_batch(TABLES)?;
    let start = clock::now();
    for first in (0..users).step_by(CHUNK as usize) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut user = connection.prepare_cached(USER)?;
        let mut role = connection.prepare_cached(ROLE)?;
        for number in first..users.min(first + CHUNK) {
            let line = Line::of(number);
            let made = Line::made_at(number);
            let id = id(number, made);
            let (email, username) = (&line.email, &line.username);
            user.execute(params![
                id,
                email,
                email,
                username,
                username,
                line.name,
                PASSWORD_HASH,
                made
            ])?;
            role.execute(params![id])?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(clock::since(start))
}

/// UUIDv7 (RFC 9562 section 5.7).
fn id(number: u64, made: i64) -> [u8; 16] {
    let chance = u128::from(mix(!number)) << 8 | u128::from(mix(number) & 0xff);
    let millis = u128::from(made.cast_unsigned()) << 80;
    (millis | 7 << 76 | (chance & ((1 << 72) - 1))).to_be_bytes()
}
