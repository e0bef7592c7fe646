//! `symbolon role …`

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_domain::{Permissions, Role as Definition, RoleBook, RoleName, Roles};

use super::output::Output;
use super::{Common, Failed, origin, wrong};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::roles;
use crate::rfc3339;

/// Roles.
#[derive(Subcommand)]
pub(super) enum Role {
    /// List roles and what they allow
    List,
    /// Show one role
    Show {
        /// The role's name
        name: String,
    },
    /// Make a role
    Add {
        /// The role's name: lower-case letters, digits, '.', '_', ':' and '-'
        name: String,
        #[command(flatten)]
        parts: Parts,
    },
    /// Change a role; access tokens of whoever has it are refused until they are refreshed
    Edit {
        /// The role's name
        name: String,
        #[command(flatten)]
        parts: Parts,
        /// Let it allow nothing by itself
        #[arg(long, conflicts_with = "permissions")]
        no_permissions: bool,
        /// Let it include no other role
        #[arg(long, conflicts_with = "includes")]
        no_includes: bool,
    },
    /// Delete a role that nobody has and no role includes
    Delete {
        /// The role's name
        name: String,
    },
}

/// What a role is. What is not given stays as it is.
#[derive(Args)]
pub(super) struct Parts {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What it allows, such as orders:read; may be given several times, * is everything
    #[arg(long = "permission", value_name = "NAME")]
    permissions: Vec<String>,
    /// A role that it brings along; may be given several times
    #[arg(long = "include", value_name = "ROLE")]
    includes: Vec<String>,
}

/// A role as a command shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    description: String,
    permissions: Vec<String>,
    includes: Vec<String>,
    effective_permissions: Vec<String>,
    builtin: bool,
    created_at: String,
    updated_at: String,
}

impl Shown {
    fn of(book: &RoleBook, role: &Definition) -> Self {
        let mut effective = role.permissions.clone();
        effective.add(&book.effective(&role.includes).permissions);
        let owned = |permissions: &Permissions| {
            let names = permissions.names().into_iter();
            names.map(str::to_owned).collect()
        };
        Self {
            name: role.name.to_string(),
            description: role.description.clone(),
            permissions: owned(&role.permissions),
            includes: role.includes.to_strings(),
            effective_permissions: owned(&effective),
            builtin: role.builtin,
            created_at: rfc3339::text(role.created_at),
            updated_at: rfc3339::text(role.updated_at),
        }
    }
}

impl Role {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let app = common.open().await?;
        let result = self.run_on(&app, output).await;
        app.close().await;
        result
    }

    async fn run_on(self, app: &Arc<App>, output: &Output) -> Result<(), Failed> {
        match self {
            Self::List => list(app, output).await,
            Self::Show { name } => show(app, output, &named(&name)?).await,
            Self::Add { name, parts } => add(app, output, &named(&name)?, parts).await,
            Self::Edit {
                name,
                parts,
                no_permissions,
                no_includes,
            } => {
                let emptied = (no_permissions, no_includes);
                edit(app, output, &named(&name)?, (parts, emptied)).await
            }
            Self::Delete { name } => {
                roles::delete(app, Actor::Operator, (&named(&name)?, None), &origin()).await?;
                let sentence = format!("The role {name} is deleted.");
                output.done(&serde_json::json!({ "deleted": name }), &sentence)
            }
        }
    }
}

fn named(name: &str) -> Result<RoleName, Failed> {
    RoleName::parse(name).map_err(wrong)
}

async fn list(app: &App, output: &Output) -> Result<(), Failed> {
    let book = roles::book(app).await?;
    let shown: Vec<_> = book.iter().map(|role| Shown::of(&book, role)).collect();
    let rows: Vec<_> = shown
        .iter()
        .map(|role| {
            [
                role.name.clone(),
                role.permissions.join(" "),
                role.includes.join(" "),
                role.description.clone(),
            ]
        })
        .collect();
    let columns = ["NAME", "PERMISSIONS", "INCLUDES", "DESCRIPTION"];
    output.table(&shown, columns, &rows)
}

async fn show(app: &App, output: &Output, name: &RoleName) -> Result<(), Failed> {
    let (book, role) = roles::find(app, name).await?;
    let shown = Shown::of(&book, &role);
    let rows = [
        ("name", shown.name.clone()),
        ("description", shown.description.clone()),
        ("permissions", shown.permissions.join(" ")),
        ("includes", shown.includes.join(" ")),
        ("allows in all", shown.effective_permissions.join(" ")),
        ("built in", shown.builtin.to_string()),
        ("created", shown.created_at.clone()),
        ("updated", shown.updated_at.clone()),
    ];
    let rows = rows.map(|(field, value)| [field.to_owned(), value]);
    output.table(&shown, ["FIELD", "VALUE"], &rows)
}

async fn add(app: &App, output: &Output, name: &RoleName, parts: Parts) -> Result<(), Failed> {
    let definition = roles::Definition {
        name: name.clone(),
        description: parts.description.clone().unwrap_or_default(),
        permissions: permissions(&parts)?,
        includes: includes(&parts)?,
    };
    let role = roles::create(app, Actor::Operator, &definition, &origin()).await?;
    let shown = Shown::of(&*roles::book(app).await?, &role);
    output.done(&shown, &format!("The role {name} is made."))
}

async fn edit(
    app: &App,
    output: &Output,
    name: &RoleName,
    (parts, (no_permissions, no_includes)): (Parts, (bool, bool)),
) -> Result<(), Failed> {
    let changes_permissions = !parts.permissions.is_empty() || no_permissions;
    let changes_includes = !parts.includes.is_empty() || no_includes;
    let change = roles::Change {
        permissions: changes_permissions
            .then(|| permissions(&parts))
            .transpose()?,
        includes: changes_includes.then(|| includes(&parts)).transpose()?,
        description: parts.description,
    };
    let change = (name, &change, None);
    let role = roles::change(app, Actor::Operator, change, &origin()).await?;
    let shown = Shown::of(&*roles::book(app).await?, &role);
    output.done(&shown, &format!("The role {name} is changed."))
}

fn permissions(parts: &Parts) -> Result<Permissions, Failed> {
    let names = parts.permissions.iter().map(String::as_str);
    Permissions::from_names(names).map_err(wrong)
}

fn includes(parts: &Parts) -> Result<Roles, Failed> {
    let names = parts.includes.iter().map(|name| RoleName::parse(name));
    names.collect::<Result<_, _>>().map_err(wrong)
}
