//! (g) A guard's verdicts, its memory, and how long its first snapshot takes.

pub mod child;
mod verdict;

use anyhow::Result;
use child::Freed;

use crate::{
    Run, clock,
    feed::readers::Readers,
    machine,
    process::{Folder, LOAD_CORE, Place, Server},
    report::{Row, Section, count},
    say,
    seed::Seeded,
};

/// Where the project promises something.
const PROMISED_AT: usize = 1_000_000;
/// Sessions whose tokens are judged.
pub const SESSIONS: usize = 1000;
/// 64 MB.
const MOST_MIB: f64 = 61.0;

const NOTE: &str = "Pinned. The guards are `symbolon_guard::Guard`s that follow a server whose store has so many revoked \
    sessions. Verdicts are those of `Guard::check` on one thread: \"seen\" with one token again and again or with 1,000 \
    in turn, \"new\" with 1,000 in turn and a cache that keeps next to none, beside the signature check and claims \
    pass of the section `tokens`. Memory is that of a process with one guard in it, over what it had before the guard \
    was started; what is freed goes back to the system at once, so that it is what the guard needs. The first snapshot is beside a bare reader of the same stream.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("guard", "Guards", NOTE);
    let folder = Folder::new(&run.dir, "guard")?;
    let mut seeded = Seeded::create(folder.path(), SESSIONS as u64)?;
    let mut memory = Vec::new();
    let steps: &[usize] = if run.quick {
        &[100_000, PROMISED_AT]
    } else {
        &[100_000, PROMISED_AT, 2_000_000]
    };
    let mut revoked = 0;
    for &revocations in steps {
        let start = clock::now();
        seeded.revoke(revoked as u64, revocations as u64)?;
        revoked = revocations;
        let time = clock::since(start).as_secs_f64();
        say::line(format!(
            "{} revocations written in {time:.0} s",
            count(revocations as f64)
        ));
        let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
        follow(&server, revocations, &mut memory)?;
        if revocations == PROMISED_AT {
            verdict::measure(run, &server, &seeded, &mut section)?;
        }
        server.stop()?;
    }
    for row in memory {
        section.push(row);
    }
    Ok(section)
}

fn follow(server: &Server, revocations: usize, rows: &mut Vec<Row>) -> Result<()> {
    machine::wait_until_quiet();
    let start = clock::now();
    let bare = machine::on_core(LOAD_CORE, || Readers::open(server.address, 1))?;
    let bare_seconds = clock::since(start).as_secs_f64();
    let mebibytes = bare.bytes_each() >> 20;
    drop(bare);
    let seen = child::run(server.address, revocations, Freed::AsUsual)?;
    let needed = child::run(server.address, revocations, Freed::GivenBack)?;
    let (grown, most) = (needed.after - needed.before, needed.peak - needed.before);
    let each = grown * 1024.0 * 1024.0 / revocations as f64;
    let revocations_text = count(revocations as f64);
    let memory = Row::new(
        format!("memory of a guard, {revocations_text} revocations"),
        format!(
            "{grown:.1} MiB, {each:.1} bytes each, at most {most:.1} MiB; where mimalloc keeps what was freed {:.1} MiB",
            seen.peak - seen.before
        ),
    );
    let snapshot = Row::new(
        format!("first snapshot, {revocations_text} revocations"),
        format!("{:.2} s, {mebibytes} MiB", seen.seconds),
    )
    .beside(
        format!("{bare_seconds:.2} s bare reader"),
        seen.seconds / bare_seconds,
    );
    if revocations == PROMISED_AT {
        rows.push(memory.bound("< 64 MB", most < MOST_MIB));
        // What a guard waits for its first snapshot, unless it is told otherwise.
        rows.push(snapshot.bound("< 10 s", seen.seconds < 10.0));
    } else {
        rows.extend([memory, snapshot]);
    }
    let resident = machine::memory_mib(server.pid(), "VmRSS")?;
    rows.push(Row::new(
        format!("resident, the server with {revocations_text} revocations"),
        format!("{resident:.1} MiB"),
    ));
    Ok(())
}
