//! (b) Durable refresh rotations over HTTP, beside a floor that signs and commits one row.

pub mod rotate;

use std::time::Duration;

use anyhow::{Context as _, Result};
use rotate::{Rotations, Same};

use crate::{
    Run,
    floor::{self, Shape},
    load::{self, Figures, Script},
    machine,
    process::{Folder, Place, SERVER_CORE, Server, call},
    report::{Row, Section, count, median, rate},
    seed::Seeded,
};

const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];
/// Where the project promises something.
const PROMISED_AT: usize = 32;
const SESSIONS: u64 = 1000;

const NOTE: &str = "Pinned. `POST /api/refresh` with the token in the body, each connection rotating sessions of its \
    own, on SQLite with `synchronous=FULL`. The floor is a bare hyper handler that reads the body, makes one ES256 \
    signature and waits until one row of 200 bytes is on disk, committed in groups by one thread, and answers as many \
    bytes. Its row is appended (the cheapest there is) or written over one of 1,000 rows. Beside each floor: the rows \
    that the same library commits with nobody waiting and no HTTP, so many in a transaction.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("refresh", "Refresh rotations", NOTE);
    let folder = Folder::new(&run.dir, "refresh")?;
    let seeded = Seeded::create(folder.path(), SESSIONS)?;
    let tokens = (0..seeded.count()).map(|at| seeded.token(at));
    let tokens: Vec<Vec<u8>> = tokens
        .map(|token| anyhow::Ok(token?.as_bytes().to_vec()))
        .collect::<Result<_>>()?;
    let bench = Bench {
        time: Duration::from_millis(if run.quick { 1500 } else { 3000 }),
        rounds: if run.quick { 1 } else { 3 },
        run,
        folder: &folder,
    };
    let before = bench.database_bytes()?;
    let mut state = State {
        tokens,
        answers: 0.0,
        at_promised: 0.0,
        bytes: 0,
    };
    let server = bench.server()?;
    state.warm(&server)?;
    for connections in CONNECTIONS {
        bench.compare(&server, connections, &mut state, &mut section)?;
    }
    bench.garbage(&server, &state, &mut section)?;
    server.stop()?;
    let after = bench.database_bytes()?;
    section.push(
        Row::new(
            format!(
                "database after {} refreshes of {SESSIONS} sessions",
                count(state.answers)
            ),
            format!("{} KiB", after / 1024),
        )
        .beside(
            format!("{} KiB before", before / 1024),
            after as f64 / before as f64,
        )
        .at_most(1.2),
    );
    Ok(section)
}

/// How this section measures.
struct Bench<'a> {
    run: &'a Run,
    folder: &'a Folder,
    time: Duration,
    rounds: usize,
}

/// What one measurement leaves for the next.
struct State {
    tokens: Vec<Vec<u8>>,
    /// Refreshes so far, about.
    answers: f64,
    /// The rate where it is promised.
    at_promised: f64,
    /// Length of an answer's body.
    bytes: usize,
}

impl State {
    /// One refresh, for the length of its answer.
    fn warm(&mut self, server: &Server) -> Result<()> {
        let token = self.tokens.first_mut().context("no session")?;
        let body = format!("{{\"refreshToken\":\"{}\"}}", std::str::from_utf8(token)?);
        let reply = call(server.address, "POST /api/refresh", &body)?;
        *token = rotate::token_in(&reply.body)?.to_vec();
        self.bytes = reply.body.len();
        Ok(())
    }
}

