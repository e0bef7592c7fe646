//! `symbolon revocations …`

mod events;
mod shown;
mod tail;

use clap::{ArgGroup, Args, Subcommand};
use symbolon_domain::revocation::Effect;

use super::output::Output;
use super::{Common, Failed, block_on, origin};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::revocations::{self, Target};
use crate::flows::users;
pub(super) use shown::Entry;

/// Longest name of a token or client: that of a whole token.
const LONGEST_ID: usize = 8192;

/// Revocations.
#[derive(Subcommand)]
pub(super) enum Revocations {
    /// List the live revocations in the order of their numbers
    List {
        /// How many
        #[arg(long, default_value_t = 1000)]
        limit: u32,
        /// Those after this number
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: i64,
    },
    /// Print a line for each revocation as it comes, of a server or of the database
    Tail(tail::Tail),
    /// Kill access tokens at once, in an emergency
    Add(Add),
    /// Begin a new epoch of the feed, after a backup was restored: every guard takes a new snapshot
    Renew,
}

#[derive(Args)]
#[command(group(ArgGroup::new("target").required(true).args(["session", "user", "token", "client", "all", "key"])))]
pub(super) struct Add {
    /// The tokens of a session, which ends; by its id
    #[arg(long, value_name = "SID")]
    session: Option<String>,
    /// The tokens of a user, whose sessions end; by id, e-mail address or username
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// One token, by its claim `jti`
    #[arg(long, value_name = "JTI", allow_hyphen_values = true)]
    token: Option<String>,
    /// Every token that a client has now; its sessions go on
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    client: Option<String>,
    /// Every token that there is now; sessions go on
    #[arg(long)]
    all: bool,
    /// Refused: a key is withdrawn by `symbolon key withdraw`, which puts another in its place
    #[arg(long, value_name = "KID", allow_hyphen_values = true)]
    key: Option<String>,
    /// Only make clients refresh: no session ends
    #[arg(long)]
    stale: bool,
}

impl Revocations {
    pub(super) fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        match self {
            Self::Tail(tail) => tail.run(common, output),
            other => block_on(async {
                let app = common.open().await?;
                let result = other.run_on(&app, output).await;
                app.close().await;
                result
            }),
        }
    }

    async fn run_on(self, app: &App, output: &Output) -> Result<(), Failed> {
        match self {
            Self::List { limit, after } => list(app, output, limit, after).await,
            Self::Add(add) => add.run(app, output).await,
            Self::Renew => {
                let epoch = revocations::renew(app, &origin()).await?;
                output.done(
                    &serde_json::json!({ "epoch": epoch }),
                    &format!("The feed has begun epoch {epoch}."),
                )
            }
            // It opens what it follows itself.
            Self::Tail(_) => Ok(()),
        }
    }
}

async fn list(app: &App, output: &Output, limit: u32, after: i64) -> Result<(), Failed> {
    let entries = revocations::list(app, after, limit).await?;
    let shown: Vec<Entry> = entries.iter().map(Entry::from).collect();
    let rows: Vec<_> = shown.iter().map(Entry::cells).collect();
    let columns = ["SEQ", "KIND", "KEY", "EFFECT", "HITS", "UNTIL"];
    output.table(&shown, columns, &rows)
}

impl Add {
    async fn run(self, app: &App, output: &Output) -> Result<(), Failed> {
        let effect = match self.stale {
            true => Effect::Stale,
            false => Effect::Revoked,
        };
        let (target, whose) = self.target(app).await?;
        revocations::add(app, Actor::Operator, target, effect, &origin()).await?;
        let became = match effect {
            Effect::Revoked => "are dead",
            Effect::Stale => "have to be refreshed",
        };
        output.done(
            &serde_json::json!({ "tokens": whose, "effect": effect.as_str() }),
            &format!("The tokens of {whose} {became}."),
        )
    }

    async fn target(self, app: &App) -> Result<(Target, String), Failed> {
        if let Some(session) = self.session {
            let id = session.parse().map_err(|_| {
                Failed::said("malformed_id", format!("{session} is not a session's id"))
            })?;
            return Ok((Target::Session(id), format!("session {session}")));
        }
        if let Some(user) = self.user {
            let user = users::find(app, &user).await?;
            let whose = user.email.to_string();
            return Ok((Target::User(Box::new(user)), whose));
        }
        if let Some(kid) = self.key {
            let sentence = format!(
                "a key is killed with its tokens by `symbolon key withdraw {kid}`, which puts another in its place"
            );
            return Err(Failed::said("use_key_withdraw", sentence));
        }
        if self.all {
            return Ok((Target::All, "everybody".to_owned()));
        }
        match (self.token, self.client) {
            (Some(jti), _) => Ok((Target::Token(named(&jti)?), format!("the id {jti}"))),
            (_, client) => {
                let client = named(&client.unwrap_or_default())?;
                let whose = format!("client {client}");
                Ok((Target::Client(client), whose))
            }
        }
    }
}

fn named(id: &str) -> Result<String, Failed> {
    if (1..=LONGEST_ID).contains(&id.len()) {
        return Ok(id.to_owned());
    }
    let sentence = format!("an id has 1 to {LONGEST_ID} bytes");
    Err(Failed::said("malformed_id", sentence))
}
