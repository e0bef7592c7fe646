//! Where things are: the root, the target folder, the files that belong to the project.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::run;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// The workspace around the current folder.
    ///
    /// # Errors
    /// `cargo` finds none.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = run::captured(Command::new("cargo").args([
            "locate-project",
            "--workspace",
            "--message-format",
            "plain",
        ]))?;
        let root = Path::new(manifest.trim())
            .parent()
            .context("the workspace's manifest has no folder")?
            .to_owned();
        Ok(Self { root })
    }

    /// What `cargo metadata` says, of the committed lock file. Asks the registry only when a package
    /// was never downloaded.
    ///
    /// # Errors
    /// The lock file does not fit the manifests, or a package cannot be had.
    pub(crate) fn metadata(&self) -> Result<Value> {
        let base = [
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ];
        let text = run::captured(run::cargo(&self.root, &base).arg("--offline"))
            .or_else(|_| run::captured(&mut run::cargo(&self.root, &base)))?;
        serde_json::from_str(&text).context("cannot read what cargo metadata wrote")
    }

    /// The folder of build results, wherever the environment or a config file put it.
    ///
    /// # Errors
    /// As [`Workspace::metadata`].
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let args = [
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ];
        let text = run::captured(&mut run::cargo(&self.root, &args))?;
        let metadata: Value = serde_json::from_str(&text)?;
        let folder = metadata
            .get("target_directory")
            .and_then(Value::as_str)
            .context("cargo metadata names no target_directory")?;
        Ok(PathBuf::from(folder))
    }

    /// Every file that is committed or could be (what .gitignore names is neither), relative to the
    /// root, with `/` between folders, sorted.
    ///
    /// # Errors
    /// This is no git work tree.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let listed = run::captured(
            Command::new("git")
                .args([
                    "ls-files",
                    "-z",
                    "--cached",
                    "--others",
                    "--exclude-standard",
                ])
                .current_dir(&self.root),
        )?;
        let mut files: Vec<String> = listed
            .split('\0')
            .filter(|name| !name.is_empty() && self.root.join(name).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The text of a file, or `None` where it is not text.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn text(&self, file: &str) -> Result<Option<String>> {
        let bytes =
            std::fs::read(self.root.join(file)).with_context(|| format!("cannot read {file}"))?;
        Ok(String::from_utf8(bytes).ok())
    }
}
