//! `cargo xtask fuzz`: needs a nightly compiler and cargo-fuzz, and says so where they are missing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;
use crate::{run, say};

const SECONDS: u64 = 60;

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<()> {
    let folder = workspace.root.join("fuzz");
    let known = targets(&folder)?;
    let (chosen, seconds) = chosen(&known, args)?;
    if !run::answers(Command::new("cargo").args(["+nightly", "--version"])) {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install nightly");
    }
    if !run::answers(Command::new("cargo").args(["+nightly", "fuzz", "--version"])) {
        bail!("fuzzing needs cargo-fuzz: cargo install cargo-fuzz --locked");
    }
    for target in chosen {
        say::line(&format!("fuzz: {target} for {seconds} s"));
        let limit = format!("-max_total_time={seconds}");
        let mut command = run::cargo(
            &workspace.root,
            &["+nightly", "fuzz", "run", target, "--", &limit],
        );
        run::shown(&mut command)?;
    }
    Ok(())
}

/// The targets and the seconds for each, from `[TARGET] [SECONDS]`.
fn chosen<'a>(known: &'a [String], args: &'a [String]) -> Result<(Vec<&'a str>, u64)> {
    let mut targets: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut seconds = SECONDS;
    for arg in args {
        if let Ok(number) = arg.parse() {
            seconds = number;
        } else if known.contains(arg) {
            targets = vec![arg];
        } else {
            bail!(
                "there is no fuzz target `{arg}`; there are: {}",
                known.join(", ")
            );
        }
    }
    Ok((targets, seconds))
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(stem) = path.file_stem()
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{SECONDS, chosen};

    #[test]
    fn a_target_and_seconds_come_in_any_order() {
        let known = ["jwk".to_owned(), "jws".to_owned()];
        let args = ["5".to_owned(), "jws".to_owned()];
        assert_eq!(chosen(&known, &args).unwrap(), (vec!["jws"], 5));
        assert_eq!(chosen(&known, &[]).unwrap(), (vec!["jwk", "jws"], SECONDS));
        assert!(chosen(&known, &["jwt".to_owned()]).is_err());
    }
}
