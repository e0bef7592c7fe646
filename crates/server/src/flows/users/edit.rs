//! Change an account: one transaction for all fields, one line of the audit log for each kind of change.
//!
//! 1. The actor must be allowed to, hold all that the user holds, and all that the user is to get.
//! 2. The last administrator stays one, whoever else changes administrators at the same time.
//! 3. Somebody who is disabled loses every session; other roles, and another address where tokens carry it, make access
//!    tokens stale.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::mail::MailKind;
use symbolon_domain::revocation::Revocation;
use symbolon_domain::{EndReason, Refusal, Timestamp, User, UserId, UserStatus};
use symbolon_store::{Batch, UserRow};

use super::fields::Edit;
use super::{WRITE, counts_as_admin, keep_an_admin, must_be_known};
use crate::app::App;
use crate::flows::actor::{Actor, Authority};
use crate::flows::outbox::{self, Message};
use crate::flows::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded, proof};

/// Changes the user `id`. `expected` is the version that whoever asks has seen, if that matters.
///
/// # Errors
/// `forbidden`, `not_found`, `precondition_failed`, `validation_failed` for a role that does not exist, `conflict` for
/// an address or name that is taken and for the last administrator, `overloaded`, or a fault.
pub async fn edit(
    app: &App,
    actor: Actor,
    (id, edit, expected): (UserId, &Edit, Option<i64>),
    origin: &Origin,
) -> Result<UserRow, Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let row = app.store.find_user_row(id).await?;
        let row = row.ok_or(Refusal::NotFound)?;
        let user = row.user;
        if expected.is_some_and(|version| version != user.version) {
            return Err(Refusal::PreconditionFailed.into());
        }
        authority.may_manage(&user)?;
        let next = edit.onto(&user);
        let last_login_at = row.last_login_at;
        if next == user {
            return Ok(UserRow {
                user,
                last_login_at,
            });
        }
        if next.roles != user.roles {
            must_be_known(app, &next.roles).await?;
            authority.may_grant(&next.roles)?;
        }
        let mut change = Change {
            app,
            former: &user,
            next,
            now: app.clock.now(),
            batch: app.store.batch(),
        };
        change.guard(&authority).await?;
        let revocations = change.write();
        change.note(&authority, origin)?;
        let committed = app.commit(change.batch, &revocations).await;
        if !lost_race(&committed) {
            committed?;
            return Ok(UserRow {
                user: change.next,
                last_login_at,
            });
        }
    }
    Err(overloaded().into())
}

/// A change that was decided.
struct Change<'a> {
    app: &'a App,
    former: &'a User,
    next: User,
    now: Timestamp,
    batch: Batch,
}

impl Change<'_> {
    /// Steps 1 and 2, for the moment of the commit.
    async fn guard(&mut self, authority: &Authority) -> Result<(), Error> {
        authority.bind(&mut self.batch);
        if counts_as_admin(self.former) && !counts_as_admin(&self.next) {
            keep_an_admin(self.app, self.former).await?;
            self.batch.require_other_admin(self.former.id);
        }
        Ok(())
    }

    /// Step 3, and the fields themselves. Each statement expects the version that the one before it leaves.
    fn write(&mut self) -> Vec<Revocation> {
        let (user, now) = (self.former, self.now);
        let ended = user.is_active() && !self.next.is_active();
        let outdated = self.next.roles != user.roles
            || (self.app.config.tokens.email && self.next.email != user.email);
        let event = match (ended, outdated) {
            (true, _) => Some(Event::AllSessionsEnd {
                user,
                reason: EndReason::Disabled,
            }),
            (false, true) => Some(Event::RolesChanged { user }),
            (false, false) => None,
        };
        let mut version = user.version;
        let mut revocations = Vec::new();
        if let Some(event) = event {
            let batch = &mut self.batch;
            revocations = consequences::write(self.app, batch, &event, Some(user), now);
            self.next.token_version += 1;
            version += 1;
        }
        if self.next.roles != user.roles {
            self.batch
                .update_roles(user.id, version, &self.next.roles, now);
            version += 1;
        }
        if self.next.status != user.status {
            self.batch
                .update_status(user.id, version, self.next.status, now);
            version += 1;
        }
        self.next.updated_at = now;
        self.next.version = version;
        if !self.profile_fields().is_empty() {
            self.next.version = version + 1;
            self.batch.update_profile(&self.next);
        }
        revocations
    }

    fn profile_fields(&self) -> Vec<&'static str> {
        let (former, next) = (self.former, &self.next);
        let changed = [
            ("email", former.email != next.email),
            (
                "emailVerified",
                former.email_verified != next.email_verified,
            ),
            ("username", former.username != next.username),
            ("name", former.name != next.name),
        ];
        let names = changed.into_iter().filter(|(_, changed)| *changed);
        names.map(|(name, _)| name).collect()
    }

    /// Whoever had the address before hears of it, and what was proved of it is void.
    fn tell_of_address(&mut self, origin: &Origin) -> Result<(), Error> {
        proof::end_all(&mut self.batch, self.former, self.now);
        let message = Message {
            kind: MailKind::EmailChanged,
            recipient: &self.former.email,
            subject: Some(self.former.id.uuid()),
            about: Some(&self.next.email),
        };
        outbox::write(self.app, &mut self.batch, &message, origin, self.now)
    }

    fn note(&mut self, authority: &Authority, origin: &Origin) -> Result<(), Error> {
        let mut lines = Vec::new();
        let fields = self.profile_fields();
        if !fields.is_empty() {
            lines.push((AuditKind::ProfileChanged, Some(fields.join(" "))));
        }
        if self.next.roles != self.former.roles {
            let detail = format!("{} -> {}", self.former.roles, self.next.roles);
            lines.push((AuditKind::RolesChanged, Some(detail)));
        }
        if self.next.email != self.former.email {
            self.tell_of_address(origin)?;
        }
        if self.next.status != self.former.status {
            let kind = match self.next.status {
                UserStatus::Disabled => AuditKind::UserDisabled,
                UserStatus::Active => AuditKind::UserEnabled,
            };
            lines.push((kind, None));
        }
        for (kind, detail) in lines {
            let mut event = origin.event(kind, self.now);
            authority.stamp(&mut event);
            event.subject = Some(self.former.id);
            event.detail = detail;
            self.batch
                .insert_audit(audit_id(self.app, self.now)?, &event);
        }
        Ok(())
    }
}
