//! (f) From a logout to its refusal by every guard, and many streams at once.

pub mod guards;
pub mod logouts;
pub mod readers;

use std::time::Duration;

use anyhow::{Context as _, Result};
use guards::Guards;
use logouts::{Asked, Delays, Signed, millis, numbers, paced, request, signed};
use readers::{Mark, Readers};

use crate::{
    Run, clock,
    load::Caller,
    machine::{self, Usage},
    process::{Folder, LOAD_CORE, Place, Server},
    report::{Row, Section, count, median},
    seed::Seeded,
};

const GUARDS: usize = 200;
const PER_SECOND: u32 = 500;
const STREAMS: usize = 5000;
/// Files that are open beside the streams.
const OTHER_FILES: u64 = 200;

const NOTE: &str = "Pinned. Sessions end by `POST /api/logout` at a steady rate, 16 callers in turn. Each guard is a \
    `symbolon_guard::Guard` with a stream of its own, all in one process and on one thread; it notes when it has heeded \
    a revocation, from when on it refuses the session's tokens. A delay counts from the moment that the caller has the \
    answer (what was heeded before counts as 0), and there is one for each logout and guard. \"Bare readers\" read the \
    same stream and do nothing with it. The bare sender answers each call and writes the bytes of one revocation to \
    every bare reader at once: no HTTP, no store, no gathering.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("feed", "Revocations on their way", NOTE);
    to_guards(run, &mut section)?;
    many_streams(run, &mut section)?;
    Ok(section)
}

/// What came of logouts at a steady rate.
struct Outcome {
    delays: Delays,
    per_second: f64,
    usage: String,
}

impl Outcome {
    fn new(asked: &[Asked], delays: Delays, usage: &Usage) -> Result<Self> {
        let first = asked.iter().map(|asked| asked.at).min();
        let last = asked.iter().map(|asked| asked.answered).max();
        let (first, last) = first.zip(last).context("nothing was asked")?;
        let time = last.saturating_duration_since(first).as_secs_f64();
        Ok(Self {
            delays,
            per_second: asked.len() as f64 / time,
            usage: usage.text(),
        })
    }

    fn text(&self) -> String {
        format!("{}, {}", histogram(&self.delays.from_answer), self.usage)
    }
}

