//! (l) The usual ways to build this, beside ours: tutorials' servers, a library for Node, and other servers of the kind.

mod glewlwyd;
pub mod installed;
mod oidc;
mod ours;
mod tutorial;

use std::time::Duration;

use anyhow::Result;

use crate::{
    Run,
    floor::{self, Shape},
    load::{self, Figures, Script},
    machine,
    process::{Folder, SERVER_CORE, Server},
    report::{Section, Table, rate},
    say,
};

/// One for each connection where they are most.
const SESSIONS: usize = 128;

const NOTE: &str = "Pinned, 32 connections where nothing else is said, one core for each server, the load on the other one, in turns. Each figure is \
    taken on a process and a database of its own. Node runs with `NODE_ENV=production`, FastAPI under uvicorn with uvloop and \
    httptools, all of them with one worker. The ratio is ours by that of the fastest peer in the row; `-` where a peer has no \
    such request or is not installed. \"Synced\": an answered refresh survives a loss of power. \"Not synced\" and \"in \
    memory\": it does not. What each figure rests on is told below.";

/// What is asked of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Something only for who is signed in, with the same token again and again.
    Protected,
    /// A refresh that is on the disk when it is answered.
    DurableRefresh,
    /// The same of many clients at once, on a disk whose syncs take 7 ms at least.
    SlowRefresh,
    /// A refresh with the durability that the peer has when nobody thinks of it; ours as before.
    UsualRefresh,
    Introspection,
    ClientCredentials,
    /// The same; ours sign with the algorithm that signs fastest.
    EdDsa,
}

/// Each with its name and what the project promises.
const WORKS: [(Work, &str, Option<f64>); 7] = [
    (Work::Protected, "protected request", Some(10.0)),
    (Work::DurableRefresh, "refresh, durable", Some(50.0)),
    (
        Work::SlowRefresh,
        "the same, 128 connections, each sync 7 ms at least",
        Some(50.0),
    ),
    (Work::UsualRefresh, "refresh, peers as they come", None),
    (Work::Introspection, "introspection", Some(4.0)),
    (Work::ClientCredentials, "`client_credentials`", Some(5.0)),
    (
        Work::EdDsa,
        "the same, ours with `tokens.algorithm = \"EdDSA\"`",
        Some(5.0),
    ),
];

impl Work {
    /// How many clients ask at once.
    fn connections(self) -> usize {
        match self {
            Self::SlowRefresh => SESSIONS,
            _ => 32,
        }
    }
}

/// A server that is ready to be asked.
pub struct Ready {
    server: Server,
    script: Box<dyn Script>,
    kept: Kept,
    /// What its figure rests on.
    basis: &'static str,
}

/// What remains of what was answered when the power goes.
#[derive(Clone, Copy)]
pub enum Kept {
    /// There is nothing to keep: the request reads.
    Reads,
    /// The answer is all there is: a signed token without a row.
    Signed,
    Synced,
    Unsynced,
    Memory,
}

impl Kept {
    fn text(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Signed => "signed, no row",
            Self::Synced => "synced",
            Self::Unsynced => "not synced",
            Self::Memory => "in memory",
        }
    }
}

/// Starts a server for one kind of request in an empty folder; nothing where it has no such request.
type Open = fn(&Run, &Folder, Work) -> Result<Option<Ready>>;

struct Peer {
    name: &'static str,
    open: Open,
    /// What is missing where it is not installed.
    missing: fn(&Run) -> Option<&'static str>,
}

const OURS: &str = "Symbolon";
const PEERS: [Peer; 6] = [
    Peer {
        name: OURS,
        open: ours::open,
        missing: |_| None,
    },
    Peer {
        name: "Express",
        open: tutorial::express,
        missing: tutorial::express_missing,
    },
    Peer {
        name: "better-auth",
        open: tutorial::better_auth,
        missing: tutorial::better_auth_missing,
    },
    Peer {
        name: "FastAPI",
        open: tutorial::fastapi,
        missing: tutorial::fastapi_missing,
    },
    Peer {
        name: "oidc-provider",
        open: oidc::open,
        missing: oidc::missing,
    },
    Peer {
        name: "Glewlwyd",
        open: glewlwyd::open,
        missing: glewlwyd::missing,
    },
];

