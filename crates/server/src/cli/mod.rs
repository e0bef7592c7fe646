//! The command line: parse, call one flow, print.

mod apply;
mod audit;
mod backup;
mod client;
mod config;
mod discovery;
mod doctor;
mod export;
mod fetch;
mod import;
mod key;
mod mail;
mod migrate;
mod output;
mod progress;
mod revocations;
mod role;
mod secrets;
mod serve;
mod session;
mod token;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use symbolon_domain::{Problem, Refusal};

use self::apply::View;
use self::output::Output;
use crate::app::{App, StartError, with_stored};
use crate::clock::Clock;
use crate::config::{Config, Sources};
use crate::flows::{Error, Origin};
use crate::jobs::Causes;
use crate::logging;
use crate::rng::Rng;

/// A self-hosted sign-in and token server.
#[derive(Parser)]
#[command(name = "symbolon", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// Settings file [default: symbolon.toml, where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder [default: symbolon-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Database: sqlite:PATH or postgres://…  [default: SQLite in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Users: add, invite, list, show, edit, set-password, set-roles, disable, enable, delete, consents
    #[command(subcommand)]
    User(user::User),
    /// Roles: list, show, add, edit, delete
    #[command(subcommand)]
    Role(role::Role),
    /// OAuth clients: list, show, add, edit, enable, disable, delete, secret
    #[command(subcommand)]
    Client(client::Client),
    /// Sessions: list, revoke
    #[command(subcommand)]
    Session(session::Session),
    /// Revocations: list, tail, add, renew
    #[command(subcommand)]
    Revocations(revocations::Revocations),
    /// Signing keys: list, rotate, withdraw
    #[command(subcommand)]
    Key(key::Key),
    /// The audit log: list, export, verify
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Mail: test, list
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Tokens: decode, verify, explain, sign
    #[command(subcommand)]
    Token(token::Token),
    /// Bring users in from a file of Symbolon, Keycloak, Auth0, Firebase or Supabase
    Import(import::Import),
    /// Write every user to a file, as JSON lines or CSV
    Export(export::Export),
    /// Write a copy of the embedded database into a file, while the server runs
    Backup(backup::Backup),
    /// Put such a copy in the place of the database, while no server runs
    Restore(backup::Restore),
    /// Show what apply would change: exit code 0 where there is nothing to do, 2 where there is
    Plan(apply::Wish),
    /// Show the same field by field, before and after
    Diff(apply::Wish),
    /// Bring settings, roles and clients to the state that a file says
    Apply(apply::Apply),
    /// The state that apply works on: export
    #[command(subcommand)]
    State(apply::State),
    /// Bring the tables of the database up to date, as every start does; or move all data to another database
    Migrate(migrate::Migrate),
    /// Say what is wrong with this installation, or will be, and change nothing: exit code 1 where something is wrong
    Doctor(doctor::Doctor),
    /// Settings: check, show, reference
    #[command(subcommand)]
    Config(config::Settings),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
}

/// Why a command failed.
pub(crate) enum Failed {
    /// One sentence for people; with `--json`, a code beside it.
    Said { code: String, detail: String },
    /// The command has printed its answer and only the exit code is left to say.
    Silent,
    /// The same with an exit code of its own.
    Ended(u8),
}

impl Failed {
    fn said(code: &str, detail: impl Into<String>) -> Self {
        Self::Said {
            code: code.to_owned(),
            detail: detail.into(),
        }
    }
}

impl From<StartError> for Failed {
    fn from(error: StartError) -> Self {
        Self::said("start_failed", error.to_string())
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::said("io", error.to_string())
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match &error {
            Error::Refused(Refusal::Validation(errors)) => {
                let details: Vec<_> = errors.iter().map(|error| error.detail.as_str()).collect();
                Self::said("validation_failed", details.join(" "))
            }
            Error::Refused(refusal) => Self::said(refusal.code(), refusal.detail()),
            Error::Fault { .. } | Error::Store(_) => {
                Self::said("fault", Causes(&error).to_string())
            }
        }
    }
}

