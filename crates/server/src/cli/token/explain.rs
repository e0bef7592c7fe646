//! `symbolon token explain`

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use symbolon_domain::revocation;
use symbolon_token::KeySet;

use super::super::discovery::discover;
use super::super::fetch::Credentials;
use super::super::output::Output;
use super::super::revocations::Entry;
use super::super::{Common, Failed, block_on, fetch};
use super::given;
use crate::app::App;
use crate::clock::Clock;
use crate::config::parse_duration;
use crate::flows::explain::{self, Explanation, Finding, Knowledge};
use crate::flows::keys;

/// Longest key set that is read.
const MOST_KEYS: u64 = 1024 * 1024;
/// Longest list of revocations that is read, some two million.
const MOST_REVOCATIONS: u64 = 256 * 1024 * 1024;
const LONGEST_LEEWAY: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(in super::super) struct Explain {
    /// The token [default: read from standard input]
    token: Option<String>,
    /// The issuer whose keys and revocations it is held against [default: those of the database]
    #[arg(long, value_name = "ISSUER")]
    url: Option<String>,
    /// The OAuth client that may read the revocations, where not everybody may; its secret is asked for, or comes from standard
    /// input, and the token then is an argument
    #[arg(long, value_name = "CLIENT_ID", requires = "url", requires = "token")]
    client: Option<String>,
    /// The audience that it must have [default: tokens.audience, else the issuer]
    #[arg(long)]
    audience: Option<String>,
    /// How far clocks may differ, at most 60s
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    leeway: String,
}

/// What is printed with `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    accepted: bool,
    code: Option<&'static str>,
    checks: Vec<Check<'a>>,
    revocation: Option<Entry>,
}

#[derive(Serialize)]
struct Check<'a> {
    check: &'static str,
    /// `null` where it could not be looked at.
    ok: Option<bool>,
    detail: &'a str,
}

#[derive(serde::Deserialize)]
struct Feed {
    entries: Vec<Entry>,
}

impl Explain {
    /// Exit 0 where the token is accepted, 1 where it is refused.
    pub(in super::super) fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let leeway = parse_duration(&self.leeway).filter(|leeway| *leeway <= LONGEST_LEEWAY);
        let leeway = leeway.ok_or_else(|| {
            Failed::said(
                "bad_argument",
                "--leeway takes a duration from 0s to 60s, such as 10s",
            )
        })?;
        let leeway = u32::try_from(leeway.as_secs()).unwrap_or_default();
        if self.client.is_some() && self.token.as_deref() == Some("-") {
            return Err(Failed::said(
                "bad_argument",
                "with --client the token is an argument: standard input holds the secret",
            ));
        }
        let token = given(self.token)?;
        let knowledge = match &self.url {
            Some(url) => of_server((url, self.client.as_deref()), self.audience, leeway)?,
            None => block_on(async {
                let app = common.open().await?;
                let known = of_database(&app, self.audience, leeway).await;
                app.close().await;
                known
            })?,
        };
        let explanation = explain::explain(&knowledge, &token)?;
        print(&explanation, output)?;
        match explanation.code {
            None => Ok(()),
            Some(_) => Err(Failed::Silent),
        }
    }
}

async fn of_database(
    app: &App,
    audience: Option<String>,
    leeway: u32,
) -> Result<Knowledge, Failed> {
    let issuer = explain::issuer(app).await?;
    // A look at a store that was never served makes no master key.
    let keys = match keys::list(app).await?.is_empty() {
        true => KeySet::default(),
        false => keys::verifying(app, &app.open_master().await?).await?,
    };
    let configured = audience.or_else(|| app.config.tokens.audience.clone());
    Ok(Knowledge {
        audience: configured.unwrap_or_else(|| issuer.clone()),
        issuer,
        keys,
        revocations: explain::revocations(app).await?,
        leeway,
        now: app.clock.now(),
    })
}

fn of_server(
    (url, client): (&str, Option<&str>),
    audience: Option<String>,
    leeway: u32,
) -> Result<Knowledge, Failed> {
    let endpoints = discover(url)?;
    let wrong = |detail: String| Failed::said("bad_answer", detail);
    let keys = KeySet::from_jwks_json(&fetch::get(&endpoints.jwks, MOST_KEYS)?)
        .map_err(|error| wrong(format!("the issuer's keys: {error}")))?;
    let ask = |id| Credentials::ask(id, &endpoints.feed);
    let credentials = client.map(ask).transpose()?;
    let feed = fetch::feed(&endpoints.feed, MOST_REVOCATIONS, credentials.as_ref())?;
    let feed: Feed = serde_json::from_slice(&feed)
        .map_err(|error| wrong(format!("the revocation feed: {error}")))?;
    let entries: Option<Vec<_>> = feed
        .entries
        .iter()
        .map(|entry| revocation::Entry::try_from(entry).ok())
        .collect();
    Ok(Knowledge {
        audience: audience.unwrap_or_else(|| endpoints.issuer.clone()),
        issuer: endpoints.issuer,
        keys,
        revocations: entries
            .ok_or_else(|| wrong("the revocation feed has a malformed entry".to_owned()))?,
        leeway,
        now: Clock::system().now(),
    })
}

fn print(explanation: &Explanation, output: &Output) -> Result<(), Failed> {
    let word = |finding| match finding {
        Finding::Ok => "ok",
        Finding::Fails => "fails",
        Finding::Unknown => "-",
    };
    let checks = explanation.lines.iter().map(|line| Check {
        check: line.what,
        ok: match line.finding {
            Finding::Ok => Some(true),
            Finding::Fails => Some(false),
            Finding::Unknown => None,
        },
        detail: &line.says,
    });
    let shown = Shown {
        accepted: explanation.code.is_none(),
        code: explanation.code,
        checks: checks.collect(),
        revocation: explanation.hit.as_ref().map(Entry::from),
    };
    let row = |what: &str, word: &str, says: &str| [what, word, says].map(str::to_owned);
    let mut rows: Vec<_> = explanation
        .lines
        .iter()
        .map(|line| row(line.what, word(line.finding), &line.says))
        .collect();
    rows.push(match explanation.code {
        None => row("verdict", "ok", "accepted"),
        Some(code) => row("verdict", "fails", code),
    });
    output.table(&shown, ["CHECK", "", ""], &rows)
}
