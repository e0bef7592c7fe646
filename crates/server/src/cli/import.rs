//! `symbolon import …`

use std::fs::File;
use std::io::{Read, Write, stderr, stdin};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;
use symbolon_domain::{RoleName, Roles};
use zeroize::Zeroizing;

use super::output::Output;
use super::progress::Progress;
use super::{Common, Failed, origin};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::import::{self as flow, Options, Tally};
use crate::transfer::report::{Line, Outcome};
use crate::transfer::{Format, parse_hash_config};

/// Broken lines that are told on standard error; the report has all.
const MOST_TOLD: usize = 50;
/// The longest file of hash parameters.
const MOST_CONFIG: u64 = 64 * 1024;

/// Brings users in.
#[derive(Args)]
pub(super) struct Import {
    /// The file; `-` is standard input
    file: PathBuf,
    /// jsonl, csv, keycloak, auth0, firebase or supabase [default: csv for a name that ends so, else jsonl]
    #[arg(long)]
    format: Option<Format>,
    /// Say what would happen, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Role of users for whom the file names none; may be given several times [default: user]
    #[arg(long = "role", value_name = "NAME")]
    roles: Vec<String>,
    /// Pass over the roles that the file names
    #[arg(long)]
    ignore_roles: bool,
    /// Let users have a role that may do everything
    #[arg(long)]
    allow_admin: bool,
    /// What becomes of a user whose address, name or id is taken
    #[arg(long, value_enum, default_value = "skip")]
    on_conflict: OnConflict,
    /// What becomes of a user whose password hash cannot be kept: refused, or brought in without a password
    #[arg(long, value_enum, default_value = "refuse")]
    weak_hashes: WeakHashes,
    /// Take passwords in clear, and hash them: slow
    #[arg(long)]
    plain_passwords: bool,
    /// The password hash parameters of the Firebase project, as its console shows them
    #[arg(long, value_name = "FILE")]
    hash_config: Option<PathBuf>,
    /// Write what became of each user to this file, with the ids in both systems
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Go on where an import of this file was interrupted
    #[arg(long, conflicts_with = "dry_run")]
    resume: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum OnConflict {
    Skip,
    Fail,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum WeakHashes {
    Refuse,
    Drop,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    read: u64,
    imported: u64,
    skipped: u64,
    failed: u64,
    dry_run: bool,
}

impl Import {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<(), Failed> {
        let import = self.asked()?;
        let whole = match self.is_stdin() {
            true => None,
            false => std::fs::metadata(&self.file).ok().map(|file| file.len()),
        };
        let app = common.open_or_make().await?;
        let result = self.run_on(&app, import, whole).await;
        app.close().await;
        let tally = result?;
        self.show(&tally, output)?;
        if tally.failed > 0 {
            return Err(Failed::Silent);
        }
        Ok(())
    }

    async fn run_on(
        &self,
        app: &Arc<App>,
        import: flow::Import,
        whole: Option<u64>,
    ) -> Result<Tally, Failed> {
        let mut bar = Progress::new(whole);
        let mut told = 0;
        let mut watch = |progress: &flow::Progress<'_>| {
            for line in progress.lines {
                if told < MOST_TOLD && tell(line, &mut bar) {
                    told += 1;
                    if told == MOST_TOLD {
                        say("More are not told here: --report FILE has all.");
                    }
                }
            }
            bar.at(progress.offset, progress.tally.read, "users");
        };
        let tally = flow::import(app, import, &origin(), &mut watch).await;
        bar.clear();
        Ok(tally?)
    }

    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// What the flow is to do.
    fn asked(&self) -> Result<flow::Import, Failed> {
        let (read, name): (Box<dyn Read + Send>, _) = if self.is_stdin() {
            (Box::new(stdin()), "-".to_owned())
        } else {
            let full = std::fs::canonicalize(&self.file);
            let full = full.map_err(|error| failed("cannot open", &self.file, &error))?;
            let file =
                File::open(&full).map_err(|error| failed("cannot open", &self.file, &error))?;
            (Box::new(file), full.to_string_lossy().into_owned())
        };
        let is_csv = self.file.extension().is_some_and(|ending| ending == "csv");
        let guess = if is_csv { Format::Csv } else { Format::Jsonl };
        let report = match &self.report {
            None => None,
            Some(path) => Some(
                File::options()
                    .write(true)
                    .create(true)
                    .truncate(!self.resume)
                    .mode(0o600)
                    .open(path)
                    .map_err(|error| failed("cannot write", path, &error))?,
            ),
        };
        Ok(flow::Import {
            format: self.format.unwrap_or(guess),
            read,
            name,
            report,
            firebase: self.firebase()?,
            actor: Actor::Operator,
            options: self.options()?,
        })
    }

    fn options(&self) -> Result<Options, Failed> {
        let names = self.roles.iter().map(|name| RoleName::parse(name));
        let roles: Roles = names
            .collect::<Result<_, _>>()
            .map_err(|problem| Failed::said(problem.code, problem.detail))?;
        Ok(Options {
            roles: if roles.is_empty() {
                Roles::new(vec![RoleName::USER])
            } else {
                roles
            },
            ignore_roles: self.ignore_roles,
            ignore_ids: false,
            allow_admin: self.allow_admin,
            conflict_fails: self.on_conflict == OnConflict::Fail,
            drop_hashes: self.weak_hashes == WeakHashes::Drop,
            plain_passwords: self.plain_passwords,
            resume: self.resume,
            dry_run: self.dry_run,
        })
    }

    fn firebase(&self) -> Result<Option<crate::hashing::notation::FirebaseProject>, Failed> {
        let Some(path) = &self.hash_config else {
            return Ok(None);
        };
        let mut text = Zeroizing::new(String::new());
        let file = File::open(path).map_err(|error| failed("cannot open", path, &error))?;
        file.take(MOST_CONFIG)
            .read_to_string(&mut text)
            .map_err(|error| failed("cannot read", path, &error))?;
        let project = parse_hash_config(&text);
        project
            .map(Some)
            .map_err(|error| Failed::said("bad_hash_config", error.to_string()))
    }

    fn show(&self, tally: &Tally, output: &Output) -> Result<(), Failed> {
        let shown = Shown {
            read: tally.read,
            imported: tally.imported,
            skipped: tally.skipped,
            failed: tally.failed,
            dry_run: self.dry_run,
        };
        let would = if self.dry_run { "would be " } else { "" };
        let sentence = format!(
            "{} read: {} {would}imported, {} {would}skipped, {} failed.",
            tally.read, tally.imported, tally.skipped, tally.failed
        );
        output.done(&shown, &sentence)
    }
}

/// Tells what is wrong with a line, if something is.
fn tell(line: &Line, bar: &mut Progress) -> bool {
    let Outcome::Failed(errors) = &line.outcome else {
        return false;
    };
    bar.clear();
    for error in errors {
        let number = line.number;
        say(&match error.pointer.as_str() {
            "" => format!("{number}: {} ({})", error.detail, error.code),
            pointer => format!("{number}: {pointer}: {} ({})", error.detail, error.code),
        });
    }
    true
}

fn say(text: &str) {
    // Nobody is left to be told when standard error is closed.
    let _unheard = writeln!(stderr().lock(), "{text}");
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failed {
    Failed::said("io", format!("{what} {}: {error}", path.display()))
}
