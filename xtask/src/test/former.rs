//! The version before this one, of which the tests run a node beside one of today.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;
use crate::{run, say};

/// The last state of the source with the tables of the version before this one: step 12 of `crates/store/migrations`. Until there
/// is a release it is a commit; then it is that release.
const FORMER: &str = "e1d90b0";

const PROFILE: [&str; 6] = [
    "profile.dev.opt-level=0",
    "profile.dev.debug=false",
    "profile.dev.package.\"*\".opt-level=0",
    "profile.dev.package.argon2.opt-level=3",
    "profile.dev.package.blake2.opt-level=3",
    "profile.dev.build-override.opt-level=0",
];

/// Its binary, made of the repository's history where there is none yet and `build` says so. A path with nothing behind it where the
/// clone is without that history.
pub(super) fn binary(workspace: &Workspace, build: bool) -> Result<Option<PathBuf>> {
    let folder = workspace.target()?.join("former").join(FORMER);
    let binary = folder.join("symbolon");
    if build {
        remove_left(&folder);
    }
    if binary.is_file() {
        return Ok(Some(binary));
    }
    if !build {
        return Ok(None);
    }
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(args).current_dir(&workspace.root);
        git
    };
    let commit = format!("{FORMER}^{{commit}}");
    if !run::answers(&mut git(&["cat-file", "-e", &commit])) {
        return Ok(Some(binary));
    }
    say::line(&format!("building the former version, {FORMER}"));
    // Another run may do the same.
    let work = folder.join(format!("work-{}", std::process::id()));
    let built = build_in(&work, (git(&["archive", "--output"]), &commit), &binary);
    let removed = std::fs::remove_dir_all(&work);
    built?;
    removed.with_context(|| format!("cannot remove {}", work.display()))?;
    Ok(Some(binary))
}

/// Takes away what builds that were cut off have left: a folder each, named by a process that is no more.
fn remove_left(folder: &Path) {
    let processes = Path::new("/proc");
    // Where they cannot be looked at, each may be at work.
    if !processes.join("self").exists() {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix("work-"));
        let process = name.and_then(|id| id.parse::<u32>().ok());
        if process.is_some_and(|id| !processes.join(id.to_string()).exists()) {
            // Another run may be at the same; what stays costs room and nothing else.
            let _left = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Builds `binary` of what `archive` writes of the commit.
fn build_in(work: &Path, (mut archive, commit): (Command, &str), binary: &Path) -> Result<()> {
    let (source, target) = (work.join("source"), work.join("target"));
    std::fs::create_dir_all(&source)
        .with_context(|| format!("cannot make {}", source.display()))?;
    let archived = work.join("source.tar");
    run::shown(archive.arg(&archived).arg(commit))?;
    let mut tar = Command::new("tar");
    run::shown(tar.arg("-xf").arg(&archived).arg("-C").arg(&source))?;
    // Quick to build, and quick enough to run: nothing is optimised but the hashing of passwords.
    let mut args = vec!["build", "--locked", "--package", "symbolon"];
    for setting in PROFILE {
        args.extend(["--config", setting]);
    }
    let mut cargo = run::cargo(&source, &args);
    cargo.arg("--target-dir").arg(&target);
    run::shown(cargo.env_remove("CARGO_BUILD_TARGET"))?;
    // Renamed, so that no half of it is ever taken for the whole.
    std::fs::rename(target.join("debug/symbolon"), binary)
        .with_context(|| format!("cannot write {}", binary.display()))
}
