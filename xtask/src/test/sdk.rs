//! The guards in JavaScript and Python and the client in JavaScript: what their tests and examples need, and their own
//! suites; and what other people's OAuth clients need.
//!
//! Everything comes from the package registries: see [`crate::install`].

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Counts, counted};
use crate::install::{node_answers, npm, npm_ci, pip, pip_install, python_answers};
use crate::run;
use crate::workspace::Workspace;

const NODE: &str = "Node 20 or later: apt-get install nodejs npm";
const PYTHON: &str = "Python 3.11 or later: apt-get install python3-venv";
const CHROMIUM: &str = "Chromium: apt-get install chromium";
const CHROMIUM_PROGRAM: &str = "/usr/bin/chromium";
const GUARD: &str = "sdk/js/guard";
const CLIENT: &str = "sdk/js/client";
const EXPRESS: &str = "examples/express";
const MCP: &str = "examples/mcp";
const PYTHON_GUARD: &str = "sdk/python";
/// OAuth clients that others wrote.
const CLIENTS: &str = "crates/server/tests/clients";
/// One of them in Rust, with dependencies that the workspace is not to have.
const OPENIDCONNECT: &str = "crates/server/tests/clients/openidconnect";
/// What the Python guard's tests, its example and a client of others need.
const REQUIREMENTS: [&str; 3] = [
    "sdk/python/requirements-test.txt",
    "examples/fastapi/requirements.txt",
    "crates/server/tests/clients/requirements.txt",
];

/// What is there to run the guards with.
pub(super) struct Sdks {
    root: PathBuf,
    node: bool,
    python: Option<PathBuf>,
    openidconnect: PathBuf,
    /// The server that the client's tests start, once the tests in Rust have built it.
    server: PathBuf,
}

impl Sdks {
    /// Installs what is needed, as far as Node and Python are there.
    pub(super) fn prepare(workspace: &Workspace) -> Result<Self> {
        let root = workspace.root.clone();
        let node = node_answers();
        if node {
            install_node(&root, workspace).context("the JavaScript guard")?;
        }
        let python = match python_answers() {
            true => Some(install_python(&root, workspace).context("the Python guard")?),
            false => None,
        };
        let openidconnect = build_openidconnect(&root, workspace)?;
        Ok(Self {
            root,
            node,
            python,
            openidconnect,
            server: workspace.target()?.join("debug/symbolon"),
        })
    }

    /// Tells the tests in Rust where the example services are.
    pub(super) fn tell(&self, command: &mut Command) {
        command.env("SYMBOLON_TEST_OPENIDCONNECT", &self.openidconnect);
        if self.node {
            command.env("SYMBOLON_TEST_EXPRESS", self.root.join(EXPRESS));
            command.env("SYMBOLON_TEST_MCP", self.root.join(MCP));
            command.env("SYMBOLON_TEST_CLIENTS", self.root.join(CLIENTS));
        }
        if let Some(python) = &self.python {
            command.env("SYMBOLON_TEST_PYTHON", python);
        }
    }

    /// Runs the suites; the lines of those that cannot run here.
    pub(super) fn run(&self, counts: &mut Counts) -> Result<(bool, Vec<&'static str>)> {
        let mut missing = Vec::new();
        let mut ended_well = true;
        if self.node {
            for folder in [GUARD, CLIENT] {
                let mut command = npm(&self.root.join(folder), &["run", "--silent", "test"]);
                command.env("SYMBOLON_TEST_SERVER", &self.server);
                ended_well &= counted(&mut command, counts)?;
            }
            if !Path::new(CHROMIUM_PROGRAM).exists() {
                missing.push(CHROMIUM);
            }
        } else {
            missing.push(NODE);
        }
        if let Some(python) = &self.python {
            let mut command = Command::new(python);
            command
                .args(["-m", "pytest", "-p", "no:cacheprovider"])
                .current_dir(self.root.join(PYTHON_GUARD));
            ended_well &= counted(&mut command, counts)?;
        } else {
            missing.push(PYTHON);
        }
        Ok((ended_well, missing))
    }
}

fn install_node(root: &Path, workspace: &Workspace) -> Result<()> {
    for folder in [GUARD, CLIENT, EXPRESS, MCP, CLIENTS] {
        let folder_path = root.join(folder);
        let stamp = workspace
            .target()?
            .join(format!("sdk/{}.lock", folder.replace('/', "-")));
        npm_ci(&folder_path, &stamp)?;
        if folder == GUARD {
            // The example is built on what the guard is built into.
            run::shown(&mut npm(&folder_path, &["run", "--silent", "build"]))?;
        }
    }
    Ok(())
}

fn install_python(root: &Path, workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target()?.join("sdk/python");
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.lock");
    let lists = REQUIREMENTS.map(|list| root.join(list));
    // The guard is installed as it stands in this tree: another tree needs its own.
    if pip(&folder, &lists, &stamp, &root.display().to_string())? {
        let mut guard = pip_install(&python);
        guard.args(["--no-deps", "-e", PYTHON_GUARD]);
        if let Err(error) = run::shown(guard.current_dir(root)) {
            std::fs::remove_file(&stamp)?;
            return Err(error);
        }
    }
    Ok(python)
}

fn build_openidconnect(root: &Path, workspace: &Workspace) -> Result<PathBuf> {
    let target = workspace.target()?.join("clients");
    let mut build = Command::new("cargo");
    build
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(&target)
        .current_dir(root.join(OPENIDCONNECT));
    run::shown(&mut build).context("the client in Rust")?;
    Ok(target.join("debug/symbolon-test-client-openidconnect"))
}