fn histogram(sorted: &[u32]) -> String {
    let at = |share| format!("{:.2}", millis(sorted, share));
    format!(
        "p50 {}, p90 {}, p99 {}, p99.9 {}, max {} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    )
}

fn to_guards(run: &Run, section: &mut Section) -> Result<()> {
    let logouts = PER_SECOND as usize * if run.quick { 3 } else { 10 };
    let folder = Folder::new(&run.dir, "feed")?;
    let seeded = Seeded::create(folder.path(), 2 * logouts as u64)?;
    let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
    let mut sessions = signed(&server, &seeded, 2 * logouts)?;
    let others = sessions.split_off(logouts);
    let ours = machine::on_core(LOAD_CORE, || with_guards(&server, &sessions))?;
    let plain = machine::on_core(LOAD_CORE, || {
        let requests: Vec<_> = others.iter().map(|one| request(&one.access)).collect();
        let numbers = || numbers(server.address, &others);
        with_readers(&server, &requests, numbers)
    })?;
    server.stop()?;
    let floor = Server::floor(&["relay".as_ref()], Place::Pinned)?;
    let bare = machine::on_core(LOAD_CORE, || {
        let requests: Vec<_> = (0..logouts).map(bare_request).collect();
        with_readers(&floor, &requests, || Ok((0..logouts as u64).collect()))
    })?;
    tell(&ours, &plain, &bare, section);
    Ok(())
}

fn bare_request(number: usize) -> Vec<u8> {
    format!("POST /{number} HTTP/1.1\r\n\r\n").into_bytes()
}

fn with_guards(server: &Server, sessions: &[Signed]) -> Result<Outcome> {
    let guards = Guards::start(server, GUARDS)?;
    let tokens: Vec<&str> = sessions.iter().map(|one| one.access.as_str()).collect();
    guards.judge(&tokens, false)?;
    let requests: Vec<_> = tokens.iter().map(|token| request(token)).collect();
    machine::wait_until_quiet();
    let usage = Usage::of(server.pid());
    let asked = paced(server.address, &requests, PER_SECOND)?;
    let numbers = numbers(server.address, sessions)?;
    guards.wait_for(numbers.iter().copied().max().unwrap_or_default())?;
    let outcome =
        |marks: &[Vec<Mark>]| Outcome::new(&asked, Delays::new(&asked, &numbers, marks)?, &usage);
    guards.judge(&tokens, true)?;
    outcome(&guards.into_marks())
}

fn with_readers(
    server: &Server,
    requests: &[Vec<u8>],
    numbers: impl FnOnce() -> Result<Vec<u64>>,
) -> Result<Outcome> {
    let mut readers = Readers::open(server.address, GUARDS)?;
    machine::wait_until_quiet();
    let usage = Usage::of(server.pid());
    let asked = std::thread::scope(|scope| {
        let callers = scope.spawn(|| paced(server.address, requests, PER_SECOND));
        readers.until_noted(requests.len())?;
        callers
            .join()
            .map_err(|_| anyhow::anyhow!("a caller panicked"))?
    })?;
    let delays = Delays::new(&asked, &numbers()?, &readers.into_marks())?;
    Outcome::new(&asked, delays, &usage)
}

fn tell(ours: &Outcome, plain: &Outcome, bare: &Outcome, section: &mut Section) {
    for (name, share, most) in [("p50", 0.5, 10.0), ("p99", 0.99, 50.0)] {
        let [delay, floor] = [ours, bare].map(|one| millis(&one.delays.from_answer, share));
        section.push(
            Row::new(
                format!("from the answer to the refusal by {GUARDS} guards, {name}"),
                format!("{delay:.2} ms"),
            )
            .beside(format!("{floor:.2} ms bare sender"), delay / floor)
            .bound(format!("< {most} ms"), delay < most),
        );
    }
    let early = ours.delays.early_percent();
    section.push(Row::new(
        "the same, all delays",
        format!("{}; {early:.0} % before the answer", ours.text()),
    ));
    section.push(Row::new(
        "the same from the question on",
        histogram(&ours.delays.from_question),
    ));
    section.push(Row::new(
        format!("the server to {GUARDS} bare readers"),
        plain.text(),
    ));
    section.push(Row::new(
        format!("bare sender to {GUARDS} bare readers"),
        bare.text(),
    ));
    let wanted = f64::from(PER_SECOND);
    section.push(
        Row::new("logouts a second", format!("{:.1}/s", ours.per_second))
            .bound(format!("{PER_SECOND}/s"), ours.per_second >= wanted * 0.99),
    );
}

fn many_streams(run: &Run, section: &mut Section) -> Result<()> {
    let files = usize::try_from(machine::open_files().saturating_sub(OTHER_FILES))?;
    let streams = STREAMS.min(files);
    let logouts = if run.quick { 10 } else { 50 };
    let folder = Folder::new(&run.dir, "streams")?;
    let seeded = Seeded::create(folder.path(), logouts as u64)?;
    let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
    let sessions = signed(&server, &seeded, logouts)?;
    clock::pause(Duration::from_secs(2));
    let without = machine::memory_mib(server.pid(), "VmRSS")?;
    let ours = machine::on_core(LOAD_CORE, || -> Result<_> {
        let mut readers = Readers::open(server.address, streams)?;
        // A heartbeat comes by.
        readers.idle(Duration::from_secs(6))?;
        let with = machine::memory_mib(server.pid(), "VmRSS")?;
        let requests: Vec<_> = sessions.iter().map(|one| request(&one.access)).collect();
        Ok((with, one_by_one(&server, readers, &requests)?))
    });
    let (with, (ours, last)) = ours?;
    let most = machine::memory_mib(server.pid(), "VmHWM")?;
    server.stop()?;
    let floor = Server::floor(&["relay".as_ref()], Place::Pinned)?;
    let requests: Vec<_> = (0..logouts).map(bare_request).collect();
    let (bare, bare_last) = machine::on_core(LOAD_CORE, || {
        let readers = Readers::open(floor.address, streams)?;
        one_by_one(&floor, readers, &requests)
    })?;
    let each = (with - without) * 1024.0 / streams as f64;
    let streams = match streams {
        STREAMS => count(streams as f64),
        fewer => format!("{} (no more files may be open)", count(fewer as f64)),
    };
    section.push(
        Row::new(
            format!("resident, {streams} idle streams"),
            format!("{with:.1} MiB, {each:.1} KiB each; at most {most:.1} MiB"),
        )
        .beside(format!("{without:.1} MiB without"), with / without)
        .bound("< 100 MB", with < 95.3),
    );
    section.push(
        Row::new(
            format!("from the answer to the last of {streams} streams"),
            format!(
                "{last:.1} ms in the middle; of all: {}",
                histogram(&ours.from_answer)
            ),
        )
        .beside(format!("{bare_last:.1} ms bare sender"), last / bare_last),
    );
    section.push(Row::new(
        format!("bare sender to {streams} bare readers"),
        histogram(&bare.from_answer),
    ));
    Ok(())
}

/// Each logout after the one before it has reached every reader. Beside the delays: how long it took to the last
/// reader, in milliseconds, the middle of all logouts.
fn one_by_one(
    server: &Server,
    mut readers: Readers,
    requests: &[Vec<u8>],
) -> Result<(Delays, f64)> {
    let mut caller = Caller::connect(server.address)?;
    let mut asked = Vec::with_capacity(requests.len());
    for request in requests {
        let at = clock::now();
        let answer = caller.call(request)?;
        anyhow::ensure!(answer.status == 204, "{}", answer.text());
        let answered = clock::now();
        asked.push(Asked { at, answered });
        readers.until_noted(asked.len())?;
    }
    let marks = readers.into_marks();
    let numbers: Vec<u64> = marks.iter().take(1).flatten().map(|mark| mark.0).collect();
    let last = |(at, asked): (usize, &Asked)| {
        let noted = marks.iter().filter_map(|marks| marks.get(at));
        let last = noted.map(|mark| mark.1).max().unwrap_or(asked.answered);
        last.saturating_duration_since(asked.answered).as_secs_f64() * 1e3
    };
    let mut lasts: Vec<f64> = asked.iter().enumerate().map(last).collect();
    Ok((Delays::new(&asked, &numbers, &marks)?, median(&mut lasts)))
}
