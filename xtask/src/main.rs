//! `cargo xtask check|test|gen|bench|fuzz`: what is done with this repository, in Rust instead of shell.

mod bench;
mod check;
mod fuzz;
mod generate;
mod install;
mod run;
mod rust;
mod say;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check                    formatting, clippy, walls, house rules, dependencies, generated files
  test [--all] [ARGS]      every test; --all fails where a service is missing instead of skipping;
                           ARGS go to `cargo test` (a filter, -p CRATE, -- --nocapture)
  gen                      writes docs/openapi.json, docs/postman.json and docs/configuration.md
  bench [ARGS]             builds the release binaries and runs the benchmarks
  fuzz [TARGET] [SECONDS]  runs one fuzz target, or each in turn (60 s)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((command, rest)) = args.split_first() else {
        bail!("no command given\n{USAGE}");
    };
    match command.as_str() {
        "check" => check::run(&Workspace::locate()?, rest),
        "test" => test::run(&Workspace::locate()?, rest),
        "gen" => generate::run(&Workspace::locate()?),
        "bench" => bench::run(&Workspace::locate()?, rest),
        "fuzz" => fuzz::run(&Workspace::locate()?, rest),
        "help" | "--help" | "-h" => {
            say::line(USAGE);
            Ok(())
        }
        other => bail!("there is no command `{other}`\n{USAGE}"),
    }
}
