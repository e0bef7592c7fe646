//! (e) The rate of refreshes as the number of stored sessions grows.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    Run, clock,
    footprint::started,
    load::{self, Answer, Figures, Script},
    machine,
    process::{Folder, Place, Server},
    refresh::rotate,
    report::{Row, Section, count},
    say,
    seed::Seeded,
};

const FEW: u64 = 1000;
const CONNECTIONS: usize = 32;

const NOTE: &str = "Pinned, 32 connections, durable, each refresh of a session picked at random from all that are stored. \
    The sessions were written through the server's library before, ten for each user. The run with 1,000 comes right \
    before each of the others, on a database of its own.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("scale", "Refresh rate by stored sessions", NOTE);
    let mut few = Stored::new(run, "few", FEW)?;
    let mut many = Stored::new(run, "many", 0)?;
    let steps: &[u64] = if run.quick {
        &[100_000]
    } else {
        &[100_000, 10_000_000]
    };
    for &sessions in steps {
        let start = clock::now();
        many.sessions.grow(sessions)?;
        let seeding = clock::since(start).as_secs_f64();
        let sessions = count(sessions as f64);
        let (start, memory) = many.idle()?;
        say::line(format!("{sessions} sessions written in {seeding:.0} s"));
        let mut with_few = Vec::new();
        let mut with_many = Vec::new();
        for _ in 0..if run.quick { 1 } else { 3 } {
            with_few.push(few.rate()?);
            with_many.push(many.rate()?);
        }
        let (base, figures) = (load::middle(with_few)?, load::middle(with_many)?);
        let what = format!(
            "refresh, {sessions} sessions; {} MiB on disk, start {start:.0} ms, {memory:.0} MiB resident",
            many.mebibytes()?
        );
        section.push(
            Row::new(what, figures.text())
                .beside(
                    format!("with {FEW}: {}", base.text()),
                    figures.per_second / base.per_second,
                )
                .at_least(0.8),
        );
    }
    Ok(section)
}

/// A data folder and the sessions in it.
struct Stored<'a> {
    sessions: Seeded,
    used: Used,
    folder: Folder,
    run: &'a Run,
}

impl<'a> Stored<'a> {
    fn new(run: &'a Run, name: &str, sessions: u64) -> Result<Self> {
        let folder = Folder::new(&run.dir, name)?;
        Ok(Self {
            sessions: Seeded::create(folder.path(), sessions)?,
            used: Used::default(),
            folder,
            run,
        })
    }

    /// Milliseconds until a server on it has answered, and the MiB that it takes then.
    fn idle(&self) -> Result<(f64, f64)> {
        let start = || Server::symbolon(&self.run.server, self.folder.path(), Place::Pinned, &[]);
        let (server, time) = started(start)?;
        let memory = machine::memory_mib(server.pid(), "VmRSS")?;
        server.stop()?;
        Ok((time, memory))
    }

    /// One run with a server of its own. Sessions are rotated from where earlier runs left them.
    fn rate(&mut self) -> Result<Figures> {
        let server = Server::symbolon(&self.run.server, self.folder.path(), Place::Pinned, &[])?;
        let time = Duration::from_secs(if self.run.quick { 2 } else { 6 });
        let mut script = Anywhere::new(&self.sessions, &mut self.used, CONNECTIONS);
        let figures = load::pinned(&server, CONNECTIONS, time, &mut script)?;
        server.stop()?;
        Ok(figures)
    }

    fn mebibytes(&self) -> Result<u64> {
        let file = self.folder.path().join("symbolon.db");
        Ok(std::fs::metadata(file)?.len() >> 20)
    }
}

/// What earlier refreshes left.
#[derive(Default)]
pub struct Used {
    /// The current tokens of the sessions that were refreshed.
    tokens: HashMap<u64, Box<[u8]>>,
    /// How many were asked for.
    asked: u64,
}

/// Refreshes sessions all over the database. None comes twice before all have come once, so that no
/// two connections ever have the same one.
pub struct Anywhere<'a> {
    sessions: &'a Seeded,
    used: &'a mut Used,
    /// The session that each connection has asked for.
    asked: Vec<u64>,
}

impl<'a> Anywhere<'a> {
    pub fn new(sessions: &'a Seeded, used: &'a mut Used, connections: usize) -> Self {
        Self {
            sessions,
            used,
            asked: vec![0; connections],
        }
    }

    /// The next session. Steps of a number that has no factor in common with theirs visit all; one near
    /// the golden section of it lands far from those before.
    fn pick(&mut self) -> u64 {
        let count = self.sessions.count();
        let mut step = (count as f64 * 0.618_033_988_75) as u64 | 1;
        while step.is_multiple_of(5) {
            step += 2;
        }
        self.used.asked += 1;
        let at = u128::from(self.used.asked) * u128::from(step) % u128::from(count);
        at as u64
    }
}

impl Script for Anywhere<'_> {
    fn ask(&mut self, connection: usize, out: &mut Vec<u8>) -> Result<()> {
        let at = self.pick();
        *self.asked.get_mut(connection).context("connection")? = at;
        match self.used.tokens.get(&at) {
            Some(token) => rotate::ask(token, out),
            None => rotate::ask(self.sessions.token(at)?.as_bytes(), out),
        }
        Ok(())
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        if answer.status != 200 {
            bail!("a refresh was refused: {}", answer.text());
        }
        let at = *self.asked.get(connection).context("connection")?;
        let token = rotate::token_in(answer.body)?;
        self.used.tokens.insert(at, token.into());
        Ok(())
    }
}
