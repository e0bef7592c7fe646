//! `symbolon migrate …`

use clap::Args;
use serde::Serialize;

use super::output::Output;
use super::{Common, Failed, load};
use crate::clock::Clock;
use crate::flows::schema::{self, PendingStep};

/// Brings the tables of the database up to date.
#[derive(Args)]
pub(super) struct Migrate {
    /// List the steps that are still to be taken, and take none
    #[arg(long)]
    plan: bool,
    /// The same with an exit code: 0 where there is nothing to do, 1 where there is
    #[arg(long, conflicts_with = "plan")]
    check: bool,
}

/// Steps as a command shows them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    up_to_date: bool,
    steps: Vec<Step>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    number: i64,
    name: &'static str,
    former_version_goes_on: bool,
}

impl Migrate {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let config = load(&common.sources())?;
        if self.plan || self.check {
            let steps = schema::plan(&config).await?;
            show(&steps, false, output)?;
            return match self.check && !steps.is_empty() {
                true => Err(Failed::Silent),
                false => Ok(()),
            };
        }
        let steps = schema::migrate(&config, &Clock::system()).await?;
        show(&steps, true, output)
    }
}

/// Says which steps there are, or were.
fn show(steps: &[PendingStep], taken: bool, output: &Output) -> Result<(), Failed> {
    let shown = Shown {
        up_to_date: taken || steps.is_empty(),
        steps: steps
            .iter()
            .map(|step| Step {
                number: step.number,
                name: step.name,
                former_version_goes_on: step.former_goes_on,
            })
            .collect(),
    };
    if steps.is_empty() {
        return output.done(&shown, "The tables are up to date.");
    }
    if taken {
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        return output.done(&shown, &format!("Taken: {}.", names.join(", ")));
    }
    let rows: Vec<_> = steps
        .iter()
        .map(|step| {
            let beside = if step.former_goes_on { "yes" } else { "no" };
            [
                step.number.to_string(),
                step.name.to_owned(),
                beside.to_owned(),
            ]
        })
        .collect();
    output.table(&shown, ["STEP", "NAME", "FORMER VERSION GOES ON"], &rows)
}
