//! What comes from the package registries, at the versions of committed lock files, into folders that git ignores, and
//! only when a lock file has changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;
use crate::{run, say};

/// Whether Node 20 and npm are there.
pub(crate) fn node_answers() -> bool {
    let program = "process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)";
    run::answers(Command::new("node").args(["-e", program]))
        && run::answers(Command::new("npm").arg("--version"))
}

/// Whether Python 3.11 can make a folder of its own for packages.
pub(crate) fn python_answers() -> bool {
    let program = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    run::answers(Command::new("python3").args(["-c", program]))
}

/// `npm` in a folder.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder);
    command
}

/// What `package-lock.json` in the folder says, without the packages' own scripts. True when it was needed.
///
/// # Errors
/// There is no lock file, or npm fails.
pub(crate) fn npm_ci(folder: &Path, stamp: &Path) -> Result<bool> {
    let wanted = std::fs::read_to_string(folder.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", folder.display()))?;
    if folder.join("node_modules").is_dir() && is(stamp, &wanted) {
        return Ok(false);
    }
    say::line(&format!("installing what {} needs", folder.display()));
    let install = [
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--silent",
    ];
    run::shown(&mut npm(folder, &install))?;
    keep(stamp, &wanted)?;
    Ok(true)
}

/// A Python environment in `folder` with what lists of requirements name; true when it was made anew.
///
/// # Errors
/// A list cannot be read, or pip fails.
pub(crate) fn pip(folder: &Path, lists: &[PathBuf], stamp: &Path, wanted: &str) -> Result<bool> {
    let python = folder.join("bin/python");
    let mut wanted = wanted.to_owned();
    for list in lists {
        let text = std::fs::read_to_string(list);
        wanted.push_str(&text.with_context(|| format!("{} cannot be read", list.display()))?);
    }
    if is(stamp, &wanted) && python.exists() {
        return Ok(false);
    }
    say::line(&format!("installing what {} needs", folder.display()));
    run::shown(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder),
    )?;
    let mut install = pip_install(&python);
    for list in lists {
        install.arg("-r").arg(list);
    }
    run::shown(&mut install)?;
    keep(stamp, &wanted)?;
    Ok(true)
}

/// `pip install`, to be told what.
pub(crate) fn pip_install(python: &Path) -> Command {
    let mut install = Command::new(python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    install
}

const PEERS: &str = "bench/peers";
/// What has to be compiled, or fetched as its makers built it.
const NATIVE: &str = "better-sqlite3";

/// What the benchmarks measure ours beside, in `target/peers`. What cannot be had is told, and not measured.
///
/// # Errors
/// The target folder is unknown, or cannot be written to.
pub(crate) fn peers(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target()?.join("peers");
    std::fs::create_dir_all(&folder)?;
    let from = workspace.root.join(PEERS);
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(from.join(file), folder.join(file))
            .with_context(|| format!("cannot copy {file}"))?;
    }
    let built = folder.join("node_modules").join(NATIVE).join("build");
    let packages = || {
        npm_ci(&folder, &folder.join("packages.lock"))?;
        if !built.exists() {
            run::shown(&mut npm(&folder, &["rebuild", "--silent", NATIVE]))?;
        }
        anyhow::Ok(())
    };
    tell("Node's packages", node_answers(), packages);
    let lists = [from.join("requirements.txt")];
    let python = folder.join("python");
    let stamp = folder.join("requirements.lock");
    let environment = || pip(&python, &lists, &stamp, &python.display().to_string());
    tell("Python's packages", python_answers(), || {
        environment().map(drop)
    });
    Ok(())
}

fn tell(what: &str, there: bool, install: impl FnOnce() -> Result<()>) {
    if !there {
        say::line(&format!(
            "{what} for the benchmarks are not installed: their language is missing"
        ));
    } else if let Err(error) = install() {
        say::line(&format!(
            "{what} for the benchmarks cannot be installed: {error:#}"
        ));
    }
}

fn is(stamp: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|text| text == wanted)
}

fn keep(stamp: &Path, text: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(stamp, text).with_context(|| format!("cannot write {}", stamp.display()))
}
