//! `cargo xtask test`: every test, and at the end what was skipped and how to have it.
//!
//! A test whose service is missing (PostgreSQL, Redis, nginx, Node, the former version) appends one line,
//! `WHAT: how to install it`, to the file named by `SYMBOLON_SKIP_LOG` and returns. With
//! `SYMBOLON_REQUIRE_ALL=1`, which `--all` sets, it fails instead. The guards in other languages have suites of their
//! own, which run when no test is picked out.

mod former;
mod sdk;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;
use crate::{run, say};
use sdk::Sdks;

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    let log = workspace.target()?.join("skipped-tests.txt");
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
    let everything = args.iter().all(|arg| arg == "--all");
    let all = ours(args).iter().any(|arg| arg == "--all");
    let sdks = match everything {
        true => Some(Sdks::prepare(workspace)?),
        false => None,
    };
    let mut command = command(workspace, args);
    command.env("SYMBOLON_SKIP_LOG", &log);
    let mut counts = Counts::default();
    let mut missing = Vec::new();
    if let Some(sdks) = &sdks {
        sdks.tell(&mut command);
    }
    if let Some(former) = former::binary(workspace, all)? {
        command.env("SYMBOLON_FORMER", former);
    }
    let mut ended_well = counted(&mut command, &mut counts)?;
    if let Some(sdks) = &sdks {
        let (well, not_run) = sdks.run(&mut counts)?;
        ended_well &= well;
        missing = not_run;
    }
    let mut skipped = std::fs::read_to_string(&log).unwrap_or_default();
    let returned_early = skipped.lines().count();
    for line in &missing {
        skipped.push_str(&format!("{line}\n"));
    }
    for line in skip_lines(&skipped) {
        say::line(&line);
    }
    if counts.passed + counts.failed > 0 {
        counts.ignored += missing.len();
        say::line(&counts.closing_line(returned_early));
    }
    if all && !missing.is_empty() {
        bail!("what was skipped is missing");
    }
    if !ended_well {
        bail!("the tests failed");
    }
    if counts.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// What is not for the tests themselves: all before `--`.
fn ours(args: &[String]) -> &[String] {
    args.split(|arg| arg == "--").next().unwrap_or_default()
}

fn command(workspace: &Workspace, args: &[String]) -> Command {
    let mut command = run::cargo(&workspace.root, &["test", "--no-fail-fast"]);
    if !ours(args)
        .iter()
        .any(|arg| arg == "-p" || arg.starts_with("--package"))
    {
        command.arg("--workspace");
    }
    let mut passing_on = false;
    for arg in args {
        passing_on |= arg == "--";
        if arg == "--all" && !passing_on {
            command.env("SYMBOLON_REQUIRE_ALL", "1");
        } else {
            command.arg(arg);
        }
    }
    command
}

/// Runs tests, shows their output as it comes, and adds up their results; whether they ended well.
fn counted(command: &mut Command, counts: &mut Counts) -> Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if let Some(output) = child.stdout.take() {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            counts.add(text.trim_end());
            say::line(text.trim_end());
            line.clear();
        }
    }
    Ok(child.wait()?.success())
}

/// One line for each thing that was missing, with the number of tests that it kept from running.
fn skip_lines(log: &str) -> Vec<String> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for line in log.lines() {
        *times.entry(line).or_default() += 1;
    }
    let line = |(what, count): (&str, usize)| format!("skipped {count}: {what}");
    times.into_iter().map(line).collect()
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Adds what a closing line says, of a test program in Rust (`test result: ok. 3 passed; …`), of Node's runner
    /// (`# pass 3`) or of pytest (`3 passed, 1 skipped in 0.12s`); any other line says nothing.
    fn add(&mut self, line: &str) {
        let (rest, word_first) = match line.strip_prefix("test result: ") {
            Some(rest) => (rest, false),
            None if line.contains(" in ") && line.contains(" passed") => {
                (line.split(" in ").next().unwrap_or_default(), false)
            }
            None => match line.strip_prefix("# ").or(line.strip_prefix("\u{2139} ")) {
                Some(rest) => (rest, true),
                None => return,
            },
        };
        for part in rest.split(['.', ';', ',']) {
            let Some((first, second)) = part.trim().trim_matches('=').trim().split_once(' ') else {
                continue;
            };
            let (number, word) = if word_first {
                (second, first)
            } else {
                (first, second)
            };
            let Ok(number) = number.parse::<usize>() else {
                continue;
            };
            match word {
                "passed" | "pass" => self.passed += number,
                "failed" | "fail" | "error" | "errors" => self.failed += number,
                "ignored" | "skipped" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// A skipped test returned early, so its program counted it as passed.
    fn closing_line(&self, skipped: usize) -> String {
        let passed = self.passed.saturating_sub(skipped);
        let (failed, skipped) = (self.failed, skipped + self.ignored);
        format!("tests: {passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, skip_lines};

    #[test]
    fn closing_lines_add_up_and_skipped_tests_are_not_passed_ones() {
        let mut counts = Counts::default();
        counts.add("running 3 tests");
        counts.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 1.20s");
        counts.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        assert_eq!(
            counts,
            Counts {
                passed: 15,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(
            counts.closing_line(4),
            "tests: 11 passed, 2 failed, 5 skipped"
        );
    }

    #[test]
    fn other_runners_count_too() {
        let mut counts = Counts::default();
        for line in [
            "# tests 9",
            "# pass 7",
            "# fail 1",
            "# skipped 1",
            "\u{2139} pass 2",
        ] {
            counts.add(line);
        }
        counts.add("20 passed, 2 skipped in 3.21s");
        counts.add("== 1 failed, 4 passed in 0.10s ==");
        counts.add("it passed in a hurry");
        let expected = Counts {
            passed: 33,
            failed: 2,
            ignored: 3,
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn a_missing_service_is_told_once() {
        let log = "Redis: apt-get install redis-server\nPostgreSQL: apt-get install postgresql\nRedis: apt-get install redis-server\n";
        assert_eq!(
            skip_lines(log),
            [
                "skipped 1: PostgreSQL: apt-get install postgresql",
                "skipped 2: Redis: apt-get install redis-server",
            ]
        );
    }
}
