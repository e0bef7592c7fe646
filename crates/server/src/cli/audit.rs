//! `symbolon audit …`

mod export;
mod list;
mod plain;
mod verify;

use clap::Subcommand;
use symbolon_domain::Timestamp;

use super::output::Output;
use super::{Common, Failed};
use crate::rfc3339;

/// The audit log.
#[derive(Subcommand)]
pub(super) enum Audit {
    /// List what happened, the latest first
    List(list::List),
    /// Print lines with their chain in the order of their numbers, for another place to keep
    Export(export::Export),
    /// Check that no line was changed, removed, inserted or moved
    Verify(verify::Verify),
}

impl Audit {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        if let Self::Verify(verify) = &self
            && let Some(file) = verify.file()
        {
            return verify.of_file(file, output);
        }
        let app = common.open().await?;
        let result = match self {
            Self::List(list) => list.run(&app, output).await,
            Self::Export(export) => export.run(&app).await,
            Self::Verify(verify) => verify.of_database(&app, output).await,
        };
        app.close().await;
        result
    }
}

/// Reads a time of RFC 3339, or a day in UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    rfc3339::parse(text)
        .or_else(|_| rfc3339::parse(&format!("{text}T00:00:00Z")))
        .map_err(|_| "expected a time such as 2026-11-21T12:00:00Z, or a day".to_owned())
}
