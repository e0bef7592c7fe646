//! `symbolon session …`

use std::sync::Arc;

use clap::Subcommand;
use serde::Serialize;
use symbolon_domain::SessionId;

use super::output::Output;
use super::{Common, Failed, origin};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::{sessions, users};
use crate::rfc3339;

/// Sessions.
#[derive(Subcommand)]
pub(super) enum Session {
    /// List the live sessions of a user, newest first
    List {
        /// Id, e-mail address or username
        user: String,
    },
    /// End a session, or every session of a user, with every token at once
    Revoke {
        /// The session's id
        #[arg(required_unless_present = "user", conflicts_with = "user")]
        session: Option<String>,
        /// Every session of this user: id, e-mail address or username
        #[arg(long)]
        user: Option<String>,
    },
}

/// A session as a command shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    device: Option<String>,
    user_agent: Option<String>,
    address: Option<String>,
    generation: u64,
    created_at: String,
    last_used_at: String,
    expires_at: String,
}

impl Session {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let app = common.open().await?;
        let result = self.run_on(&app, output).await;
        app.close().await;
        result
    }

    async fn run_on(self, app: &Arc<App>, output: &Output) -> Result<(), Failed> {
        match self {
            Self::List { user } => list(app, output, &user).await,
            Self::Revoke {
                session: Some(session),
                ..
            } => {
                let id: SessionId = session.parse().map_err(|_| {
                    Failed::said("malformed_id", format!("{session} is not a session's id"))
                })?;
                users::revoke_session(app, (Actor::Operator, sessions::WRITE), id, &origin())
                    .await?;
                output.done(
                    &serde_json::json!({ "revoked": session }),
                    &format!("Session {session} has ended."),
                )
            }
            Self::Revoke {
                session: None,
                user,
            } => {
                let user = users::find(app, &user.unwrap_or_default()).await?;
                let email = user.email.to_string();
                users::revoke_sessions(app, (Actor::Operator, sessions::WRITE), user, &origin())
                    .await?;
                output.done(
                    &serde_json::json!({ "user": email }),
                    &format!("Every session of {email} has ended."),
                )
            }
        }
    }
}

async fn list(app: &App, output: &Output, user: &str) -> Result<(), Failed> {
    let user = users::find(app, user).await?;
    let sessions = users::list_sessions(app, &user).await?;
    let shown: Vec<Shown> = sessions
        .into_iter()
        .map(|session| Shown {
            id: session.id.to_string(),
            generation: session.refresh.generation,
            created_at: rfc3339::text(session.created_at),
            last_used_at: rfc3339::text(session.last_used_at),
            expires_at: rfc3339::text(session.idle_expires_at()),
            device: session.device,
            user_agent: session.user_agent,
            address: session.address,
        })
        .collect();
    let rows: Vec<_> = shown
        .iter()
        .map(|session| {
            let device = session
                .device
                .clone()
                .or_else(|| session.user_agent.clone())
                .unwrap_or_default();
            let address = session.address.clone().unwrap_or_default();
            [
                session.id.clone(),
                device,
                address,
                session.last_used_at.clone(),
                session.expires_at.clone(),
            ]
        })
        .collect();
    output.table(
        &shown,
        ["ID", "DEVICE", "ADDRESS", "LAST USED", "EXPIRES"],
        &rows,
    )
}
