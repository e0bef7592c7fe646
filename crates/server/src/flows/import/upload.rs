//! Import of a file that somebody sends to the server.
//!
//! 1. One file at a time is taken, up to [`MOST_BYTES`]. It has no name in the folder of the data, so that nothing stays of
//!    it when the process ends.
//! 2. It is tried first: everything is read and judged, nothing is written.
//! 3. Then it is imported, beside the requests. Its steps are kept under the digest of its content and its name: the same
//!    file, sent again after an interruption, goes on where that one ended.
//! 4. What became of it is kept until another file comes or somebody clears it away.
//!
//! Whoever brings users in may give them no role and no id, unless they may do everything. A file is for whoever sent it, or
//! for them; what is asked of it names its digest, so that nobody imports another one than they have looked at.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use symbolon_domain::{Effective, Permissions, Refusal, RoleName, Roles, Timestamp, UserId};
use tokio::runtime::Handle;

use super::{Import, Options, Tally, import};
use crate::app::App;
use crate::flows::actor::{Actor, Authority};
use crate::flows::{Error, Origin};
use crate::hashing::notation::FirebaseProject;
use crate::jobs::Causes;
use crate::transfer::Format;
use crate::transfer::report::{Line, Outcome};

/// Longest file, in bytes.
pub const MOST_BYTES: u64 = 1 << 30;
/// Longest name that is kept of it.
const MOST_NAME: usize = 120;
/// Refused users that are kept to be shown.
pub const MOST_REFUSED: usize = 1000;
const FAULT: &str = "It stopped for a fault of the server, which the log tells of.";
/// What it takes.
pub const WRITE: &str = "users:write";

/// The file that was sent, and what became of it. One for a process.
#[derive(Default)]
pub struct Imports(Mutex<State>, AtomicU64);

#[derive(Default)]
enum State {
    #[default]
    Nothing,
    /// A file is being sent: which, and by whom.
    Arriving(u64, Option<UserId>),
    Here(Box<Upload>),
}

struct Upload {
    file: Arc<File>,
    seen: Seen,
}

/// A file as it is shown.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it was called.
    pub name: String,
    /// Whose it is.
    pub format: Format,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of it, in base64url.
    pub digest: String,
    /// Who sent it.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// What was done with it last.
    pub run: Option<Run>,
}

impl Seen {
    /// Whether it was imported to its end.
    fn is_done(&self) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| !run.is_dry && matches!(run.ended, Some(Ok(()))))
    }
}

/// A try, or the import itself.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whether nothing is written.
    pub is_dry: bool,
    /// What is asked of it.
    pub options: Options,
    /// Bytes that were read.
    pub offset: u64,
    /// What became of the users.
    pub tally: Tally,
    /// Users that were refused: the line, and what is wrong. At most [`MOST_REFUSED`].
    pub refused: Vec<Refused>,
    /// How it ended; nothing while it runs. The text says why it stopped before the end.
    pub ended: Option<Result<(), String>>,
}

/// A user of the file who was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The line, or the place in the list, from 1 on.
    pub line: u64,
    /// What the other system calls the user.
    pub foreign_id: Option<String>,
    /// Which part is wrong, as a JSON pointer; empty for all of it.
    pub pointer: String,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence.
    pub detail: String,
}

/// What is there at the moment.
#[derive(Clone, Debug)]
pub enum Look {
    /// No file.
    Nothing,
    /// One is being sent.
    Arriving,
    /// One is here.
    Here(Box<Seen>),
}

/// A file on its way in. Dropped before its end, nothing stays of it.
pub struct Arrival {
    app: Arc<App>,
    /// Tells it from one that came after it was given up.
    number: u64,
    actor: Actor,
    file: Option<File>,
    digest: Context,
    bytes: u64,
}

impl Imports {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is there.
    #[must_use]
    pub fn look(&self) -> Look {
        match &*self.state() {
            State::Nothing => Look::Nothing,
            State::Arriving(..) => Look::Arriving,
            State::Here(upload) => Look::Here(Box::new(upload.seen.clone())),
        }
    }

    fn with_run(&self, change: impl FnOnce(&mut Run)) {
        if let State::Here(upload) = &mut *self.state()
            && let Some(run) = &mut upload.seen.run
        {
            change(run);
        }
    }
}

/// Step 1: takes the place for a file.
///
/// # Errors
/// `forbidden`, also for who would take the place of somebody else's; `conflict` while another one is arriving, or an import
/// runs; a fault.
pub async fn begin(app: &Arc<App>, actor: Actor) -> Result<Arrival, Error> {
    let authority = actor.authorize(app, WRITE).await?;
    let mut state = app.imports.state();
    if is_busy(&state) {
        return Err(Refusal::Conflict("import").into());
    }
    may_touch(&state, actor, &authority)?;
    let file = nameless(&app.config.server.data).map_err(unkept)?;
    let number = app.imports.1.fetch_add(1, Ordering::Relaxed);
    *state = State::Arriving(number, actor.user());
    drop(state);
    Ok(Arrival {
        app: Arc::clone(app),
        number,
        actor,
        file: Some(file),
        digest: Context::new(&SHA256),
        bytes: 0,
    })
}

