//! (d) Time to the first answer, memory, size of the binary.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::{
    Run, clock, load, machine,
    process::{Folder, Place, Server, call},
    refresh::rotate::Rotations,
    report::{Row, Section, median},
    seed::Seeded,
};

const NOTE: &str = "Time from the start of the process to the first 200 of `/healthz`, the middle of several starts, \
    beside the same of the bare hyper floor: what process, runtime and connection cost. Memory is what `/proc` calls \
    VmRSS, idle after 5 seconds without a request, then after refreshes on 32 connections.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("footprint", "Footprint", NOTE);
    let folder = Folder::new(&run.dir, "footprint")?;
    let seeded = Seeded::create(folder.path(), 1000)?;
    start_times(run, &folder, &mut section)?;
    memory(run, &folder, &seeded, &mut section)?;
    let size = std::fs::metadata(&run.server)
        .context("the server's binary")?
        .len();
    let size = size as f64 / f64::from(1 << 20);
    section.push(
        Row::new("size of the binary", format!("{size:.1} MiB")).bound("< 30 MB", size < 28.6),
    );
    Ok(section)
}

fn start_times(run: &Run, folder: &Folder, section: &mut Section) -> Result<()> {
    let starts = if run.quick { 5 } else { 15 };
    let (mut again, mut first, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..starts {
        machine::wait_until_quiet();
        again.push(first_answer(|| {
            Server::symbolon(&run.server, folder.path(), Place::Anywhere, &[])
        })?);
        let empty = Folder::new(&run.dir, "first")?;
        first.push(first_answer(|| {
            Server::symbolon(&run.server, empty.path(), Place::Anywhere, &[])
        })?);
        floor.push(first_answer(|| {
            Server::floor(&["profile".as_ref(), "20".as_ref()], Place::Anywhere)
        })?);
    }
    let floor = median(&mut floor);
    for (what, mut times) in [
        ("start, existing data", again),
        ("first start, no data", first),
    ] {
        let time = median(&mut times);
        let longest = times.last().copied().unwrap_or_default();
        section.push(
            Row::new(
                format!("{what}, to the first 200"),
                format!("{time:.1} ms, longest of {starts} {longest:.1} ms"),
            )
            .beside(format!("{floor:.1} ms floor"), time / floor)
            .bound("< 100 ms", time < 100.0),
        );
    }
    Ok(())
}

/// Milliseconds from before the process exists until it has answered.
fn first_answer(start: impl FnOnce() -> Result<Server>) -> Result<f64> {
    let (server, time) = started(start)?;
    server.stop()?;
    Ok(time)
}

/// The same with the server.
pub fn started(start: impl FnOnce() -> Result<Server>) -> Result<(Server, f64)> {
    let begin = clock::now();
    let server = start()?;
    let reply = call(server.address, "GET /healthz", "")?;
    let time = clock::since(begin).as_secs_f64() * 1e3;
    // The floor knows no route and no caller: its refusal is an answer too.
    ensure!(matches!(reply.status, 200 | 401), "status {}", reply.status);
    Ok((server, time))
}

fn memory(run: &Run, folder: &Folder, seeded: &Seeded, section: &mut Section) -> Result<()> {
    let server = Server::symbolon(&run.server, folder.path(), Place::Anywhere, &[])?;
    clock::pause(Duration::from_secs(5));
    let idle = machine::memory_mib(server.pid(), "VmRSS")?;
    let floor = Server::floor(&["profile".as_ref(), "20".as_ref()], Place::Anywhere)?;
    let bare = machine::memory_mib(floor.pid(), "VmRSS")?;
    let tokens = (0..seeded.count()).map(|at| Ok(seeded.token(at)?.as_bytes().to_vec()));
    let mut script = Rotations::new(tokens.collect::<Result<_>>()?, 32);
    let time = Duration::from_secs(if run.quick { 2 } else { 5 });
    load::pinned(&server, 32, time, &mut script)?;
    let busy = machine::memory_mib(server.pid(), "VmRSS")?;
    section.push(
        Row::new("resident, idle", format!("{idle:.1} MiB"))
            .beside(format!("{bare:.1} MiB floor"), idle / bare)
            .bound("< 25 MB", idle < 23.8),
    );
    section.push(
        Row::new("resident, after refreshes", format!("{busy:.1} MiB"))
            .beside(format!("{idle:.1} MiB idle"), busy / idle),
    );
    Ok(())
}