/// Runs the command of this process and says how it ended.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.common.json);
    // Programs read one document.
    if !cli.common.json && !matches!(cli.command, Command::Serve(_)) {
        logging::start_for_command();
    }
    let result = match cli.command {
        Command::Serve(serve) => serve.run(&cli.common),
        Command::User(user) => block_on(user.run(&cli.common, &output)),
        Command::Role(role) => block_on(role.run(&cli.common, &output)),
        Command::Client(client) => block_on(client.run(&cli.common, &output)),
        Command::Session(session) => block_on(session.run(&cli.common, &output)),
        Command::Revocations(revocations) => revocations.run(&cli.common, &output),
        Command::Key(key) => block_on(key.run(&cli.common, &output)),
        Command::Audit(audit) => block_on(audit.run(&cli.common, &output)),
        Command::Mail(mail) => block_on(mail.run(&cli.common, &output)),
        Command::Token(token) => token.run(&cli.common, &output),
        Command::Import(import) => block_on(import.run(&cli.common, &output)),
        Command::Export(export) => block_on(export.run(&cli.common, &output)),
        Command::Backup(backup) => backup.run(&cli.common, &output),
        Command::Restore(restore) => block_on(restore.run(&cli.common, &output)),
        Command::Plan(wish) => block_on(wish.show(&cli.common, (&output, View::Plan))),
        Command::Diff(wish) => block_on(wish.show(&cli.common, (&output, View::Diff))),
        Command::Apply(apply) => block_on(apply.run(&cli.common, &output)),
        Command::State(state) => block_on(state.run(&cli.common, &output)),
        Command::Migrate(migrate) => block_on(migrate.run(&cli.common, &output)),
        Command::Doctor(doctor) => doctor.run(&cli.common, &output),
        Command::Config(settings) => block_on(settings.run(&cli.common, &output)),
        Command::Openapi => openapi(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Silent) => ExitCode::FAILURE,
        Err(Failed::Ended(code)) => ExitCode::from(code),
        Err(Failed::Said { code, detail }) => {
            output.failed(&code, &detail);
            ExitCode::FAILURE
        }
    }
}

fn openapi() -> Result<(), Failed> {
    let text =
        crate::http::openapi_json().map_err(|error| Failed::said("fault", error.to_string()))?;
    output::raw(&text)
}

fn block_on<T>(future: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

impl Common {
    /// Where settings come from, the options that every command has included.
    fn sources(&self) -> Sources {
        let data = self
            .data
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned());
        Sources::of_process()
            .with_file(self.config.clone())
            .with_option("server.data", data)
            .with_option("database.url", self.database.clone())
    }

    /// The application of a command, without keys.
    async fn open(&self) -> Result<Arc<App>, Failed> {
        let config = load(&self.sources())?;
        Ok(App::open_existing(config, Clock::system(), Rng::system()).await?)
    }

    /// The settings, with those of the database where there is one that answers. Its tables stay as they are.
    async fn settings(&self) -> Result<Config, Failed> {
        let config = load(&self.sources())?;
        match with_stored(&config).await {
            Ok(settings) => Ok(settings.unwrap_or(config)),
            Err(error) => {
                output::notice(&format!(
                    "settings that the database keeps are not shown: {error}"
                ));
                Ok(config)
            }
        }
    }

    /// The same, where the store may be made.
    async fn open_or_make(&self) -> Result<Arc<App>, Failed> {
        let config = load(&self.sources())?;
        Ok(App::open(config, Clock::system(), Rng::system()).await?)
    }
}

fn load(sources: &Sources) -> Result<Config, Failed> {
    Config::load(sources).map_err(|errors| Failed::said("bad_settings", errors.to_string()))
}

/// What is wrong with an argument.
fn wrong(problem: Problem) -> Failed {
    Failed::said(problem.code, problem.detail)
}

/// Commands run on the machine itself: there is no address to keep.
fn origin() -> Origin {
    Origin {
        user_agent: Some("symbolon command line".to_owned()),
        ..Origin::default()
    }
}