impl Bench<'_> {
    fn server(&self) -> Result<Server> {
        Server::symbolon(&self.run.server, self.folder.path(), Place::Pinned, &[])
    }

    fn load(
        &self,
        server: &Server,
        connections: usize,
        script: &mut impl Script,
    ) -> Result<Figures> {
        load::pinned(server, connections, self.time, script)
    }

    /// Server and floors take turns; the middle run of each is told.
    fn compare(
        &self,
        server: &Server,
        connections: usize,
        state: &mut State,
        section: &mut Section,
    ) -> Result<()> {
        let mut ours = Vec::new();
        let mut floors = [Vec::new(), Vec::new()];
        let mut bare = [Vec::new(), Vec::new()];
        for _ in 0..self.rounds {
            let mut script = Rotations::new(std::mem::take(&mut state.tokens), connections);
            let figures = self.load(server, connections, &mut script)?;
            state.tokens = script.into_tokens();
            state.answers += figures.per_second * self.time.as_secs_f64();
            ours.push(figures);
            for ((shape, floors), bare) in Shape::ALL.into_iter().zip(&mut floors).zip(&mut bare) {
                floors.push(self.floor(shape, connections, state.bytes)?);
                bare.push(self.bare(shape, connections)?);
            }
        }
        let ours = load::middle(ours)?;
        if connections == PROMISED_AT {
            state.at_promised = ours.per_second;
        }
        for ((shape, floors), mut bare) in Shape::ALL.into_iter().zip(floors).zip(bare) {
            let floor = load::middle(floors)?;
            section.push(beside_floor(connections, &ours, shape, &floor));
            let bare = median(&mut bare);
            let what = format!("floor ({}), {connections} connections", shape.as_str());
            section.push(
                Row::new(what, floor.text())
                    .beside(format!("{} rows bare", rate(bare)), floor.per_second / bare),
            );
        }
        Ok(())
    }

    fn floor(&self, shape: Shape, connections: usize, bytes: usize) -> Result<Figures> {
        let folder = Folder::new(&self.run.dir, "floor")?;
        let bytes = bytes.to_string();
        let arguments = [
            "commit".as_ref(),
            folder.path().as_os_str(),
            shape.as_str().as_ref(),
            bytes.as_ref(),
        ];
        let floor = Server::floor(&arguments, Place::Pinned)?;
        self.load(&floor, connections, &mut Same::unknown_token(200))
    }

    fn bare(&self, shape: Shape, group: usize) -> Result<f64> {
        machine::wait_until_quiet();
        let folder = Folder::new(&self.run.dir, "bare")?;
        machine::on_core(SERVER_CORE, || {
            floor::bare_rows_per_second(folder.path(), shape, group, self.time / 4)
        })
    }

    /// Tokens that look like ours and are not: with a wrong tag, and with nothing right but the prefix.
    fn garbage(&self, server: &Server, state: &State, section: &mut Section) -> Result<()> {
        let mut forged = state.tokens.first().context("no session")?.clone();
        if let Some(last) = forged.iter_mut().rev().nth(4) {
            *last = if *last == b'A' { b'B' } else { b'A' };
        }
        let scripts = [
            ("forged refresh tokens refused", Same::token(&forged, 401)),
            ("senseless refresh tokens refused", Same::unknown_token(401)),
        ];
        for (what, mut script) in scripts {
            let mut runs = Vec::new();
            for _ in 0..self.rounds {
                runs.push(self.load(server, PROMISED_AT, &mut script)?);
            }
            let figures = load::middle(runs)?;
            section.push(
                Row::new(format!("{what}, {PROMISED_AT} connections"), figures.text())
                    .beside(
                        format!("{} refreshes", rate(state.at_promised)),
                        figures.per_second / state.at_promised,
                    )
                    .at_least(3.0),
            );
        }
        Ok(())
    }

    /// The database with its log copied back, as it is while no server has it.
    fn database_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for file in std::fs::read_dir(self.folder.path())? {
            let file = file?;
            if file
                .file_name()
                .to_string_lossy()
                .starts_with("symbolon.db")
            {
                bytes += file.metadata()?.len();
            }
        }
        Ok(bytes)
    }
}

fn beside_floor(connections: usize, ours: &Figures, shape: Shape, floor: &Figures) -> Row {
    let row = Row::new(format!("refresh, {connections} connections"), ours.text()).beside(
        format!("{} floor ({})", rate(floor.per_second), shape.as_str()),
        ours.per_second / floor.per_second,
    );
    match shape {
        Shape::Insert if connections >= PROMISED_AT => row.at_least(0.7),
        _ => row,
    }
}