/// What somebody sent is theirs, until it was imported: nobody tries, imports, replaces or clears what another may have
/// looked at, save who may do everything (SECURITY row M3).
fn may_touch(state: &State, actor: Actor, authority: &Authority) -> Result<(), Error> {
    let by = match state {
        State::Nothing => return Ok(()),
        State::Arriving(_, by) => *by,
        State::Here(upload) if upload.seen.is_done() => return Ok(()),
        State::Here(upload) => upload.seen.by,
    };
    match by == actor.user() {
        true => Ok(()),
        false => authority.must_have(&Effective {
            roles: Roles::default(),
            permissions: Permissions::Every,
        }),
    }
}

fn is_busy(state: &State) -> bool {
    match state {
        State::Nothing => false,
        State::Arriving(..) => true,
        State::Here(upload) => {
            let run = upload.seen.run.as_ref();
            run.is_some_and(|run| run.ended.is_none())
        }
    }
}

/// A file that is gone when it is closed.
fn nameless(data: &Path) -> std::io::Result<File> {
    let folder = data.join("import");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let path = folder.join("upload");
    // One that a process left which ended between the two.
    std::fs::remove_file(&path).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn unkept(error: std::io::Error) -> Error {
    Error::fault("keeping a file")(error.into())
}

impl Arrival {
    /// Takes a piece of the file.
    ///
    /// # Errors
    /// `payload_too_large` beyond [`MOST_BYTES`]; `conflict` where it was given up meanwhile; a fault where it cannot be kept.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        if !self.is_awaited(&self.app.imports.state()) {
            return Err(Refusal::Conflict("import").into());
        }
        self.bytes += piece.len() as u64;
        if self.bytes > MOST_BYTES {
            return Err(Refusal::PayloadTooLarge.into());
        }
        self.digest.update(piece);
        match &mut self.file {
            Some(file) => file.write_all(piece).map_err(unkept),
            None => Ok(()),
        }
    }

    fn is_awaited(&self, state: &State) -> bool {
        matches!(state, State::Arriving(number, _) if *number == self.number)
    }

    /// All of it is here.
    ///
    /// # Errors
    /// `forbidden` for who may not do it any more; `conflict` where it was given up meanwhile.
    pub async fn end(mut self, name: &str, format: Format) -> Result<(), Error> {
        self.actor.authorize(&self.app, WRITE).await?;
        let app = Arc::clone(&self.app);
        let mut state = app.imports.state();
        let file = self.file.take().filter(|_| self.is_awaited(&state));
        let file = file.ok_or(Refusal::Conflict("import"))?;
        let digest = std::mem::replace(&mut self.digest, Context::new(&SHA256)).finish();
        let plain = |letter: &char| !letter.is_control();
        let seen = Seen {
            name: name.chars().filter(plain).take(MOST_NAME).collect(),
            format,
            bytes: self.bytes,
            digest: symbolon_token::encoding::encode(digest.as_ref()),
            by: self.actor.user(),
            at: app.clock.now(),
            run: None,
        };
        *state = State::Here(Box::new(Upload {
            file: Arc::new(file),
            seen,
        }));
        Ok(())
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut state = self.app.imports.state();
        if self.file.is_some() && self.is_awaited(&state) {
            *state = State::Nothing;
        }
    }
}

/// Clears the file away whose digest was looked at; where it is empty, one that is still arriving.
///
/// # Errors
/// `forbidden` for who may not, or whose it is not; `precondition_failed` where it is another one by now; `conflict` while it
/// is being read.
pub async fn clear(app: &App, actor: Actor, looked_at: &str) -> Result<(), Error> {
    let authority = actor.authorize(app, WRITE).await?;
    let mut state = app.imports.state();
    may_touch(&state, actor, &authority)?;
    let is_it = match &*state {
        State::Nothing => true,
        State::Arriving(..) => looked_at.is_empty(),
        State::Here(_) if is_busy(&state) => return Err(Refusal::Conflict("import").into()),
        State::Here(upload) => upload.seen.digest == looked_at,
    };
    if !is_it {
        return Err(Refusal::PreconditionFailed.into());
    }
    *state = State::Nothing;
    Ok(())
}

/// What is asked of a file.
pub struct Wanted<'a> {
    /// The digest of the file that was looked at: no other one is meant.
    pub looked_at: &'a str,
    /// How to try it; nothing to import it as it was tried last.
    pub tried: Option<Options>,
    /// How the Firebase project hashes from which it comes.
    pub firebase: Option<FirebaseProject>,
}

