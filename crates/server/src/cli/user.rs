//! `symbolon user …`

mod consents;

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_domain::{DisplayName, Email, Problem, RoleName, Roles, User as Account, UserStatus};

use self::consents::Consents;
use super::output::Output;
use super::{Common, Failed, origin, secrets};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::invitations::{self, Invite};
use crate::flows::users::{self, Fields, Filter, New, Sort};
use crate::rfc3339;

/// Users.
#[derive(Subcommand)]
pub(super) enum User {
    /// Make an account; the password is asked for, or read from standard input
    Add(Add),
    /// Invite somebody by mail to make an account
    Invite {
        /// E-mail address
        email: String,
        /// Name that the account begins with
        #[arg(long)]
        name: Option<String>,
        /// Role; may be given several times [default: user]
        #[arg(long = "role", value_name = "NAME")]
        roles: Vec<String>,
    },
    /// List users in the order in which they were made, or another one
    List(List),
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
    /// Change address, username or name; an empty username or name is taken away
    Edit {
        /// Id, e-mail address or username
        user: String,
        #[command(flatten)]
        changes: Changes,
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
    /// The applications that a user let in
    #[command(subcommand)]
    Consents(Consents),
}

#[derive(Args)]
pub(super) struct List {
    /// How many
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Those behind this one: id, e-mail address or username
    #[arg(long, value_name = "USER")]
    after: Option<String>,
    /// Those whose address begins so
    #[arg(long, conflicts_with_all = ["role", "status"])]
    email: Option<String>,
    /// Those who have this role
    #[arg(long, conflicts_with = "status")]
    role: Option<RoleName>,
    /// Those of this status: active or disabled
    #[arg(long)]
    status: Option<UserStatus>,
    /// createdAt, email (with --email), username or id (with --role); with - before it, from the last to the first
    #[arg(long, allow_hyphen_values = true, value_parser = sort)]
    sort: Option<Sort>,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(super) struct Changes {
    /// E-mail address; it counts as not verified
    #[arg(long)]
    email: Option<String>,
    /// Name to sign in with
    #[arg(long)]
    username: Option<String>,
    /// Name to be shown
    #[arg(long)]
    name: Option<String>,
}

fn sort(text: &str) -> Result<Sort, &'static str> {
    text.parse()
        .map_err(|()| "createdAt, email, username or id, with - before it for the other direction")
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
    /// The address needs no confirming
    #[arg(long)]
    verified: bool,
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
            Self::Invite { email, name, roles } => {
                invite(app, output, (&email, name.as_deref()), &roles).await
            }
            Self::List(list) => list.run(app, output).await,
            Self::Edit { user, changes } => changes.run(app, output, &user).await,
            Self::Show { user } => show(&users::find(app, &user).await?, output),
            Self::SetPassword {
                user,
                password_stdin,
            } => {
                let user = users::find(app, &user).await?;
                let password = secrets::new_password(password_stdin)?;
                users::set_password(app, Actor::Operator, user.clone(), &password, &origin())
                    .await?;
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
            Self::Consents(consents) => consents.run(app, output).await,
            Self::Delete { user } => {
                let user = users::find(app, &user).await?;
                let shown = Shown::from(&user);
                users::delete(app, Actor::Operator, (user.id, None), &origin()).await?;
                output.done(&shown, &format!("{} is deleted.", shown.email))
            }
        }
    }
}

impl Add {
    async fn run(self, app: &App, output: &Output) -> Result<(), Failed> {
        // Before the password is asked for.
        parse(&self.roles)?;
        let new = New {
            fields: Fields {
                email: Some(self.email),
                email_verified: self.verified.then_some(true),
                username: Some(self.username),
                name: Some(self.name),
                roles: Some(self.roles).filter(|roles| !roles.is_empty()),
                ..Fields::default()
            },
            password: Some(secrets::new_password(self.password_stdin)?),
        };
        let user = users::add(app, Actor::Operator, &new, None, &origin()).await?;
        output.done(
            &Shown::from(&user),
            &format!("{} is added with the id {}.", user.email, user.id),
        )
    }
}

impl List {
    async fn run(self, app: &App, output: &Output) -> Result<(), Failed> {
        let oldest_first = self.email.is_none() && self.role.is_none();
        let filter = Filter {
            email: self.email,
            role: self.role,
            status: self.status,
            sort: self
                .sort
                .or_else(|| oldest_first.then_some(Sort::OLDEST_FIRST)),
            ..Filter::default()
        };
        let after = match &self.after {
            Some(reference) => {
                let user = users::find(app, reference).await?;
                Some(filter.place(&user)?)
            }
            None => None,
        };
        let page = users::list(app, &filter, self.limit, after).await?;
        let found: Vec<_> = page.items.into_iter().map(|row| row.user).collect();
        show_all(&found, output)
    }
}

impl Changes {
    async fn run(self, app: &App, output: &Output, user: &str) -> Result<(), Failed> {
        let cleared = |text: String| Some(text).filter(|text| !text.is_empty());
        let fields = Fields {
            email: self.email,
            username: self.username.map(cleared),
            name: self.name.map(cleared),
            ..Fields::default()
        };
        let user = users::find(app, user).await?;
        let change = (user.id, &fields.parse()?, None);
        let user = users::edit(app, Actor::Operator, change, &origin())
            .await?
            .user;
        output.done(&Shown::from(&user), &format!("{} is changed.", user.email))
    }
}

fn show_all(found: &[Account], output: &Output) -> Result<(), Failed> {
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

async fn invite(
    app: &App,
    output: &Output,
    (email, name): (&str, Option<&str>),
    roles: &[String],
) -> Result<(), Failed> {
    let said = |problem: Problem| Failed::said(problem.code, problem.detail);
    let roles = match roles {
        [] => Roles::new(vec![RoleName::USER]),
        given => parse(given)?,
    };
    let invite = Invite {
        email: Email::parse(email).map_err(said)?,
        name: name.map(DisplayName::parse).transpose().map_err(said)?,
        roles,
    };
    let invitation = invitations::invite(app, Actor::Operator, invite, &origin()).await?;
    let until = rfc3339::text(invitation.expires_at);
    let shown = serde_json::json!({
        "id": invitation.id,
        "email": invitation.email.as_str(),
        "roles": invitation.roles.to_strings(),
        "expiresAt": until,
    });
    let sentence = format!("{email} is invited until {until}; the server sends the mail.");
    output.done(&shown, &sentence)
}

async fn set_roles(app: &App, output: &Output, user: &str, roles: &[String]) -> Result<(), Failed> {
    let roles = parse(roles)?;
    let user = users::find(app, user).await?;
    let user = users::set_roles(app, Actor::Operator, user, &roles, &origin()).await?;
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
    let user = users::set_status(app, Actor::Operator, user, status, &origin()).await?;
    output.done(
        &Shown::from(&user),
        &format!("{} is {}.", user.email, status.as_str()),
    )
}
