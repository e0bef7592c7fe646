//! `symbolon user consents …`

use clap::Subcommand;
use serde::Serialize;
use symbolon_domain::{ClientId, Scope};

use super::super::output::Output;
use super::super::{Failed, origin};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::oauth::consents::{self, Application};
use crate::flows::users;
use crate::rfc3339;

/// What users agreed to.
#[derive(Subcommand)]
pub(in crate::cli) enum Consents {
    /// List the applications that a user let in, by their ids
    List {
        /// Id, e-mail address or username
        user: String,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Those behind this application
        #[arg(long, value_name = "CLIENT")]
        after: Option<String>,
    },
    /// Take back what a user agreed to, and end every token that the application has for the user at once
    Withdraw {
        /// Id, e-mail address or username
        user: String,
        /// The application's `client_id`
        client: String,
    },
}

/// A consent as a command shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    client_id: String,
    name: Option<String>,
    scopes: Vec<String>,
    resources: Vec<String>,
    created_at: String,
    updated_at: String,
}

impl From<&Application> for Shown {
    fn from(application: &Application) -> Self {
        let consent = &application.consent;
        let (scopes, client) = (consent.agreement.scopes(), application.client.as_ref());
        Self {
            client_id: consent.client.to_string(),
            name: client.map(|client| client.definition.name.to_string()),
            scopes: scopes.iter().map(Scope::to_string).collect(),
            resources: consent
                .agreement
                .resources()
                .map(ToString::to_string)
                .collect(),
            created_at: rfc3339::text(consent.created_at),
            updated_at: rfc3339::text(consent.updated_at),
        }
    }
}

impl Consents {
    pub(super) async fn run(self, app: &App, output: &Output) -> Result<(), Failed> {
        match self {
            Self::List { user, limit, after } => {
                let user = users::find(app, &user).await?;
                let page = consents::list(app, user.id, limit, after).await?;
                show_all(&page.items, output)
            }
            Self::Withdraw { user, client } => {
                let user = users::find(app, &user).await?;
                let id = ClientId::parse(&client)
                    .map_err(|problem| Failed::said(problem.code, problem.detail))?;
                let whose = (user.id, &id);
                consents::withdraw_from(app, Actor::Operator, whose, &origin()).await?;
                output.done(
                    &serde_json::json!({ "user": user.email.as_str(), "clientId": client }),
                    &format!(
                        "{client} has no access to the account {} any more.",
                        user.email
                    ),
                )
            }
        }
    }
}

fn show_all(found: &[Application], output: &Output) -> Result<(), Failed> {
    let shown: Vec<Shown> = found.iter().map(Shown::from).collect();
    let rows: Vec<_> = shown
        .iter()
        .map(|consent| {
            [
                consent.client_id.clone(),
                consent.name.clone().unwrap_or_default(),
                consent.scopes.join(" "),
                consent.resources.join(" "),
                consent.updated_at.clone(),
            ]
        })
        .collect();
    output.table(
        &shown,
        ["CLIENT", "NAME", "SCOPES", "RESOURCES", "AGREED"],
        &rows,
    )
}
