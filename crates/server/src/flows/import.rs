//! Import: users from a file of ours or of another system.
//!
//! 1. One thread reads the file and judges each user by the rules of registration ([`decide`]); it hands over a chunk
//!    at a time and never holds more than a few of them.
//! 2. A chunk is one commit, with the place in the file at which it ends: an interrupted import goes on from there,
//!    and no user is brought in twice or left out.
//! 3. Where the commit says that an address, a name or an id is taken, each user of the chunk is looked up, and the
//!    others are committed without those.
//! 4. Lines of the report are written before the commit and kept after it, so that the report, too, tells of each
//!    user once.
//! 5. Whoever asked for it is judged anew before each chunk, in its commit (SECURITY row M8).
//! 6. The audit log has a row for the beginning and one for the end.

mod commit;
mod decide;
mod read;
mod state;
pub mod upload;

use std::io::Read;
use std::sync::Arc;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Effective, Permissions, Refusal, RoleBook, Roles};

use self::commit::Committer;
use self::read::Chunk;
pub use self::state::Tally;
use super::actor::{Actor, Authority};
use super::{Error, Origin, audit_id};
use crate::app::App;
use crate::hashing::notation::FirebaseProject;
use crate::transfer::report::{Line, Report};
use crate::transfer::{Format, Unreadable};

/// What is asked of an import.
pub struct Import {
    /// Whose file it is.
    pub format: Format,
    /// The file.
    pub read: Box<dyn Read + Send>,
    /// What the file is known by when an interrupted import goes on: its full path, or `-`.
    pub name: String,
    /// Where what became of each user is written.
    pub report: Option<std::fs::File>,
    /// How the Firebase project hashes from which the file comes.
    pub firebase: Option<FirebaseProject>,
    /// Who asked for it. Asked again before each step: whoever may not do it any more brings nothing in.
    pub actor: Actor,
    /// The rest.
    pub options: Options,
}

/// What is to be done where a file leaves a choice.
#[derive(Clone, Debug)]
pub struct Options {
    /// The roles of users for whom the file names none.
    pub roles: Roles,
    /// Whether roles that the file names are passed over.
    pub ignore_roles: bool,
    /// Whether ids that the file names are passed over, and new ones made.
    pub ignore_ids: bool,
    /// Whether a role that may do everything can be given.
    pub allow_admin: bool,
    /// Whether a user who is there already counts as failed.
    pub conflict_fails: bool,
    /// Whether users whose hash cannot be kept come in without a password.
    pub drop_hashes: bool,
    /// Whether passwords in clear are taken, and hashed.
    pub plain_passwords: bool,
    /// Whether an import of this file that was interrupted goes on.
    pub resume: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

impl Options {
    /// Whether it takes somebody who may do everything: to give roles, and to let a file say whose id somebody has (it may
    /// be that of who is gone, SECURITY row M1).
    fn need_everything(&self) -> bool {
        !self.ignore_roles || !self.ignore_ids || self.allow_admin
    }
}

/// Whether the actor may bring users in like this.
///
/// # Errors
/// `forbidden`, or a fault.
async fn authorize(app: &App, actor: Actor, options: &Options) -> Result<Authority, Error> {
    let authority = actor.authorize(app, upload::WRITE).await?;
    if options.need_everything() {
        authority.must_have(&Effective {
            roles: Roles::default(),
            permissions: Permissions::Every,
        })?;
    }
    Ok(authority)
}

/// How far an import has come.
pub struct Progress<'a> {
    /// What became of the users since the last time.
    pub lines: &'a [Line],
    /// What became of all.
    pub tally: &'a Tally,
    /// Bytes of the file that were read.
    pub offset: u64,
}

/// Imports a file, and tells `watch` of each chunk.
///
/// # Errors
/// `validation_failed` for roles that cannot be given; `malformed_request` for a file that cannot be read (chunks before
/// that are imported) and where another import of it is running; `overloaded`, or a fault. What was begun goes on with
/// `resume`.
pub async fn import(
    app: &Arc<App>,
    import: Import,
    origin: &Origin,
    watch: &mut dyn FnMut(&Progress<'_>),
) -> Result<Tally, Error> {
    let book = app.role_book().await?;
    must_be_allowed(&book, &import.options)?;
    let mut committer = Committer::begin(app, &import, &book, origin).await?;
    if let Some(file) = import.report {
        let kept = committer.kept_report();
        committer.report = Some(Report::new(file, kept).map_err(unwritable)?);
    }
    let rules = decide::Rules::new(app, &import.options, book);
    let place = committer.place().cloned();
    let source = read::Source {
        format: import.format,
        read: import.read,
        firebase: import.firebase,
        place,
    };
    let mut chunks = read::start(source, rules)?;
    while let Some(chunk) = chunks.recv().await {
        let chunk: Chunk = chunk?;
        let offset = chunk.place.offset;
        let lines = committer.take(chunk).await?;
        watch(&Progress {
            lines: &lines,
            tally: committer.tally(),
            offset,
        });
    }
    committer.end(origin).await
}

fn must_be_allowed(book: &RoleBook, options: &Options) -> Result<(), Error> {
    let refuse = |problem: symbolon_domain::Problem| {
        Error::from(Refusal::Validation(vec![problem.at("/roles")]))
    };
    book.must_define(&options.roles).map_err(refuse)?;
    decide::must_not_be_admin(book, &options.roles, options.allow_admin).map_err(refuse)
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        Self::Refused(Refusal::MalformedRequest(error.0))
    }
}

fn unwritable(error: std::io::Error) -> Error {
    Error::Refused(Refusal::MalformedRequest(format!(
        "The report cannot be written: {error}."
    )))
}