/// Steps 2 and 3: begins to try the file, or to import it as it was tried last.
///
/// # Errors
/// `forbidden`, also for whose it is not and who may not give the roles that are asked for; `not_found` where there is no
/// file, or none that was tried; `precondition_failed` where it is another one by now; `conflict` while it is being read; a
/// fault.
pub async fn run(
    app: &Arc<App>,
    actor: Actor,
    wanted: Wanted<'_>,
    origin: &Origin,
) -> Result<(), Error> {
    let authority = actor.authorize(app, WRITE).await?;
    let asked = asked(app, (actor, &authority), wanted)?;
    let is_dry = asked.options.dry_run;
    tracing::info!(is_dry, "an import of a file that was sent begins");
    // On a thread of its own: it takes long, and requests go on meanwhile.
    let (running, origin, runtime) = (Arc::clone(app), origin.clone(), Handle::current());
    let run = move || runtime.block_on(follow(running, asked, origin));
    let begun = std::thread::Builder::new()
        .name("imports".to_owned())
        .spawn(run);
    begun.map(drop).map_err(|error| {
        *app.imports.state() = State::Nothing;
        Error::fault("starting an import")(error.into())
    })
}

/// What is asked of the import; from here on the file is being read.
fn asked(
    app: &App,
    (actor, authority): (Actor, &Authority),
    wanted: Wanted<'_>,
) -> Result<Import, Error> {
    let mut state = app.imports.state();
    if is_busy(&state) {
        return Err(Refusal::Conflict("import").into());
    }
    may_touch(&state, actor, authority)?;
    let State::Here(upload) = &mut *state else {
        return Err(Refusal::NotFound.into());
    };
    if upload.seen.digest != wanted.looked_at {
        return Err(Refusal::PreconditionFailed.into());
    }
    let is_dry = wanted.tried.is_some();
    let last = upload.seen.run.as_ref().filter(|run| run.is_dry);
    let options = wanted.tried.or_else(|| last.map(|run| run.options.clone()));
    let mut options = options.ok_or(Refusal::NotFound)?;
    (options.dry_run, options.resume) = (is_dry, !is_dry);
    let everything = authority.must_have(&Effective {
        roles: Roles::default(),
        permissions: Permissions::Every,
    });
    if !options.ignore_roles || options.allow_admin {
        everything?;
    } else {
        options.roles = Roles::new(vec![RoleName::USER]);
        options.ignore_ids |= everything.is_err();
    }
    let file = upload.file.try_clone().map_err(unkept)?;
    (&file).seek(SeekFrom::Start(0)).map_err(unkept)?;
    upload.seen.run = Some(Run {
        is_dry,
        options: options.clone(),
        offset: 0,
        tally: Tally::default(),
        refused: Vec::new(),
        ended: None,
    });
    Ok(Import {
        format: upload.seen.format,
        read: Box::new(file),
        name: format!(
            "{}/{}",
            upload.seen.digest,
            upload.seen.name.replace('/', "_")
        ),
        report: None,
        firebase: wanted.firebase,
        actor,
        options,
    })
}

/// Says that a run stopped, whatever ended its thread.
struct Stops(Arc<App>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.imports.with_run(|run| {
            run.ended.get_or_insert_with(|| Err(FAULT.to_owned()));
        });
    }
}

async fn follow(app: Arc<App>, asked: Import, origin: Origin) {
    let _stops = Stops(Arc::clone(&app));
    let watching = Arc::clone(&app);
    let mut watch = move |progress: &super::Progress<'_>| {
        watching.imports.with_run(|run| {
            run.offset = progress.offset;
            run.tally = progress.tally.clone();
            let room = MOST_REFUSED.saturating_sub(run.refused.len());
            run.refused
                .extend(progress.lines.iter().flat_map(refused).take(room));
        });
    };
    let ended = import(&app, asked, &origin, &mut watch).await;
    let ended = match ended {
        Ok(tally) => {
            app.imports.with_run(|run| run.tally = tally);
            Ok(())
        }
        Err(Error::Refused(refusal)) => Err(refusal.detail().into_owned()),
        Err(error) => {
            tracing::error!(error = %Causes(&error), "an import stopped");
            Err(FAULT.to_owned())
        }
    };
    app.imports.with_run(|run| run.ended = Some(ended));
}

fn refused(line: &Line) -> Vec<Refused> {
    let Outcome::Failed(errors) = &line.outcome else {
        return Vec::new();
    };
    let one = |error: &symbolon_domain::FieldError| Refused {
        line: line.number,
        foreign_id: line.foreign_id.clone(),
        pointer: error.pointer.clone(),
        code: error.code,
        detail: error.detail.clone(),
    };
    errors.iter().map(one).collect()
}
