//! What `cargo xtask bench peers` installed under `target/peers`, and how it is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::Run;

/// A script of `bench/peers` under Node; nothing where the npm package that it needs is not installed.
pub fn node(run: &Run, package: &str, script: &str) -> Result<Option<Command>> {
    if !run.peers.join("node_modules").join(package).exists() {
        return Ok(None);
    }
    let mut command = Command::new("node");
    command.arg(beside_packages(run, script)?);
    command.env("NODE_ENV", "production");
    command.envs(preloaded(run));
    Ok(Some(command))
}

/// The same under the Python that has FastAPI.
pub fn python(run: &Run, script: &str) -> Result<Option<Command>> {
    let python = run.peers.join("python/bin/python");
    if !python.exists() {
        return Ok(None);
    }
    let mut command = Command::new(python);
    command.arg(beside_packages(run, script)?);
    command.envs(preloaded(run));
    Ok(Some(command))
}

/// The same run on a disk whose syncs are slow; nothing where there is no C compiler to make that.
pub fn on_a_slow_disk(run: &Run) -> Result<Option<Run>> {
    let library = run.dir.join("slow_sync.so");
    std::fs::create_dir_all(&run.dir)?;
    let mut compiler = Command::new("cc");
    compiler
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&library);
    compiler.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/slow_sync.c"));
    let made = compiler.status().is_ok_and(|status| status.success());
    let slow_sync = Some(library);
    Ok(made.then(|| Run {
        slow_sync,
        ..run.clone()
    }))
}

/// What a server's process is told of that.
pub fn preloaded(run: &Run) -> Vec<(&'static str, &str)> {
    let library = run.slow_sync.as_ref().and_then(|path| path.to_str());
    library
        .map(|path| ("LD_PRELOAD", path))
        .into_iter()
        .collect()
}

/// A script finds its packages beside itself: it is copied to where they are.
fn beside_packages(run: &Run, script: &str) -> Result<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(script);
    let to = run.peers.join(script);
    std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(to)
}
