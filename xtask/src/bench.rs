//! `cargo xtask bench`: the figures of a release build, never of a development one.

use std::process::Command;

use anyhow::Result;

use crate::install;
use crate::run;
use crate::workspace::Workspace;

/// Sections that measure other servers. Only who names one of them has those installed.
const OF_OTHERS: [&str; 2] = ["oauth", "peers"];

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    if args.iter().any(|arg| OF_OTHERS.contains(&arg.as_str())) {
        install::peers(workspace)?;
    }
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
