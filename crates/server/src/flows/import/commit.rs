//! Chunks on their way into the store.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use symbolon_domain::{FieldError, Refusal, RoleBook, User, Username};
use symbolon_store::{Batch, Error as StoreError};

use super::decide::Proof;
use super::read::{Chunk, Judged, Verdict};
use super::state::{State, Tally, name};
use super::{AuditKind, Error, Import, Options, Origin, audit_id, authorize, unwritable};
use crate::app::App;
use crate::flows::actor::{Actor, Authority};
use crate::flows::{ROUNDS, overloaded};
use crate::transfer::Place;
use crate::transfer::report::{Line, Outcome, Report};

/// Look-ups and hashes that are on their way at a time.
const SIDE_BY_SIDE: usize = 16;

pub(super) struct Committer {
    app: Arc<App>,
    pub(super) report: Option<Report>,
    name: String,
    file: String,
    state: State,
    /// The state as it is stored.
    stored: String,
    /// Who asked for it, and for what.
    actor: Actor,
    options: Options,
    /// The roles that the users are judged by.
    revision: i64,
    conflict_fails: bool,
    /// What a dry run has seen: a digest of each key, for nothing is there to be looked up.
    seen: Option<(RandomState, HashSet<u64>)>,
}

impl Committer {
    /// Finds out whether there is something to go on with, and says in the audit log that it begins.
    pub(super) async fn begin(
        app: &Arc<App>,
        import: &Import,
        book: &RoleBook,
        origin: &Origin,
    ) -> Result<Self, Error> {
        let name = name(import.format, &import.name);
        let mut state = State::default();
        if import.options.resume
            && let Some(stored) = app.store.find_setting(&name).await?
        {
            state = serde_json::from_str(&stored).map_err(fault)?;
        }
        state.run = audit_id(app, app.clock.now())?.to_string();
        let stored = serde_json::to_string(&state).map_err(fault)?;
        let mut committer = Self {
            app: Arc::clone(app),
            report: None,
            name,
            file: import.name.clone(),
            state,
            stored,
            actor: import.actor,
            options: import.options.clone(),
            revision: book.revision(),
            conflict_fails: import.options.conflict_fails,
            seen: import
                .options
                .dry_run
                .then(|| (RandomState::new(), HashSet::new())),
        };
        if committer.seen.is_none() {
            let begins = match committer.state.tally.read {
                0 => "begun".to_owned(),
                read => format!("resumed after {read}"),
            };
            let mut batch = app.store.batch();
            batch.begin_progress(&committer.name, &committer.stored);
            committer.audit(&mut batch, origin, &begins)?;
            batch.commit().await?;
        } else {
            committer.state = State::default();
        }
        Ok(committer)
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.state.place.as_ref()
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.state.tally
    }

    pub(super) fn kept_report(&self) -> u64 {
        self.state.report
    }

    /// Brings a chunk in, and says what became of each piece.
    pub(super) async fn take(&mut self, mut chunk: Chunk) -> Result<Vec<Line>, Error> {
        self.hash(&mut chunk.pieces).await?;
        if self.seen.is_some() {
            self.look_up(&mut chunk.pieces).await?;
        }
        let mut is_stale = false;
        for _ in 0..ROUNDS {
            let (lines, next) = self.told(&chunk)?;
            let stored = serde_json::to_string(&next).map_err(fault)?;
            if self.seen.is_none() {
                let authority = authorize(&self.app, self.actor, &self.options).await?;
                match self.write(&authority, &chunk.pieces, &stored).await {
                    Ok(()) => {}
                    Err(StoreError::Conflict(_)) => {
                        self.look_up(&mut chunk.pieces).await?;
                        continue;
                    }
                    Err(StoreError::Busy) if !self.is_stored(&stored).await? => continue,
                    Err(StoreError::Busy) => {}
                    // Whoever asked for it may have changed, and may do it still.
                    Err(StoreError::Stale) if !std::mem::replace(&mut is_stale, true) => continue,
                    Err(StoreError::Stale) => return Err(self.overtaken().await?),
                    Err(error) => return Err(error.into()),
                }
            }
            (self.state, self.stored) = (next, stored);
            if let Some(report) = &mut self.report {
                report.keep();
            }
            return Ok(lines);
        }
        Err(overloaded().into())
    }

    /// Says in the audit log how it ended, and forgets the steps.
    pub(super) async fn end(self, origin: &Origin) -> Result<Tally, Error> {
        if self.seen.is_none() {
            let mut batch = self.app.store.batch();
            batch.end_progress(&self.name, &self.stored);
            self.audit(&mut batch, origin, "ended")?;
            batch.commit().await?;
        }
        Ok(self.state.tally)
    }

    async fn write(
        &self,
        authority: &Authority,
        pieces: &[Judged],
        state: &str,
    ) -> Result<(), StoreError> {
        let mut batch = self.app.store.batch();
        authority.bind(&mut batch);
        batch.advance_progress(&self.name, &self.stored, state);
        batch.require_roles(self.revision);
        for piece in pieces {
            if let Verdict::User(candidate) = &piece.verdict {
                let hash = match &candidate.password {
                    Proof::Hash(hash) => Some(hash.as_str()),
                    Proof::None { .. } | Proof::Plain(_) => None,
                };
                batch.insert_user(&candidate.user, hash);
            }
        }
        batch.commit().await
    }

