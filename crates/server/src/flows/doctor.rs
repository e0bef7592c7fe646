//! Whether an installation is as it should be: what stops a start, and what will hurt later. Nothing is changed.
//!
//! 1. What the settings name, the data folder, and the room on its disk.
//! 2. The database, its time, and whether its tables are those of this version. Where they are not, nothing behind that is
//!    looked at, for whoever opens them brings them up to date.
//! 3. What is in it: the master key that opens it, signing keys, issuer, administrators, mail that does not get away.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use symbolon_store::{DatabaseUrl, Store};

use super::setup::is_done;
use super::{Error, explain, keys, outbox};
use crate::app::{App, check_named, database_url, open_database};
use crate::clock::Clock;
use crate::config::Config;
use crate::rng::Rng;

/// Less room than this is told, in bytes.
const ROOM: u64 = 1 << 30;
/// Clocks that differ by more are told.
const APART: Duration = Duration::from_secs(2);
/// Mails that are looked at.
const MAILS: u32 = 100;

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It will hurt sooner or later.
    Warning,
    /// No server starts, or none works.
    Wrong,
}

/// What was found about one thing.
#[derive(Debug)]
pub struct Finding {
    /// Which.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// A sentence for people.
    pub detail: String,
}

/// What was found, and the issuer, where one is known.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which it was looked for.
    pub findings: Vec<Finding>,
    /// Whom a server of this installation is.
    pub issuer: Option<String>,
}

impl Report {
    /// Adds a finding.
    pub fn note(&mut self, what: &'static str, state: State, detail: impl Into<String>) {
        self.findings.push(Finding {
            what,
            state,
            detail: detail.into(),
        });
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let wrong = |finding: &Finding| finding.state == State::Wrong;
        !self.findings.iter().any(wrong)
    }
}

/// Looks at all of it.
pub async fn examine(config: &Config, clock: &Clock, rng: &Rng) -> Report {
    let mut report = Report::default();
    let named = check_named(config);
    let can_open = named.is_ok();
    match named {
        Ok(()) => report.note(
            "settings",
            State::Ok,
            "can be read, as can the files that they name",
        ),
        Err(error) => report.note("settings", State::Wrong, error.to_string()),
    }
    folder(&mut report, &config.server.data);
    if can_open && database(&mut report, config, clock).await {
        match App::open_existing(config.clone(), clock.clone(), rng.clone()).await {
            Ok(app) => {
                if let Err(error) = contents(&mut report, &app).await {
                    report.note("database", State::Wrong, error.to_string());
                }
                app.close().await;
            }
            Err(error) => report.note("database", State::Wrong, error.to_string()),
        }
    }
    report
}

/// Step 1.
fn folder(report: &mut Report, path: &Path) {
    const WHAT: &str = "data folder";
    let name = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let detail = format!("{name} is made by the first start");
            return report.note(WHAT, State::Ok, detail);
        }
        Err(error) => return report.note(WHAT, State::Wrong, format!("{name}: {error}")),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_dir() {
        return report.note(WHAT, State::Wrong, format!("{name} is no folder"));
    }
    match mode & 0o077 {
        0 => report.note(WHAT, State::Ok, format!("{name} is for its owner only")),
        _ => report.note(
            WHAT,
            State::Warning,
            format!("others may look into {name} (mode {mode:o}): chmod 700"),
        ),
    }
    let Ok(disk) = rustix::fs::statvfs(path) else {
        return;
    };
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    let state = if room < ROOM {
        State::Warning
    } else {
        State::Ok
    };
    report.note(
        "disk",
        state,
        format!("{} MiB are free at {name}", room >> 20),
    );
}

