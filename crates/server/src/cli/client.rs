//! `symbolon client …`

mod metadata;
mod parts;
mod shown;

use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use symbolon_domain::{
    Client as Stored, ClientDefinition, ClientId, ClientStatus, ClientType, DisplayName, SecretText,
};
use uuid::Uuid;

use self::parts::{Empty, Parts};
use self::shown::Shown;
use super::output::{self, Output};
use super::{Common, Failed, origin, wrong};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::clients::{self, New, Which};

/// How many `list` shows at most where nothing is asked for.
const ROWS: u32 = 100;

/// OAuth clients.
#[derive(Subcommand)]
pub(super) enum Client {
    /// List clients by id
    List {
        /// Only those that are active, or disabled
        #[arg(long, value_name = "STATUS")]
        status: Option<Status>,
        /// How many
        #[arg(long, default_value_t = ROWS)]
        limit: u32,
        /// Those after this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Show one client
    Show {
        /// The client's id
        id: String,
    },
    /// Make a client; the secret of a confidential one that has no keys is printed this once
    Add {
        /// The client's id: letters, digits, '.', '_' and '-'
        id: String,
        /// Whether it can keep a secret; it stays what it is made as
        #[arg(long = "type", value_name = "TYPE")]
        kind: Kind,
        #[command(flatten)]
        parts: Parts,
    },
    /// Change a client; what is given takes the place of the former list
    Edit {
        /// The client's id
        id: String,
        #[command(flatten)]
        parts: Parts,
        /// Empty this list, or take this away; may be given several times
        #[arg(long = "no", value_name = "LIST")]
        empty: Vec<Empty>,
    },
    /// Let a client get tokens again
    Enable {
        /// The client's id
        id: String,
    },
    /// Let a client get no more tokens, and kill those that it has
    Disable {
        /// The client's id
        id: String,
    },
    /// Delete a client, and kill the tokens that it has
    Delete {
        /// The client's id
        id: String,
    },
    /// Secrets of a confidential client, two at most: add, delete
    #[command(subcommand)]
    Secret(Secret),
}

/// Secrets of a client.
#[derive(Subcommand)]
pub(super) enum Secret {
    /// Make another secret, and print it this once
    Add {
        /// The client's id
        client: String,
    },
    /// Delete a secret; nobody signs in with it any more
    Delete {
        /// The client's id
        client: String,
        /// The secret's id
        secret: String,
    },
}

/// The types of clients.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    /// A page, or a program on somebody's device
    Public,
    /// A server, which can keep a secret
    Confidential,
}

/// Whether a client may get tokens.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Status {
    /// It may
    Active,
    /// It may not
    Disabled,
}

impl Client {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let app = common.open().await?;
        let result = self.run_on(&app, output).await;
        app.close().await;
        result
    }

    async fn run_on(self, app: &Arc<App>, output: &Output) -> Result<(), Failed> {
        match self {
            Self::List {
                status,
                limit,
                after,
            } => list(app, output, (status, limit, after)).await,
            Self::Show { id } => {
                let client = clients::find(app, &named(&id)?).await?;
                Shown::from(&client).print(output)
            }
            Self::Add { id, kind, parts } => add(app, output, (&id, kind), &parts).await,
            Self::Edit { id, parts, empty } => {
                let sentence = format!("The client {id} is changed.");
                let edit = |former| parts.apply(former, &empty);
                change(app, output, (&id, &sentence), edit).await
            }
            Self::Enable { id } => set_status(app, output, &id, ClientStatus::Active).await,
            Self::Disable { id } => set_status(app, output, &id, ClientStatus::Disabled).await,
            Self::Delete { id } => {
                clients::delete(app, Actor::Operator, (&named(&id)?, None), &origin()).await?;
                let sentence = format!("The client {id} is deleted, and its tokens are dead.");
                output.done(&serde_json::json!({ "deleted": id }), &sentence)
            }
            Self::Secret(Secret::Add { client }) => add_secret(app, output, &client).await,
            Self::Secret(Secret::Delete { client, secret }) => {
                delete_secret(app, output, &client, &secret).await
            }
        }
    }
}

