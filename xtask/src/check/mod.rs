//! `cargo xtask check`: everything that can be told without running the program.

mod house;
mod rooms;
mod spdx;
mod supply;
mod walls;

use std::path::Path;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{generate, run, say};

/// One thing that is wrong, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    /// `FILE`, `FILE:LINE` or a package.
    pub(crate) at: String,
    pub(crate) says: String,
}

impl Finding {
    pub(crate) fn new(at: impl Into<String>, says: impl Into<String>) -> Self {
        let (at, says) = (at.into(), says.into());
        Self { at, says }
    }
}

type Step = fn(&Workspace) -> Result<Vec<Finding>>;

/// Quick ones first. Every step runs, so that one run tells everything.
const STEPS: &[(&str, Step)] = &[
    ("fmt", fmt),
    ("walls", walls::check),
    ("house", house::check),
    ("supply", supply::check),
    ("deny", deny),
    ("clippy", clippy),
    ("generated", generate::check),
];

pub(crate) fn run(workspace: &Workspace, chosen: &[String]) -> Result<()> {
    if let Some(unknown) = chosen
        .iter()
        .find(|name| !STEPS.iter().any(|(step, _)| step == name))
    {
        bail!(
            "there is no check `{unknown}`; there are: {}",
            names().join(", ")
        );
    }
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        if !chosen.is_empty() && !chosen.iter().any(|wanted| wanted == name) {
            continue;
        }
        let findings =
            step(workspace).unwrap_or_else(|error| vec![Finding::new(*name, format!("{error:#}"))]);
        for finding in &findings {
            say::line(&format!("{}: {}", finding.at, finding.says));
        }
        let verdict = if findings.is_empty() { "ok" } else { "FAILED" };
        say::line(&format!("check {name}: {verdict}"));
        if !findings.is_empty() {
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        bail!("these checks failed: {}", failed.join(", "));
    }
    Ok(())
}

fn names() -> Vec<&'static str> {
    STEPS.iter().map(|(name, _)| *name).collect()
}

fn fmt(workspace: &Workspace) -> Result<Vec<Finding>> {
    command(&workspace.root, &["fmt", "--all", "--check"])
}

fn clippy(workspace: &Workspace) -> Result<Vec<Finding>> {
    let args = [
        "clippy",
        "--quiet",
        "--keep-going",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    command(&workspace.root, &args)
}

/// cargo-deny, where it is installed. Without it nothing is skipped: `supply` holds the same rules.
fn deny(workspace: &Workspace) -> Result<Vec<Finding>> {
    if !run::answers(&mut run::cargo(&workspace.root, &["deny", "--version"])) {
        say::line("cargo-deny is not installed; `supply` has checked licences, bans and sources");
        return Ok(Vec::new());
    }
    let args = ["deny", "--offline", "check", "licenses", "bans", "sources"];
    command(&workspace.root, &args)
}

fn command(root: &Path, args: &[&str]) -> Result<Vec<Finding>> {
    let ended = run::shown(&mut run::cargo(root, args));
    Ok(ended
        .err()
        .map(|error| Finding::new("cargo", format!("{error:#}")))
        .into_iter()
        .collect())
}
