//! `symbolon export …`

use std::fs::File;
use std::io::{BufWriter, Write, stderr, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::output::Output;
use super::progress::Progress;
use super::{Common, Failed, origin};
use crate::app::App;
use crate::flows::export::{ExportError, export};
use crate::transfer::write::Layout;

/// Takes users out.
#[derive(Args)]
pub(super) struct Export {
    /// What it looks like
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Form,
    /// Take the hashes of the passwords along
    #[arg(long)]
    with_password_hashes: bool,
    /// Write to this file, which only this user can read [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// CSV to be looked at: what a spreadsheet would take for a formula begins with '
    #[arg(long)]
    spreadsheet: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Form {
    Jsonl,
    Csv,
}

impl Export {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        if self.spreadsheet && self.format != Form::Csv {
            let detail = "--spreadsheet is for --format csv";
            return Err(Failed::said("bad_arguments", detail));
        }
        let app = common.open().await?;
        let result = self.run_on(&app).await;
        app.close().await;
        let written = match result {
            // A reader such as `head` that has seen enough.
            Err(ExportError::Write(error))
                if self.output.is_none() && error.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                return Ok(());
            }
            Err(ExportError::Write(error)) => {
                let detail = format!("the export cannot be written: {error}");
                return Err(Failed::said("io", detail));
            }
            Err(ExportError::Flow(error)) => return Err(error.into()),
            Ok(written) => written,
        };
        match &self.output {
            None => Ok(()),
            Some(path) => output.done(
                &json!({ "exported": written }),
                &format!("{written} users are written to {}.", path.display()),
            ),
        }
    }

    async fn run_on(&self, app: &App) -> Result<u64, ExportError> {
        if self.with_password_hashes {
            // Nobody is left to be told when standard error is closed.
            let _unheard = writeln!(
                stderr().lock(),
                "symbolon: the export holds password hashes: whoever has it can try to guess the passwords. \
                 Keep it secret, and delete it after use."
            );
        }
        let layout = match self.format {
            Form::Jsonl => Layout::Jsonl,
            Form::Csv => Layout::Csv {
                spreadsheet: self.spreadsheet,
            },
        };
        let mut bar = Progress::new(None);
        let mut watch = |written| bar.at(written, written, "users");
        let how = (layout, self.with_password_hashes);
        let written = match &self.output {
            None => {
                let out = BufWriter::new(stdout());
                export(app, out, how, &origin(), &mut watch).await?
            }
            Some(path) => {
                // Never into a file that others could have opened before.
                let file = File::options()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)?;
                let out = BufWriter::new(&file);
                let written = export(app, out, how, &origin(), &mut watch).await?;
                file.sync_all()?;
                written
            }
        };
        bar.clear();
        Ok(written)
    }
}
