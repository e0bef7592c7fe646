//! `symbolon plan`, `diff`, `apply` and `state`

mod show;

use std::io::{IsTerminal, Read, Write, stderr, stdin};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use symbolon_domain::Refusal;
use symbolon_domain::setup::Wanted;

use self::show::{diff, outline, shown};
use super::output::{self, Output};
use super::{Common, Failed, origin};
use crate::app::App;
use crate::config::ConfigErrors;
use crate::flows::Error;
use crate::flows::apply;
use crate::state::{self, read, render};

/// Longest file that is read, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// How `plan` and `diff` end when there is something to do.
const CHANGES: u8 = 2;

/// What an installation is to be.
#[derive(Args)]
pub(super) struct Wish {
    /// The file that says it, - for standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: PathBuf,
    /// Let go what the file does not name; built-in roles stay
    #[arg(long)]
    prune: bool,
}

#[derive(Args)]
pub(super) struct Apply {
    #[command(flatten)]
    wish: Wish,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// The state.
#[derive(Subcommand)]
pub(super) enum State {
    /// Print what is there as a file for apply, secrets left out
    Export,
}

/// How changes are shown.
#[derive(Clone, Copy)]
pub(super) enum View {
    Plan,
    Diff,
}

impl Wish {
    /// Shows what would change.
    pub(super) async fn show(
        self,
        common: &Common,
        (output, view): (&Output, View),
    ) -> Result<(), Failed> {
        let file = self.read(common)?;
        let app = common.open().await?;
        let planned = apply::plan(&app, &file.wanted, self.prune).await;
        app.close().await;
        let changes = planned.map_err(|error| located(error, &file))?;
        match view {
            _ if output.is_json() => output.value(&shown(&changes))?,
            View::Plan => output::raw(&outline(&changes))?,
            View::Diff => output::raw(&diff(&changes))?,
        }
        match changes.is_empty() {
            true => Ok(()),
            false => Err(Failed::Ended(CHANGES)),
        }
    }

    fn read(&self, common: &Common) -> Result<state::Read, Failed> {
        let is_stdin = self.file.as_os_str() == "-";
        let name = match is_stdin {
            true => "standard input".into(),
            false => self.file.to_string_lossy(),
        };
        let unreadable = |error| Failed::said("no_file", format!("{name} cannot be read: {error}"));
        let mut bytes = Vec::new();
        if is_stdin {
            stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
        } else {
            let file = std::fs::File::open(&self.file).map_err(unreadable)?;
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
        }
        .map_err(unreadable)?;
        // One that was cut off would ask for less than it says.
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Failed::said(
                "too_large",
                format!("{name} has more than 4 MiB"),
            ));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Failed::said("not_utf8", format!("{name} is not UTF-8")))?;
        read(&name, &text, &common.sources())
            .map_err(|errors| Failed::said("bad_state", errors.to_string()))
    }
}

impl Apply {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let file = self.wish.read(common)?;
        let app = common.open().await?;
        let result = self.run_on(&app, &file.wanted, output).await;
        app.close().await;
        result.map_err(|failed| match failed {
            Stopped::Flow(error) => located(error, &file),
            Stopped::Here(failed) => failed,
        })
    }

    async fn run_on(self, app: &App, wanted: &Wanted, output: &Output) -> Result<(), Stopped> {
        let prune = self.wish.prune;
        let wish = (wanted, prune);
        if self.yes {
            let done = apply::apply(app, wish, None, &origin()).await?;
            return Ok(report(output, &done)?);
        }
        let planned = apply::plan(app, wanted, prune).await?;
        if planned.is_empty() {
            return Ok(report(output, &planned)?);
        }
        ask(&outline(&planned))?;
        let done = apply::apply(app, wish, Some(&planned), &origin()).await?;
        Ok(report(output, &done)?)
    }
}

/// Why `apply` stopped.
enum Stopped {
    Flow(Error),
    Here(Failed),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Flow(error)
    }
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Here(failed)
    }
}

fn report(output: &Output, done: &[symbolon_domain::setup::Change]) -> Result<(), Failed> {
    if output.is_json() {
        return output.value(&shown(done));
    }
    output::raw(&outline(done))?;
    match done.is_empty() {
        true => Ok(()),
        false => output::raw("Done.\n"),
    }
}

/// Asks on the terminal. The plan goes where the question goes: standard output is for what was done.
fn ask(plan: &str) -> Result<(), Failed> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(Failed::said(
            "not_confirmed",
            "there is no terminal to ask on: look with symbolon plan, then apply with --yes",
        ));
    }
    write!(stderr().lock(), "{plan}Do this? [y/N] ")?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failed::said("not_confirmed", "nothing was changed")),
    }
}

/// Says where in the file it is that the flow refused.
fn located(error: Error, file: &state::Read) -> Failed {
    match error {
        Error::Refused(Refusal::Validation(errors)) => {
            let errors = errors.iter().map(|error| file.locate(error)).collect();
            Failed::said("validation_failed", ConfigErrors(errors).to_string())
        }
        other => other.into(),
    }
}

impl State {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let Self::Export = self;
        let app = common.open().await?;
        let present = apply::present(&app).await;
        app.close().await;
        let wanted = Wanted::of(&present?);
        match output.is_json() {
            true => output.value(&show::state(&wanted)),
            false => output::raw(&render(&wanted)),
        }
    }
}
