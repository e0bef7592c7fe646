//! `symbolon user …`

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_domain::{RoleName, Roles, User as Account, UserId, UserStatus};

use super::output::Output;
use super::{Common, Failed, origin, secrets};
use crate::app::App;
use crate::flows::register::Registration;
use crate::flows::users;
use crate::rfc3339;

/// Users.
#[derive(Subcommand)]
pub(super) enum User {
    /// Make an account; the password is asked for, or read from standard input
    Add(Add),
    /// List users in the order in which they were made
    List {
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Those after this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Show one user
    Show {
        /// Id, e-mail address or username
        user: String,
    },
    /// Set a new password and end every session
    SetPassword {
        /// Id, e-mail address or username
        user: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a user other roles: sessions go on, access tokens that name the former roles are refused at once
    SetRoles {
        /// Id, e-mail address or username
        user: String,
        /// Role; may be given several times
        #[arg(long = "role", value_name = "NAME", required = true)]
        roles: Vec<String>,
    },
    /// Let a user sign in no more, and end every session and token at once
    Disable {
        /// Id, e-mail address or username
        user: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Id, e-mail address or username
        user: String,
    },
    /// Delete a user with every session and token
    Delete {
        /// Id, e-mail address or username
        user: String,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// E-mail address
    email: String,
    /// Name to sign in with
    #[arg(long)]
    username: Option<String>,
    /// Name to be shown
    #[arg(long)]
    name: Option<String>,
    /// Role; may be given several times [default: user]
    #[arg(long = "role", value_name = "NAME")]
    roles: Vec<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// A user as a command shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    email: String,
    username: Option<String>,
    name: Option<String>,
    roles: Vec<String>,
    status: &'static str,
    email_verified: bool,
    created_at: String,
    updated_at: String,
}

impl From<&Account> for Shown {
    fn from(user: &Account) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            username: user
                .username
                .as_ref()
                .map(|username| username.as_str().to_owned()),
            name: user.name.as_ref().map(|name| name.as_str().to_owned()),
            roles: user.roles.to_strings(),
            status: user.status.as_str(),
            email_verified: user.email_verified,
            created_at: rfc3339::text(user.created_at),
            updated_at: rfc3339::text(user.updated_at),
        }
    }
}

impl User {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let app = match self {
            Self::Add(_) => common.open_or_make().await?,
            _ => common.open().await?,
        };
        let result = self.run_on(&app, output).await;
        app.close().await;
        result
    }

    async fn run_on(self, app: &Arc<App>, output: &Output) -> Result<(), Failed> {
        match self {
            Self::Add(add) => add.run(app, output).await,
            Self::List { limit, after } => list(app, output, limit, after.as_deref()).await,
            Self::Show { user } => show(&users::find(app, &user).await?, output),
            Self::SetPassword {
                user,
                password_stdin,
            } => {
                let user = users::find(app, &user).await?;
                let password = secrets::new_password(password_stdin)?;
                users::set_password(app, user.clone(), &password, &origin()).await?;
                output.done(
                    &Shown::from(&user),
                    &format!(
                        "The password of {} is set; every session has ended.",
                        user.email
                    ),
                )
            }
            Self::SetRoles { user, roles } => set_roles(app, output, &user, &roles).await,
            Self::Disable { user } => set_status(app, output, &user, UserStatus::Disabled).await,
            Self::Enable { user } => set_status(app, output, &user, UserStatus::Active).await,
            Self::Delete { user } => {
                let user = users::find(app, &user).await?;
                let shown = Shown::from(&user);
                users::delete(app, user, &origin()).await?;
                output.done(&shown, &format!("{} is deleted.", shown.email))
            }
        }
    }
}

impl Add {
    async fn run(self, app: &App, output: &Output) -> Result<(), Failed> {
        let roles = if self.roles.is_empty() {
            Roles::new(vec![RoleName::USER])
        } else {
            parse(&self.roles)?
        };
        let registration = Registration {
            email: self.email,
            password: secrets::new_password(self.password_stdin)?,
            username: self.username,
            name: self.name,
        };
        let user = users::add(app, &registration, roles, &origin()).await?;
        output.done(
            &Shown::from(&user),
            &format!("{} is added with the id {}.", user.email, user.id),
        )
    }
}

async fn list(app: &App, output: &Output, limit: u32, after: Option<&str>) -> Result<(), Failed> {
    let after: Option<UserId> = after
        .map(str::parse)
        .transpose()
        .map_err(|_| Failed::said("malformed_id", "--after takes the id of a user"))?;
    let found = users::list(app, limit, after).await?;
    let shown: Vec<Shown> = found.iter().map(Shown::from).collect();
    let rows: Vec<_> = shown
        .iter()
        .map(|user| {
            let username = user.username.clone().unwrap_or_default();
            [
                user.id.clone(),
                user.email.clone(),
                username,
                user.roles.join(" "),
                user.status.to_owned(),
                user.created_at.clone(),
            ]
        })
        .collect();
    output.table(
        &shown,
        ["ID", "EMAIL", "USERNAME", "ROLES", "STATUS", "CREATED"],
        &rows,
    )
}

fn show(user: &Account, output: &Output) -> Result<(), Failed> {
    let shown = Shown::from(user);
    let rows = [
        ("id", shown.id.clone()),
        ("email", shown.email.clone()),
        ("username", shown.username.clone().unwrap_or_default()),
        ("name", shown.name.clone().unwrap_or_default()),
        ("roles", shown.roles.join(" ")),
        ("status", shown.status.to_owned()),
        ("created", shown.created_at.clone()),
        ("updated", shown.updated_at.clone()),
    ];
    output.table(
        &shown,
        ["FIELD", "VALUE"],
        &rows.map(|(field, value)| [field.to_owned(), value]),
    )
}

fn parse(names: &[String]) -> Result<Roles, Failed> {
    let roles = names.iter().map(|name| RoleName::parse(name));
    roles
        .collect::<Result<_, _>>()
        .map_err(|problem| Failed::said(problem.code, problem.detail))
}

async fn set_roles(app: &App, output: &Output, user: &str, roles: &[String]) -> Result<(), Failed> {
    let roles = parse(roles)?;
    let user = users::find(app, user).await?;
    let user = users::set_roles(app, user, &roles, &origin()).await?;
    let names = user.roles.to_strings().join(", ");
    output.done(
        &Shown::from(&user),
        &format!("The roles of {} are: {names}.", user.email),
    )
}

async fn set_status(
    app: &App,
    output: &Output,
    user: &str,
    status: UserStatus,
) -> Result<(), Failed> {
    let user = users::find(app, user).await?;
    let user = users::set_status(app, user, status, &origin()).await?;
    output.done(
        &Shown::from(&user),
        &format!("{} is {}.", user.email, status.as_str()),
    )
}
