//! `symbolon doctor`

use clap::Args;
use serde::Serialize;

use super::discovery::discover;
use super::output::Output;
use super::{Common, Failed, block_on, load};
use crate::clock::Clock;
use crate::flows::doctor::{State, examine};
use crate::rng::Rng;

/// Says what is wrong with an installation.
#[derive(Args)]
pub(super) struct Doctor {}

/// What is printed with `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    ok: bool,
    checks: Vec<Check<'a>>,
}

#[derive(Serialize)]
struct Check<'a> {
    check: &'static str,
    state: &'static str,
    detail: &'a str,
}

impl Doctor {
    /// Exit 0 where nothing is wrong, whatever there is a warning of.
    pub(super) fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let config = load(&common.sources())?;
        let mut report =
            block_on(async { Ok(examine(&config, &Clock::system(), &Rng::system()).await) })?;
        if let Some(issuer) = report.issuer.clone() {
            match discover(&issuer) {
                Ok(_) => report.note("server", State::Ok, format!("answers as {issuer}")),
                Err(Failed::Said { detail, .. }) => report.note("server", State::Warning, detail),
                Err(_) => {}
            }
        }
        let word = |state| match state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Wrong => "wrong",
        };
        let checks = report.findings.iter().map(|finding| Check {
            check: finding.what,
            state: word(finding.state),
            detail: &finding.detail,
        });
        let shown = Shown {
            ok: report.is_sound(),
            checks: checks.collect(),
        };
        let rows: Vec<_> = shown
            .checks
            .iter()
            .map(|check| [check.check, check.state, check.detail].map(str::to_owned))
            .collect();
        output.table(&shown, ["CHECK", "STATE", "DETAIL"], &rows)?;
        match shown.ok {
            true => Ok(()),
            false => Err(Failed::Silent),
        }
    }
}
