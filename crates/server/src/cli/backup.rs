//! `symbolon backup` and `symbolon restore`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::{Common, Failed, load, origin};
use crate::clock::Clock;
use crate::flows::backup::{BackupError, back_up, restore};
use crate::rng::Rng;

/// Writes a copy of the embedded database.
#[derive(Args)]
pub(super) struct Backup {
    /// The file to write, which must not be there; only this user can read it
    file: PathBuf,
}

/// Brings a copy back.
#[derive(Args)]
pub(super) struct Restore {
    /// What `symbolon backup` wrote
    file: PathBuf,
}

impl Backup {
    pub(super) fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let config = load(&common.sources())?;
        let made = back_up(&config, &self.file, &Clock::system())?;
        let key = match &made.master_key {
            Some(path) => path.display().to_string(),
            None => "server.master_key".to_owned(),
        };
        let value = json!({
            "file": self.file.display().to_string(),
            "users": made.contents.users,
            "sessions": made.contents.sessions,
            "bytes": made.bytes,
            "masterKey": key,
        });
        let whose = match &made.master_key {
            Some(_) => format!("keep a copy of {key} elsewhere"),
            None => format!("keep the secret of {key} elsewhere"),
        };
        let sentence = format!(
            "{} holds {} users and {} live sessions ({} bytes).\n\
             The master key is not in it, and without it the backup is worth nothing: {whose}.",
            self.file.display(),
            made.contents.users,
            made.contents.sessions,
            made.bytes,
        );
        output.done(&value, &sentence)
    }
}

impl Restore {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let config = load(&common.sources())?;
        let source = (Clock::system(), Rng::system());
        let restored = restore(&config, &self.file, source, &origin()).await?;
        let kept = restored.kept.map(|path| path.display().to_string());
        let value = json!({
            "users": restored.contents.users,
            "sessions": restored.contents.sessions,
            "kept": kept,
            "database": restored.database.display().to_string(),
        });
        let mut sentence = format!(
            "{} is that of {} now: users {}, live sessions {}.\n\
             The feed of revocations begins another epoch; what was revoked after the backup is not revoked any more.",
            restored.database.display(),
            self.file.display(),
            restored.contents.users,
            restored.contents.sessions,
        );
        if let Some(kept) = kept {
            sentence.push_str(&format!("\nWhat was there before is {kept}."));
        }
        output.done(&value, &sentence)
    }
}

impl From<BackupError> for Failed {
    fn from(error: BackupError) -> Self {
        Self::said(error.code, error.detail)
    }
}
