//! Durable refresh rotations on PostgreSQL, beside what `pgbench` reaches on the same server.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use symbolon_testkit::Postgres;

use crate::{
    Run, clock,
    load::{self, Caller, Figures, Load},
    machine,
    process::{Folder, Place, Server, call_as},
    protected::{access_token, profile_request},
    refresh::rotate::Rotations,
    report::{Row, Section, median, rate},
    seed::Seeded,
};

const SESSIONS: u64 = 1000;
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];

const NOTE: &str = "`POST /api/refresh` on a PostgreSQL of its own with `fsync` and `synchronous_commit` on, over a Unix socket; \
    database, server and load share all cores. Beside it `pgbench -M prepared` with as many clients on the same server, each \
    transaction of which updates one row of 1,000 in a table like that of sessions, in the columns that a rotation writes. \
    Both take turns. What is promised is the most of each, with however many connections that is: ours sends what waits at the \
    same moment in groups over eight connections, and has few to group where few wait.";

/// What a rotation writes, on a copy of the table: the ids are numbers, so that they cost `pgbench` nothing.
const TABLE: &str = "CREATE TABLE floor (LIKE sessions INCLUDING ALL); \
    INSERT INTO floor SELECT (jsonb_populate_record(NULL::sessions, to_jsonb(s) || jsonb_build_object('id', \
    '\\x' || lpad(to_hex(n), 32, '0')))).* FROM (SELECT sessions.*, row_number() OVER () - 1 AS n FROM sessions) AS s";
const UPDATE: &str = "\\set n random(0, 999)\n\\set t random(1, 1000000000)\n\
    UPDATE floor SET generation = generation + 1, refresh_digest = decode(lpad(to_hex(:t::bigint), 64, '0'), 'hex'), \
    rotated_at = :t, late_generation = NULL, last_used_at = :t \
    WHERE id = decode(lpad(to_hex(:n::bigint), 32, '0'), 'hex') AND ended_at IS NULL;\n";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("postgres", "Refresh rotations on PostgreSQL", NOTE);
    let postgres = Postgres::durable().map_err(|reason| anyhow!("PostgreSQL: {reason}"))?;
    let url = postgres.url();
    let folder = Folder::new(&run.dir, "postgres")?;
    let seeded = Seeded::create_in(folder.path(), Some(&url), SESSIONS)?;
    postgres.run(&url, TABLE);
    let script = folder.path().join("update.sql");
    fs::write(&script, UPDATE)?;
    let mut tokens = Vec::new();
    for at in 0..seeded.count() {
        tokens.push(seeded.token(at)?.as_bytes().to_vec());
    }
    let settings = [("SYMBOLON_DATABASE__URL", url.as_str())];
    let server = Server::symbolon(&run.server, folder.path(), Place::Anywhere, &settings)?;
    let time = Duration::from_secs(if run.quick { 2 } else { 4 });
    let (mut most, mut most_of_floor) = (0.0_f64, 0.0_f64);
    for connections in CONNECTIONS {
        let (mut ours, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..if run.quick { 1 } else { 3 } {
            let mut rotations = Rotations::new(std::mem::take(&mut tokens), connections);
            let load = Load::of(&server, connections, time);
            ours.push(load::once(load, &mut rotations)?);
            tokens = rotations.into_tokens();
            machine::wait_until_quiet();
            let mut pgbench = postgres.program("pgbench");
            let clients = connections.to_string();
            let seconds = time.as_secs().to_string();
            pgbench.args(["-n", "-M", "prepared", "-j", "1", "-c", &clients]);
            pgbench.args(["-T", &seconds, "-f"]).arg(&script).arg(&url);
            floors.push(transactions(&pgbench.output()?)?);
        }
        let (ours, floor) = (load::middle(ours)?, median(&mut floors));
        most = most.max(ours.per_second);
        most_of_floor = most_of_floor.max(floor);
        section.push(
            Row::new(format!("refresh, {connections} connections"), text(&ours)).beside(
                format!("{} updates by pgbench", rate(floor)),
                ours.per_second / floor,
            ),
        );
    }
    let floor = format!("{} updates by pgbench at its best", rate(most_of_floor));
    section.push(
        Row::new("refresh, at its best", rate(most))
            .beside(floor, most / most_of_floor)
            .at_least(0.7),
    );
    let other = Server::symbolon(&run.server, folder.path(), Place::Anywhere, &settings)?;
    section.push(crossing(&server, &other, &tokens)?);
    other.stop()?;
    server.stop()?;
    Ok(section)
}

/// Signs sessions out at one node, one after the other, and asks another one until it refuses their tokens.
fn crossing(server: &Server, other: &Server, tokens: &[Vec<u8>]) -> Result<Row> {
    const SIGN_OUTS: usize = 500;
    const BOUND: Duration = Duration::from_millis(100);
    let mut asking = Caller::connect(other.address)?;
    let mut delays = Vec::new();
    for token in tokens.iter().take(SIGN_OUTS) {
        let access = access_token(server, std::str::from_utf8(token)?)?;
        let request = profile_request(&access);
        if asking.call(&request)?.status != 200 {
            bail!("the other node refuses a token that is alive");
        }
        let reply = call_as(server.address, "POST /api/logout", Some(&access), "")?;
        let answered = clock::now();
        if reply.status != 204 {
            bail!("a sign-out was refused");
        }
        while asking.call(&request)?.status == 200 {}
        delays.push(u32::try_from(clock::since(answered).as_micros())?);
    }
    delays.sort_unstable();
    let [half, most, all] = [50, 99, 100].map(|share| load::quantile(&delays, share));
    let text = format!(
        "p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        half.as_secs_f64() * 1e3,
        most.as_secs_f64() * 1e3,
        all.as_secs_f64() * 1e3
    );
    let what = "from the answer to a sign-out to its refusal by another node";
    Ok(Row::new(what, text).bound("p99 < 100 ms", most < BOUND))
}

/// Without the share of other processes, of which the database is one.
fn text(figures: &Figures) -> String {
    format!(
        "{}, p50 {:.2} ms, p99 {:.2} ms, server {:.0} us each, PostgreSQL {:.0} us each",
        rate(figures.per_second),
        figures.p50.as_secs_f64() * 1e3,
        figures.p99.as_secs_f64() * 1e3,
        figures.server_cpu / figures.per_second * 1e6,
        figures.others / figures.per_second * 1e6
    )
}

/// The rate that `pgbench` prints, without the time that connecting took.
fn transactions(output: &std::process::Output) -> Result<f64> {
    let said = String::from_utf8_lossy(&output.stdout);
    let mut lines = said.lines();
    let failed = lines.find_map(|line| line.strip_prefix("number of failed transactions: "));
    if !output.status.success() || failed.is_some_and(|failed| !failed.starts_with("0 ")) {
        bail!(
            "pgbench: {said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split(' ').next());
    Ok(number.context("pgbench says no rate")?.parse()?)
}
