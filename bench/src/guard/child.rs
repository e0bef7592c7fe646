//! A guard in a process of its own, so that its memory is nobody else's.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    clock,
    feed::guards::{builder, client},
    machine,
    process::LOAD_CORE,
    say,
};

/// What the process saw of itself. Memory in MiB.
#[derive(Serialize, Deserialize)]
pub struct Seen {
    /// Resident, with a client but no guard.
    pub before: f64,
    /// Resident, with a guard that has taken its first snapshot.
    pub after: f64,
    /// The most that was ever resident.
    pub peak: f64,
    /// From the start of the guard until then.
    pub seconds: f64,
    entries: usize,
}

/// What becomes of memory that the guard has freed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// The system has it back at once, so that what is resident is what the guard needs.
    GivenBack,
    /// mimalloc decides.
    AsUsual,
}

/// Starts the process and waits for what it saw.
pub fn run(server: SocketAddr, entries: usize, freed: Freed) -> Result<Seen> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["follow", &server.to_string()])
        .stderr(Stdio::inherit());
    if freed == Freed::GivenBack {
        command.env("MIMALLOC_PURGE_DELAY", "0");
    }
    let output = machine::on_core(LOAD_CORE, || command.output())?;
    ensure!(output.status.success(), "the guard's process failed");
    let seen: Seen = serde_json::from_slice(&output.stdout).context("what it saw")?;
    ensure!(seen.entries == entries, "{} entries", seen.entries);
    Ok(seen)
}

/// `follow ADDRESS`: that process.
pub fn main(arguments: &[String]) -> Result<()> {
    let [server] = arguments else {
        bail!("follow ADDRESS");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = client()?;
    let builder = builder(server.parse()?, client)?;
    let resident = |name| machine::memory_mib(std::process::id(), name);
    let before = resident("VmRSS")?;
    let start = clock::now();
    let guard = runtime.block_on(builder.start())?;
    let seen = Seen {
        before,
        seconds: clock::since(start).as_secs_f64(),
        after: resident("VmRSS")?,
        peak: resident("VmHWM")?,
        entries: guard.metrics().entries,
    };
    say::line(serde_json::to_string(&seen)?);
    Ok(())
}
