//! `symbolon key …`

use std::sync::Arc;

use clap::Subcommand;
use serde::Serialize;

use super::output::Output;
use super::{Common, Failed, origin};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::keys;
use crate::rfc3339;

/// Signing keys.
#[derive(Subcommand)]
pub(super) enum Key {
    /// List keys and what they do now
    List,
    /// Make a new signing key: published now, signing in a quarter of an hour
    Rotate {
        /// Sign with it at once: guards that keep the old key set refuse its tokens until they ask again
        #[arg(long)]
        now: bool,
    },
    /// Kill a leaked signing key with every token that it signed, everywhere and at once
    Withdraw {
        /// The key's id
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// A key as a command shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    kid: String,
    purpose: String,
    algorithm: String,
    part: &'static str,
    created_at: String,
    activate_at: String,
    expires_at: Option<String>,
}

impl Key {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let app = common.open().await?;
        let result = self.run_on(&app, output).await;
        app.close().await;
        result
    }

    async fn run_on(self, app: &Arc<App>, output: &Output) -> Result<(), Failed> {
        match self {
            Self::List => list(app, output).await,
            Self::Rotate { now } => {
                let master = app.open_master().await?;
                let row = keys::rotate(app, Actor::Operator, &master, now, &origin()).await?;
                let at = rfc3339::text(row.activate_at);
                let sentence = format!("Key {} is published and signs from {at}.", row.kid);
                output.done(
                    &serde_json::json!({ "kid": row.kid, "activateAt": at }),
                    &sentence,
                )
            }
            Self::Withdraw { kid } => {
                let master = app.open_master().await?;
                keys::withdraw(app, Actor::Operator, &master, &kid, &origin()).await?;
                output.done(
                    &serde_json::json!({ "withdrawn": kid }),
                    &format!("Key {kid} is withdrawn."),
                )
            }
        }
    }
}

async fn list(app: &App, output: &Output) -> Result<(), Failed> {
    let shown: Vec<Shown> = keys::list(app)
        .await?
        .into_iter()
        .map(|status| Shown {
            part: status.part,
            created_at: rfc3339::text(status.row.created_at),
            activate_at: rfc3339::text(status.row.activate_at),
            expires_at: status.row.expires_at.map(rfc3339::text),
            kid: status.row.kid,
            purpose: status.row.purpose,
            algorithm: status.row.algorithm,
        })
        .collect();
    let rows: Vec<_> = shown
        .iter()
        .map(|key| {
            [
                key.kid.clone(),
                key.purpose.clone(),
                key.algorithm.clone(),
                key.part.to_owned(),
                key.activate_at.clone(),
                key.expires_at.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output.table(
        &shown,
        [
            "KID",
            "PURPOSE",
            "ALGORITHM",
            "PART",
            "SIGNS FROM",
            "PUBLISHED UNTIL",
        ],
        &rows,
    )
}
