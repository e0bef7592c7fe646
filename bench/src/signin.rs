//! (c) Sign-ins beside bare Argon2id on all cores, and what they do to everybody else.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::{
    Run, clock,
    load::{self, Answer, Figures, Load, Script, probe},
    machine,
    process::{Folder, Place, Server, call},
    protected::{access_token, profile_request},
    report::{Row, Section, median, rate},
    seed::Seeded,
};

const USERS: usize = 32;
const PASSWORD: &str = "correct horse battery staple";
/// Enough for every hashing thread to have the next one at hand.
const CONNECTIONS: usize = 8;
/// Sign-ins that wait while somebody reads the profile.
const STORM: usize = 200;

const NOTE: &str = "Not pinned: sign-ins take all cores, and the load is small beside them. Bare: as many threads as cores, \
    each computing Argon2id of the same cost over memory of its own that it uses again and again. The profile is read by \
    one caller, 100 times a second, and timed from when a request was due.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("signin", "Sign-in", NOTE);
    let folder = Folder::new(&run.dir, "signin")?;
    let seeded = Seeded::create(folder.path(), 1000)?;
    let server = Server::symbolon(&run.server, folder.path(), Place::Anywhere, &[])?;
    register(&server)?;
    let cost = stored_cost(folder.path())?;
    let time = Duration::from_secs(if run.quick { 3 } else { 8 });
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..if run.quick { 1 } else { 3 } {
        bare.push(bare_hashes(&cost, time / 2)?);
        ours.push(sign_ins(&server, CONNECTIONS, time)?);
    }
    let ours = load::middle(ours)?;
    let bare = median(&mut bare);
    section.push(
        Row::new(format!("sign-ins, {CONNECTIONS} connections"), ours.text())
            .beside(
                format!(
                    "{} Argon2id m={} t={} p={}",
                    rate(bare),
                    cost.m_cost(),
                    cost.t_cost(),
                    cost.p_cost()
                ),
                ours.per_second / bare,
            )
            .at_least(0.9),
    );
    let access = access_token(&server, &seeded.token(0)?)?;
    storm(&server, &profile_request(&access), time, &mut section)?;
    Ok(section)
}

/// Times the profile in calm, then while [`STORM`] sign-ins wait.
fn storm(server: &Server, request: &[u8], time: Duration, section: &mut Section) -> Result<()> {
    let period = Duration::from_millis(10);
    let calm = probe::run(server.address, request, period, time / 2)?;
    let address = server.address;
    let (stormy, figures) = std::thread::scope(|scope| {
        let prober = scope.spawn(|| {
            // The storm is up by then.
            clock::pause(Duration::from_secs(1));
            probe::run(address, request, period, time)
        });
        let figures = sign_ins(server, STORM, time + Duration::from_secs(2))?;
        let stormy = prober.join();
        let stormy = stormy.map_err(|_| anyhow::anyhow!("the probe panicked"))??;
        anyhow::Ok((stormy, figures))
    })?;
    let [calm, stormy] = [calm, stormy].map(|mut micros| {
        micros.sort_unstable();
        [50, 99, 100].map(|percent| load::quantile(&micros, percent).as_secs_f64() * 1e3)
    });
    let text =
        |[p50, p99, most]: [f64; 3]| format!("p50 {p50:.2}, p99 {p99:.2}, most {most:.2} ms");
    section.push(
        Row::new(
            format!(
                "profile while {STORM} sign-ins wait ({})",
                rate(figures.per_second)
            ),
            text(stormy),
        )
        .beside(format!("{} in calm", text(calm)), stormy[1] / calm[1])
        .bound("p99 < 20 ms", stormy[1] < 20.0),
    );
    Ok(())
}

fn register(server: &Server) -> Result<()> {
    for user in 0..USERS {
        let body = format!("{{\"email\":\"{user}@bench.example\",\"password\":\"{PASSWORD}\"}}");
        let reply = call(server.address, "POST /api/register", &body)?;
        let said = String::from_utf8_lossy(&reply.body);
        ensure!(reply.status == 201, "no account: {said}");
    }
    Ok(())
}

/// The cost that the server chose, from a hash that it stored.
fn stored_cost(data: &Path) -> Result<Params> {
    let database = rusqlite::Connection::open_with_flags(
        data.join("symbolon.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let hash: String = database.query_row(
        "SELECT password_hash FROM users WHERE email = '0@bench.example'",
        [],
        |row| row.get(0),
    )?;
    let cost = hash.split('$').find(|part| part.starts_with("m="));
    let cost = cost.with_context(|| format!("no Argon2 cost in {hash}"))?;
    let mut numbers = [0; 3];
    for (number, part) in numbers.iter_mut().zip(cost.split(',')) {
        *number = part.split_once('=').context("a cost")?.1.parse()?;
    }
    let [memory, passes, lanes] = numbers;
    Params::new(memory, passes, lanes, Some(32)).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Hashes a second on all cores.
fn bare_hashes(cost: &Params, time: Duration) -> Result<f64> {
    machine::wait_until_quiet();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.clone());
    let start = clock::now();
    std::thread::scope(|scope| {
        let hash = || -> Result<f64> {
            let mut memory = vec![Block::default(); cost.block_count()];
            let mut out = [0; 32];
            let mut hashes = 0.0;
            while clock::since(start) < time {
                hasher
                    .hash_password_into_with_memory(
                        PASSWORD.as_bytes(),
                        b"0123456789abcdef",
                        &mut out,
                        &mut memory,
                    )
                    .map_err(|error| anyhow::anyhow!("{error}"))?;
                hashes += 1.0;
            }
            Ok(hashes / clock::since(start).as_secs_f64())
        };
        let threads: Vec<_> = (0..machine::cores()).map(|_| scope.spawn(hash)).collect();
        let mut sum = 0.0;
        for thread in threads {
            sum += thread
                .join()
                .map_err(|_| anyhow::anyhow!("a hash panicked"))??;
        }
        Ok(sum)
    })
}

fn sign_ins(server: &Server, connections: usize, time: Duration) -> Result<Figures> {
    let load = Load::of(server, connections, time);
    load::run(load, &mut SignIns(0))
}

/// Each request signs another user in.
struct SignIns(usize);

impl Script for SignIns {
    fn ask(&mut self, _connection: usize, out: &mut Vec<u8>) -> Result<()> {
        self.0 += 1;
        let user = self.0 % USERS;
        let body = format!(
            "{{\"email\":\"{user}@bench.example\",\"password\":\"{PASSWORD}\",\"transport\":\"body\"}}"
        );
        let head = format!(
            "POST /api/login HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body.as_bytes());
        Ok(())
    }

    fn answer(&mut self, _connection: usize, answer: &Answer<'_>) -> Result<()> {
        if answer.status != 200 {
            bail!("a sign-in was refused: {}", answer.text());
        }
        Ok(())
    }
}
