//! `symbolon mail …`

use std::sync::Arc;

use clap::Subcommand;
use serde::Serialize;
use symbolon_domain::Email;

use super::output::Output;
use super::{Common, Failed};
use crate::app::App;
use crate::flows::outbox;
use crate::rfc3339;

/// Mail.
#[derive(Subcommand)]
pub(super) enum Mail {
    /// Send one mail at once and say what the mail server answered
    Test {
        /// Who gets it
        address: String,
    },
    /// List mail that waits, and mail that was given up
    List {
        /// How many of each
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

/// A mail as a command shows it: no link, and nothing of what it says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    kind: &'static str,
    to: String,
    state: &'static str,
    attempts: u32,
    created_at: String,
    /// When it is tried again, or dropped.
    due_at: String,
    error: Option<String>,
}

impl Mail {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let app = match self {
            Self::Test { .. } => common.open_or_make().await?,
            Self::List { .. } => common.open().await?,
        };
        let result = match self {
            Self::Test { address } => test(&app, output, &address).await,
            Self::List { limit } => list(&app, output, limit).await,
        };
        app.close().await;
        result
    }
}

async fn test(app: &Arc<App>, output: &Output, address: &str) -> Result<(), Failed> {
    let email = Email::parse(address).map_err(|fault| Failed::said(fault.code, fault.detail))?;
    match outbox::test(app, &email).await? {
        Ok(said) => {
            let way = app.mail.way();
            let shown = serde_json::json!({ "to": address, "by": way, "said": said });
            output.done(
                &shown,
                &format!("The mail to {address} was accepted by {way}: {said}"),
            )
        }
        Err(said) => Err(Failed::said(
            "mail_not_accepted",
            format!("{}: {said}", app.mail.way()),
        )),
    }
}

async fn list(app: &App, output: &Output, limit: u32) -> Result<(), Failed> {
    let found = outbox::list(app, limit).await?;
    let shown = found.iter().map(|row| Shown {
        id: row.mail.id.to_string(),
        kind: row.mail.kind.as_str(),
        to: row.mail.recipient.to_string(),
        state: row.state.as_str(),
        attempts: row.attempts,
        created_at: rfc3339::text(row.mail.created_at),
        due_at: rfc3339::text(row.due_at),
        error: row.error.clone(),
    });
    let shown: Vec<Shown> = shown.collect();
    let rows: Vec<_> = shown
        .iter()
        .map(|mail| {
            [
                mail.kind.to_owned(),
                mail.to.clone(),
                mail.state.to_owned(),
                mail.attempts.to_string(),
                mail.due_at.clone(),
                mail.error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output.table(
        &shown,
        ["KIND", "TO", "STATE", "TRIES", "DUE", "ERROR"],
        &rows,
    )
}