/// Step 2: whether what is in it may be looked at.
async fn database(report: &mut Report, config: &Config, clock: &Clock) -> bool {
    const WHAT: &str = "database";
    if let Ok(DatabaseUrl::Sqlite(path)) = database_url(config)
        && !matches!(path.try_exists(), Ok(true))
    {
        let (state, why) = match path.try_exists() {
            Err(error) => (State::Wrong, error.to_string()),
            Ok(_) => (State::Ok, "is made by the first start".to_owned()),
        };
        report.note(WHAT, state, format!("{} {why}", path.display()));
        return false;
    }
    let store = match open_database(config, false).await {
        Ok(store) => store,
        Err(error) => {
            report.note(WHAT, State::Wrong, error.to_string());
            return false;
        }
    };
    let steps = store.pending_steps().await;
    match &steps {
        Ok(steps) if steps.is_empty() => report.note(WHAT, State::Ok, "its tables are up to date"),
        Ok(steps) => report.note(
            WHAT,
            State::Warning,
            format!(
                "steps that its tables lack: {}; the next start takes them (`symbolon migrate --plan`), and what is in them was not looked at",
                steps.len()
            ),
        ),
        Err(error) => report.note(WHAT, State::Wrong, error.to_string()),
    }
    time(report, &store, clock).await;
    store.close().await;
    steps.is_ok_and(|steps| steps.is_empty())
}

async fn time(report: &mut Report, store: &Store, clock: &Clock) {
    if let Ok(Some(theirs)) = store.time().await {
        let apart = Duration::from_millis(theirs.millis().abs_diff(clock.now().millis()));
        match apart < APART {
            true => report.note("clock", State::Ok, "is that of the database"),
            false => report.note(
                "clock",
                State::Warning,
                format!(
                    "this machine's differs from the database's, whose time is used, by {} seconds: keep it right by NTP",
                    apart.as_secs()
                ),
            ),
        }
    }
}

/// Step 3.
async fn contents(report: &mut Report, app: &Arc<App>) -> Result<(), Error> {
    opens(report, app).await?;
    match explain::issuer(app).await {
        Ok(issuer) => {
            let is_public = issuer.starts_with("https://");
            let (state, why) = match is_public {
                true => (State::Ok, ""),
                false => (
                    State::Warning,
                    " is no https address, good for this machine only: set server.issuer",
                ),
            };
            report.note("issuer", state, format!("{issuer}{why}"));
            report.issuer = Some(issuer);
        }
        Err(_) => report.note("issuer", State::Ok, "is the address of the first start"),
    }
    match is_done(app).await? {
        true => report.note("administrator", State::Ok, "there is one"),
        false => report.note(
            "administrator",
            State::Warning,
            "there is none: `symbolon user add EMAIL --role admin`, or the address that the server prints",
        ),
    }
    mail(report, app).await
}

async fn opens(report: &mut Report, app: &App) -> Result<(), Error> {
    let master = match app.known_master().await {
        Ok(Some(master)) => master,
        Ok(None) => {
            let what = "the database has none yet: the first start settles it";
            report.note("master key", State::Ok, what);
            return Ok(());
        }
        Err(error) => {
            report.note("master key", State::Wrong, error.to_string());
            return Ok(());
        }
    };
    report.note("master key", State::Ok, "is that of the database");
    if let Err(error) = keys::verifying(app, &master).await {
        report.note("signing key", State::Wrong, error.to_string());
        return Ok(());
    }
    let all = keys::list(app).await?;
    match all.iter().find(|key| key.part == "signing") {
        Some(key) => {
            let detail = format!("{} signs with {}", key.row.kid, key.row.algorithm);
            report.note("signing key", State::Ok, detail);
        }
        None => report.note(
            "signing key",
            State::Warning,
            "none signs: the next start makes one",
        ),
    }
    Ok(())
}

async fn mail(report: &mut Report, app: &App) -> Result<(), Error> {
    let rows = outbox::list(app, MAILS).await?;
    let stuck: Vec<_> = rows.iter().filter_map(|row| row.error.as_ref()).collect();
    if let Some(last) = stuck.first() {
        let detail = format!("{} letters did not get away: {last}", stuck.len());
        report.note("mail", State::Warning, detail);
    } else if app.mail.is_connected() {
        report.note("mail", State::Ok, format!("goes to {}", app.mail.way()));
    } else {
        let detail = format!("goes to {}: set mail.url", app.mail.way());
        report.note("mail", State::Warning, detail);
    }
    Ok(())
}