    /// The lines of a chunk, written but not kept, and the state behind it.
    fn told(&mut self, chunk: &Chunk) -> Result<(Vec<Line>, State), Error> {
        let lines: Vec<Line> = chunk.pieces.iter().map(|piece| self.line(piece)).collect();
        let mut next = self.state.clone();
        for line in &lines {
            next.tally.read += 1;
            match line.outcome {
                Outcome::Imported { .. } => next.tally.imported += 1,
                Outcome::Skipped(_) => next.tally.skipped += 1,
                Outcome::Failed(_) => next.tally.failed += 1,
            }
        }
        next.place = Some(chunk.place.clone());
        if let Some(report) = &mut self.report {
            next.report = report.write(&lines).map_err(unwritable)?;
        }
        Ok((lines, next))
    }

    fn line(&self, piece: &Judged) -> Line {
        let outcome = match &piece.verdict {
            Verdict::User(candidate) => Outcome::Imported {
                id: candidate.user.id,
                password_dropped: matches!(candidate.password, Proof::None { dropped: true }),
            },
            Verdict::Other(why) => Outcome::Skipped((*why).to_owned()),
            Verdict::Taken(field) if self.conflict_fails => Outcome::Failed(vec![FieldError {
                pointer: format!("/{field}"),
                code: "conflict",
                detail: "Another user has this already.".to_owned(),
            }]),
            Verdict::Taken(field) => Outcome::Skipped(format!("the {field} is taken")),
            Verdict::Broken(errors) => Outcome::Failed(errors.clone()),
        };
        Line {
            number: piece.number,
            foreign_id: piece.foreign_id.clone(),
            outcome,
        }
    }

    /// Marks those of whom something is taken, in the store or by one before them.
    async fn look_up(&mut self, pieces: &mut [Judged]) -> Result<(), Error> {
        let store = &self.app.store;
        let users = pieces.iter().enumerate().filter_map(|(at, piece)| {
            let Verdict::User(candidate) = &piece.verdict else {
                return None;
            };
            Some(async move { (at, store.find_taken(&candidate.user).await) })
        });
        // As futures of a list: those of an iterator that borrows cannot be moved between threads.
        let users: Vec<_> = users.collect();
        let found: Vec<_> = stream::iter(users).buffered(SIDE_BY_SIDE).collect().await;
        for (at, taken) in found {
            if let Some(field) = taken? {
                pieces[at].verdict = Verdict::Taken(field);
            }
        }
        let mut here = (RandomState::new(), HashSet::new());
        let seen = self.seen.as_mut().unwrap_or(&mut here);
        for piece in pieces {
            if let Verdict::User(candidate) = &piece.verdict
                && let Some(field) = first_seen(seen, &candidate.user)
            {
                piece.verdict = Verdict::Taken(field);
            }
        }
        Ok(())
    }

    /// Hashes the passwords in clear.
    async fn hash(&self, pieces: &mut [Judged]) -> Result<(), Error> {
        if self.seen.is_some() {
            return Ok(());
        }
        let hasher = &self.app.hasher;
        let work = pieces.iter().enumerate().filter_map(|(at, piece)| {
            let Verdict::User(candidate) = &piece.verdict else {
                return None;
            };
            let Proof::Plain(password) = &candidate.password else {
                return None;
            };
            let password = password.clone();
            Some(async move { (at, hasher.hash(password).await) })
        });
        let work: Vec<_> = work.collect();
        let hashed: Vec<_> = stream::iter(work).buffered(SIDE_BY_SIDE).collect().await;
        for (at, hash) in hashed {
            if let Verdict::User(candidate) = &mut pieces[at].verdict {
                candidate.password = Proof::Hash(hash?);
            }
        }
        Ok(())
    }

    /// Whether a commit whose answer got lost was made.
    async fn is_stored(&self, state: &str) -> Result<bool, Error> {
        let stored = self.app.store.find_setting(&self.name).await?;
        Ok(stored.as_deref() == Some(state))
    }

    /// Why the step was not the next one.
    async fn overtaken(&self) -> Result<Error, Error> {
        let sentence = if self.is_stored(&self.stored).await? {
            "The roles, or whoever asked for it, were changed while the import ran. Start it again with --resume."
        } else {
            "Another import of this file is running, or was run since this one began."
        };
        Ok(Refusal::MalformedRequest(sentence.to_owned()).into())
    }

    fn audit(&self, batch: &mut Batch, origin: &Origin, what: &str) -> Result<(), Error> {
        let now = self.app.clock.now();
        let mut event = origin.event(AuditKind::UsersImported, now);
        event.actor = self.actor.user();
        let tally = &self.state.tally;
        let file = self.file.rsplit('/').next().unwrap_or_default();
        event.detail = Some(format!(
            "{what}: {file}, {} read, {} imported, {} skipped, {} failed",
            tally.read, tally.imported, tally.skipped, tally.failed
        ));
        batch.insert_audit(audit_id(&self.app, now)?, &event);
        Ok(())
    }
}

/// Notes what must be unique of a user, and says what one before has taken.
fn first_seen(
    (state, seen): &mut (RandomState, HashSet<u64>),
    user: &User,
) -> Option<&'static str> {
    let keys = [
        ("id", Some(user.id.to_string())),
        ("email", Some(user.email.key())),
        ("username", user.username.as_ref().map(Username::key)),
    ];
    let keys: Vec<(&'static str, u64)> = keys
        .into_iter()
        .filter_map(|(field, key)| Some((field, state.hash_one((field, key?)))))
        .collect();
    if let Some((field, _)) = keys.iter().find(|(_, key)| seen.contains(key)) {
        return Some(field);
    }
    seen.extend(keys.into_iter().map(|(_, key)| key));
    None
}

fn fault(error: serde_json::Error) -> Error {
    Error::Fault {
        context: "the state of an import",
        source: error.into(),
    }
}