fn named(id: &str) -> Result<ClientId, Failed> {
    ClientId::parse(id).map_err(wrong)
}

async fn list(
    app: &App,
    output: &Output,
    (status, limit, after): (Option<Status>, u32, Option<String>),
) -> Result<(), Failed> {
    let status = status.map(|status| match status {
        Status::Active => ClientStatus::Active,
        Status::Disabled => ClientStatus::Disabled,
    });
    let after = after.map(|id| named(&id)).transpose()?;
    let after = after.map(|id| id.to_string());
    let page = clients::page(app, status, limit, after).await?;
    let shown: Vec<_> = page.items.iter().map(Shown::from).collect();
    let rows: Vec<_> = shown.iter().map(Shown::row).collect();
    output.table(
        &shown,
        ["ID", "NAME", "TYPE", "GRANTS", "ROLES", "STATUS"],
        &rows,
    )
}

async fn add(
    app: &App,
    output: &Output,
    (id, kind): (&str, Kind),
    parts: &Parts,
) -> Result<(), Failed> {
    let kind = match kind {
        Kind::Public => ClientType::Public,
        Kind::Confidential => ClientType::Confidential,
    };
    let name = DisplayName::parse(id).map_err(wrong)?;
    let new = New {
        id: Some(ClientId::chosen(id).map_err(wrong)?),
        kind,
        definition: parts.apply(ClientDefinition::new(name, kind), &[])?,
    };
    let client = clients::create(app, Actor::Operator, &new, &origin()).await?;
    if kind == ClientType::Public || parts.has_keys() {
        let sentence = format!("The client {id} is made.");
        return output.done(&Shown::from(&client), &sentence);
    }
    let made = clients::add_secret(app, Actor::Operator, (&client.id, None), &origin()).await?;
    print_secret(output, &made)
}

/// The secret alone on standard output, so that a script can take it.
fn print_secret(output: &Output, (client, secret): &(Stored, SecretText)) -> Result<(), Failed> {
    if !output.is_json() {
        return output::raw(&format!("{}\n", secret.expose()));
    }
    let id = client.secrets.last().map(|secret| secret.id.to_string());
    output.value(&serde_json::json!({
        "client": Shown::from(client),
        "secretId": id,
        "secret": secret.expose(),
    }))
}

async fn change(
    app: &App,
    output: &Output,
    (id, sentence): (&str, &str),
    edit: impl FnOnce(ClientDefinition) -> Result<ClientDefinition, Failed>,
) -> Result<(), Failed> {
    let former = clients::find(app, &named(id)?).await?;
    let definition = edit(former.definition)?;
    // What stays is that of this version.
    let change = (&former.id, &definition, Some(former.version));
    let client = clients::change(app, Actor::Operator, change, &origin()).await?;
    output.done(&Shown::from(&client), sentence)
}

async fn set_status(
    app: &App,
    output: &Output,
    id: &str,
    status: ClientStatus,
) -> Result<(), Failed> {
    let sentence = format!("The client {id} is {status}.");
    let wanted = (&named(id)?, status, None);
    let client = clients::set_status(app, Actor::Operator, wanted, &origin()).await?;
    output.done(&Shown::from(&client), &sentence)
}

async fn add_secret(app: &App, output: &Output, client: &str) -> Result<(), Failed> {
    let id = named(client)?;
    let made = clients::add_secret(app, Actor::Operator, (&id, None), &origin()).await?;
    print_secret(output, &made)
}

async fn delete_secret(
    app: &App,
    output: &Output,
    client: &str,
    secret: &str,
) -> Result<(), Failed> {
    let id = named(client)?;
    let unreadable = || Failed::said("malformed_id", format!("{secret} is not a secret's id"));
    let which = Which {
        id: Uuid::parse_str(secret).map_err(|_| unreadable())?,
        expected: None,
    };
    clients::delete_secret(app, Actor::Operator, (&id, &which), &origin()).await?;
    let sentence = format!("The secret {secret} of {client} is deleted.");
    output.done(&serde_json::json!({ "deleted": secret }), &sentence)
}