/// What was measured of one server.
struct Measured {
    name: &'static str,
    figures: Figures,
    kept: Kept,
    basis: &'static str,
}

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("peers", "Beside the usual ways", NOTE);
    let mut peers = Vec::new();
    for peer in &PEERS {
        match (peer.missing)(run) {
            None => peers.push(peer),
            Some(how) => say::line(format!("{} is not measured: {how}", peer.name)),
        }
    }
    let mut heads = vec!["a second"];
    heads.extend(PEERS.iter().map(|peer| peer.name));
    heads.extend(["ratio", "target", "met"]);
    let mut rates = Table::new(heads);
    let mut details = Table::new(["what", "server", "figure", "rests on"]);
    for (work, name, target) in WORKS {
        let measured = in_turns(run, &peers, work)?;
        rates.rows.push(row(name, &measured, target));
        for one in measured {
            details.rows.push(vec![
                name.to_owned(),
                one.name.to_owned(),
                one.figures.text(),
                one.basis.to_owned(),
            ]);
        }
    }
    details.rows.push(disk(run)?);
    section.tables = vec![rates, details];
    Ok(section)
}

/// Each server that can do it, in several rounds; the middle one of each.
fn in_turns(run: &Run, peers: &[&Peer], work: Work) -> Result<Vec<Measured>> {
    let rounds = if run.quick { 1 } else { 3 };
    let time = Duration::from_millis(if run.quick { 1500 } else { 4000 });
    let slow = match work {
        Work::SlowRefresh => installed::on_a_slow_disk(run)?,
        _ => Some(run.clone()),
    };
    let Some(run) = &slow else {
        say::line("refreshes with slow syncs are not measured: there is no C compiler");
        return Ok(Vec::new());
    };
    let mut ready = Vec::new();
    for peer in peers {
        let folder = Folder::new(&run.dir, peer.name)?;
        std::fs::create_dir_all(folder.path())?;
        if let Some(one) = (peer.open)(run, &folder, work)? {
            ready.push((peer.name, one, Vec::new(), folder));
        }
    }
    for _ in 0..rounds {
        for (_, one, runs, _) in &mut ready {
            runs.push(load::pinned(
                &one.server,
                work.connections(),
                time,
                &mut one.script,
            )?);
        }
    }
    let measured = ready.into_iter().map(|(name, one, runs, _)| {
        Ok(Measured {
            name,
            figures: load::middle(runs)?,
            kept: one.kept,
            basis: one.basis,
        })
    });
    measured.collect()
}

fn row(name: &str, measured: &[Measured], target: Option<f64>) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    for peer in &PEERS {
        let own = measured.iter().find(|one| one.name == peer.name);
        cells.push(own.map_or_else(
            || "-".to_owned(),
            |one| format!("{} ({})", rate(one.figures.per_second), one.kept.text()),
        ));
    }
    let rate_of = |one: &Measured| one.figures.per_second;
    let (ours, others): (Vec<_>, Vec<_>) = measured.iter().partition(|one| one.name == OURS);
    let fastest = others.into_iter().map(rate_of).max_by(f64::total_cmp);
    let ours = ours.into_iter().map(rate_of).next();
    let ratio = ours.zip(fastest).map(|(ours, fastest)| ours / fastest);
    cells.push(ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")));
    cells.push(target.map_or_else(String::new, |target| format!("≥ {target:.0}")));
    cells.push(match ratio.zip(target) {
        Some((ratio, target)) if ratio >= target => "yes".to_owned(),
        Some(_) => "NO".to_owned(),
        None => String::new(),
    });
    cells
}

/// What one sync a row comes to on this disk: no server that syncs each refresh by itself can be faster.
fn disk(run: &Run) -> Result<Vec<String>> {
    machine::wait_until_quiet();
    let folder = Folder::new(&run.dir, "bare")?;
    let rows = machine::on_core(SERVER_CORE, || {
        floor::bare_rows_per_second(folder.path(), Shape::Update, 1, Duration::from_secs(2))
    })?;
    Ok(vec![
        "the disk".to_owned(),
        "SQLite alone, no HTTP".to_owned(),
        format!("{} rows", rate(rows)),
        "SQLite, WAL, `synchronous=FULL`, one row and one sync at a time".to_owned(),
    ])
}
