//! `cargo xtask bench`: the figures of a release build, never of a development one.

use std::process::Command;

use anyhow::Result;

use crate::run;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    // One by one: built together, the server would get the features that the benchmarks ask of its libraries.
    for package in ["symbolon-bench", "symbolon"] {
        let build = ["build", "--release", "-p", package];
        run::shown(&mut run::cargo(&workspace.root, &build))?;
    }
    let program = workspace.target()?.join("release").join("symbolon-bench");
    run::shown(
        Command::new(program)
            .args(args)
            .current_dir(&workspace.root),
    )
}
