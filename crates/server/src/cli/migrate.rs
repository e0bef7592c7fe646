//! `symbolon migrate …`

mod shown;

use std::path::PathBuf;

use clap::Args;

use super::output::Output;
use super::progress::Progress;
use super::{Common, Failed, load, origin};
use crate::clock::Clock;
use crate::config::Config;
use crate::flows::relocate::{self, Progress as Done};
use crate::flows::schema;
use crate::rng::Rng;
use shown::{show_move, show_steps};

/// The exit code of `--check` where there is something to do; 1 is a failure everywhere.
const STEPS_TO_TAKE: u8 = 2;

/// Brings the tables of the database up to date, or moves all data to another database.
#[derive(Args)]
pub(super) struct Migrate {
    /// List the steps that are still to be taken, and take none
    #[arg(long, group = "what")]
    plan: bool,
    /// The same with an exit code: 0 where there is nothing to do, 2 where there is, 1 where it failed
    #[arg(long, group = "what")]
    check: bool,
    /// Move all data to this database: from SQLite to postgres://… beside a running server, or from PostgreSQL to
    /// sqlite:PATH while none runs
    #[arg(long, group = "what", value_name = "URL")]
    to: Option<String>,
    /// The same, with the URL in a file: arguments can be seen by others on the machine
    #[arg(long, group = "what", value_name = "FILE")]
    to_file: Option<PathBuf>,
    /// Take away what a move that was interrupted has left in the SQLite database
    #[arg(long, group = "what")]
    abandon: bool,
}

impl Migrate {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let config = load(&common.sources())?;
        if let Some(to) = self.destination()? {
            return relocate(&config, &to, output).await;
        }
        if self.abandon {
            let found = relocate::abandon(&config, Clock::system().now())?;
            let sentence = match found {
                true => "What an interrupted move had left is gone.",
                false => "No move was interrupted.",
            };
            return output.done(&serde_json::json!({ "abandoned": found }), sentence);
        }
        if self.plan || self.check {
            let steps = schema::plan(&config).await?;
            show_steps(&steps, false, output)?;
            return match self.check && !steps.is_empty() {
                true => Err(Failed::Ended(STEPS_TO_TAKE)),
                false => Ok(()),
            };
        }
        let steps = schema::migrate(&config, &Clock::system()).await?;
        show_steps(&steps, true, output)
    }

    fn destination(&self) -> Result<Option<String>, Failed> {
        let Some(path) = &self.to_file else {
            return Ok(self.to.clone());
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failed::said("io", format!("cannot read {}: {error}", path.display()))
        })?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

async fn relocate(config: &Config, to: &str, output: &Output) -> Result<(), Failed> {
    let (clock, rng) = (Clock::system(), Rng::system());
    let mut bar = None;
    let mut watch = |done: Done| match done {
        Done::Copied(rows, whole) => {
            let bar = bar.get_or_insert_with(|| Progress::new(Some(whole)));
            bar.at(rows, rows, "rows copied");
        }
        Done::Compared(rows) => {
            let bar = bar.get_or_insert_with(|| Progress::new(None));
            bar.at(rows, rows, "rows compared");
        }
    };
    let moved = relocate::relocate(config, to, (&clock, &rng), &origin(), &mut watch).await;
    if let Some(bar) = &mut bar {
        bar.clear();
    }
    show_move(&moved?, output)
}
