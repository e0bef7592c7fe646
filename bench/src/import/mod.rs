//! (h) Users a second that come in from a file, and what a million of them cost those who look one up.

mod bare;
mod looked_up;

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    Run, clock, machine,
    process::Folder,
    report::{Row, Section, count, median, rate},
    seed,
};

/// Users of one transaction, in the import and in the floor.
const CHUNK: u64 = 1000;
/// Users a second that an import must bring in.
const WANTED: f64 = 20_000.0;
/// Of the form and length of a real one. Nobody signs in with it.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=47104,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$\
    MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

const NOTE: &str = "`symbolon import` of JSON lines with ready-made hashes into an empty embedded database, the whole process \
    from start to end, beside the bare rows: the same users, tables, indexes and transactions of 1,000, each synced, with \
    nothing read, parsed or checked. Then look-ups and pages of lists through the server's library, one after the other, on \
    users picked at random.";

/// A user of the file.
pub struct Line {
    pub email: String,
    pub username: String,
    pub name: String,
}

impl Line {
    /// In no order: keys of an index land all over it.
    pub fn of(number: u64) -> Self {
        let mixed = seed::mix(number);
        Self {
            email: format!("user-{mixed:016x}@example.com"),
            username: format!("u{mixed:016x}"),
            name: format!("User Number {number}"),
        }
    }

    /// Milliseconds since 1970 at which the account was made.
    pub fn made_at(number: u64) -> i64 {
        1_600_000_000_000 + number.cast_signed() * 1000
    }
}

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("import", "Import of users", NOTE);
    let sizes: &[u64] = if run.quick {
        &[50_000]
    } else {
        &[200_000, 1_000_000]
    };
    let folder = Folder::new(&run.dir, "import")?;
    std::fs::create_dir_all(folder.path())?;
    for &users in sizes {
        let file = folder.path().join("users.jsonl");
        write(&file, users)?;
        let (mut bare, mut imported) = (Vec::new(), Vec::new());
        for _ in 0..if run.quick { 1 } else { 3 } {
            machine::wait_until_quiet();
            let place = Folder::new(&run.dir, "bare")?;
            std::fs::create_dir_all(place.path())?;
            bare.push(users as f64 / bare::insert(place.path(), users)?.as_secs_f64());
            let place = Folder::new(&run.dir, "imported")?;
            imported.push(users as f64 / import(run, &file, place.path(), users)?.as_secs_f64());
        }
        let (bare, imported) = (median(&mut bare), median(&mut imported));
        let what = format!("{} users", count(users as f64));
        section.push(
            Row::new(what, rate(imported))
                .beside(format!("bare rows: {}", rate(bare)), imported / bare)
                .bound(format!("≥ {}", rate(WANTED)), imported >= WANTED),
        );
    }
    let users = sizes.last().copied().unwrap_or_default();
    let place = Folder::new(&run.dir, "imported")?;
    import(run, &folder.path().join("users.jsonl"), place.path(), users)?;
    looked_up::measure(place.path(), users, &mut section)?;
    Ok(section)
}

fn write(path: &Path, users: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for number in 0..users {
        let line = Line::of(number);
        let user = json!({
            "email": line.email,
            "username": line.username,
            "name": line.name,
            "roles": ["user"],
            "status": "active",
            "emailVerified": true,
            "createdAt": Line::made_at(number),
            "passwordHash": PASSWORD_HASH,
        });
        writeln!(out, "{user}")?;
    }
    Ok(out.flush()?)
}

fn import(run: &Run, file: &Path, data: &Path, users: u64) -> Result<Duration> {
    let start = clock::now();
    let ended = Command::new(&run.server)
        .arg("import")
        .arg(file)
        .arg("--data")
        .arg(data)
        .env_clear()
        .output()?;
    let took = clock::since(start);
    let said = String::from_utf8_lossy(&ended.stdout);
    let wanted = format!("{users} read: {users} imported, 0 skipped, 0 failed.");
    ensure!(said.trim() == wanted, "the import said {said:?}");
    Ok(took)
}
