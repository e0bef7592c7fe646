//! Roles: what they are, and what follows when one is changed.
//!
//! 1. The change is decided against the definitions as they are, and is committed only if they still are.
//! 2. Who changes a role must have all that it came to and all that it will come to: nobody grants what they do not have.
//! 3. Access tokens of whoever has the role say what is no longer true, so they become stale, at every guard: those of a few
//!    holders by name and in the same commit;
//! 4. those of many by one statement about all tokens that were issued until then. It follows the commit, for a token that
//!    was being made meanwhile may still be of the former kind; [`announce`] makes it, and whoever follows the database makes
//!    up for a process that died in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::{Event, revocation_until};
use symbolon_domain::revocation::{Effect, Revocation, Subject};
use symbolon_domain::{Permissions, Refusal, Role, RoleBook, RoleName, Roles, Timestamp, User};
use symbolon_store::{Announcement, Batch};

use super::actor::{Actor, Authority};
use super::clients::of_client;
use super::revocations::by_time;
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded};
use crate::app::App;
use crate::app::timekeeping::last_issue_s;
use crate::jobs::Causes;

/// Holders whose tokens are named one by one; beyond, everybody refreshes once.
const MOST_NAMED: usize = 256;
/// What it takes to see roles.
pub const READ: &str = "roles:read";
/// What it takes to change them.
pub const WRITE: &str = "roles:write";

/// What a role is to be; the name says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: RoleName,
    /// What it is for, for people.
    pub description: String,
    /// What it allows by itself.
    pub permissions: Permissions,
    /// The roles that it brings along.
    pub includes: Roles,
}

/// What is to become of a role; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What it is for.
    pub description: Option<String>,
    /// What it allows by itself.
    pub permissions: Option<Permissions>,
    /// The roles that it brings along.
    pub includes: Option<Roles>,
}

/// Every role as it is.
///
/// # Errors
/// A fault of the store.
pub async fn book(app: &App) -> Result<Arc<RoleBook>, Error> {
    Ok(app.role_book().await?)
}

/// One role, and every role.
///
/// # Errors
/// `not_found`, or a fault of the store.
pub async fn find(app: &App, name: &RoleName) -> Result<(Arc<RoleBook>, Role), Error> {
    let book = app.role_book().await?;
    let role = book.find(name).ok_or(Refusal::NotFound)?.clone();
    Ok((book, role))
}

/// Makes a role.
///
/// # Errors
/// `forbidden`, `validation_failed`, `conflict` when there is one of this name, `overloaded`, or a fault.
pub async fn create(
    app: &App,
    actor: Actor,
    definition: &Definition,
    origin: &Origin,
) -> Result<Role, Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let now = app.clock.now();
        let role = Role {
            name: definition.name.clone(),
            description: definition.description.clone(),
            permissions: definition.permissions.clone(),
            includes: definition.includes.clone(),
            builtin: false,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        if authority.book().find(&role.name).is_some() {
            return Err(Refusal::Conflict("role").into());
        }
        must_be_sound(&authority, &role)?;
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        write_audit(
            app,
            &mut batch,
            &authority,
            (AuditKind::RoleCreated, &role),
            origin,
        )?;
        batch.insert_role(&role);
        batch.raise_roles(authority.book().revision(), Announcement::Made);
        let committed = app.commit(batch, &[]).await;
        if !lost_race(&committed) {
            committed?;
            return Ok(role);
        }
    }
    Err(overloaded().into())
}

/// Changes a role. `expected` is the version that whoever asks has seen, if that matters.
///
/// # Errors
/// `not_found`, `forbidden` (also for built-in roles), `validation_failed`, `precondition_failed` for another version,
/// `overloaded`, or a fault.
pub async fn change(
    app: &App,
    actor: Actor,
    (name, change, expected): (&RoleName, &Change, Option<i64>),
    origin: &Origin,
) -> Result<Role, Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let former = stored(&authority, name, expected)?;
        let now = app.clock.now();
        let role = change.of(&former);
        must_be_sound(&authority, &role)?;
        if role == former {
            return Ok(role);
        }
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        write_audit(
            app,
            &mut batch,
            &authority,
            (AuditKind::RoleChanged, &role),
            origin,
        )?;
        batch.update_role(&role, now);
        let (revocations, announcement) =
            follow(app, &mut batch, authority.book(), (&former, &role), now).await?;
        let committed = by_time::commit(app, batch, revocations).await;
        if lost_race(&committed) {
            continue;
        }
        committed?;
        if announcement == Announcement::Due
            && let Err(error) = announce(app).await
        {
            // The change is made. Whoever follows the database says what is due.
            tracing::warn!(error = %Causes(&error), "a changed role is not announced yet");
        }
        return Ok(Role {
            version: role.version + 1,
            updated_at: now,
            ..role
        });
    }
    Err(overloaded().into())
}

/// Deletes a role that no user and no client has and no other role includes.
///
/// # Errors
/// `not_found`, `forbidden` (also for built-in roles), `conflict` while it is in use, `precondition_failed` for another
/// version, `overloaded`, or a fault.
pub async fn delete(
    app: &App,
    actor: Actor,
    (name, expected): (&RoleName, Option<i64>),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let role = stored(&authority, name, expected)?;
        authority.may_grant(&Roles::new(vec![name.clone()]))?;
        let is_included = authority.book().bringing(name).as_slice() != [name.clone()];
        if is_included || is_given(app, name).await? {
            return Err(Refusal::Conflict("role_in_use").into());
        }
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        write_audit(
            app,
            &mut batch,
            &authority,
            (AuditKind::RoleDeleted, &role),
            origin,
        )?;
        batch.delete_role(name, role.version);
        batch.raise_roles(authority.book().revision(), Announcement::Made);
        let committed = app.commit(batch, &[]).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// Step 4: tells every guard that tokens issued until now are stale, if that is still due.
///
/// # Errors
/// A fault of the store.
pub async fn announce(app: &App) -> Result<(), Error> {
    let state = app.store.role_state().await?;
    if state.announced == state.revision {
        return Ok(());
    }
    let now = app.clock.now();
    let mut batch = app.store.batch();
    batch.announce_roles(state);
    let everything = Revocation {
        subject: Subject::All {
            before_s: last_issue_s(&app.store, now),
        },
        effect: Effect::Stale,
        until: revocation_until(now, app.longest_access_ttl()),
    };
    let committed = by_time::commit(app, batch, vec![everything]).await;
    // Another process was quicker.
    if lost_race(&committed) {
        return Ok(());
    }
    Ok(committed?)
}

impl Change {
    fn of(&self, former: &Role) -> Role {
        let mut role = former.clone();
        if let Some(description) = &self.description {
            role.description.clone_from(description);
        }
        if let Some(permissions) = &self.permissions {
            role.permissions = permissions.clone();
        }
        if let Some(includes) = &self.includes {
            role.includes = includes.clone();
        }
        role
    }
}

/// The role as it is, if it is one that can be changed.
fn stored(authority: &Authority, name: &RoleName, expected: Option<i64>) -> Result<Role, Error> {
    let role = authority.book().find(name).ok_or(Refusal::NotFound)?;
    if expected.is_some_and(|version| version != role.version) {
        return Err(Refusal::PreconditionFailed.into());
    }
    if role.builtin {
        return Err(Refusal::Forbidden.into());
    }
    Ok(role.clone())
}

/// Step 2, once the definition makes sense.
fn must_be_sound(authority: &Authority, role: &Role) -> Result<(), Error> {
    let faults = authority.book().faults(role);
    if !faults.is_empty() {
        return Err(Refusal::Validation(faults).into());
    }
    let mut wanted = authority.book().effective(&role.includes);
    wanted.permissions.add(&role.permissions);
    if authority.book().find(&role.name).is_some() {
        let former = Roles::new(vec![role.name.clone()]);
        authority.may_grant(&former)?;
    }
    authority.must_have(&wanted)
}

/// Whether a user or a client has the role itself.
pub(super) async fn is_given(app: &App, name: &RoleName) -> Result<bool, Error> {
    Ok(!app.store.list_role_holders(name, 1).await?.is_empty()
        || !app.store.list_role_clients(name, 1).await?.is_empty())
}

/// What follows from another definition of a role, with the next state of all of them.
async fn follow(
    app: &App,
    batch: &mut Batch,
    book: &RoleBook,
    (former, role): (&Role, &Role),
    now: Timestamp,
) -> Result<(Vec<Revocation>, Announcement), Error> {
    let mut said = (Vec::new(), Announcement::Made);
    if (&role.permissions, &role.includes) != (&former.permissions, &former.includes) {
        let changed = std::slice::from_ref(&role.name);
        said = outdate(app, batch, book, changed, now).await?;
        // What includes it allows something else from now on, so that it has another version, too.
        let bringing = book.bringing(&role.name);
        for name in bringing.iter().filter(|name| **name != role.name) {
            batch.touch_role(name);
        }
    }
    batch.raise_roles(book.revision(), said.1);
    Ok(said)
}

/// Step 3: what becomes of the tokens of whoever has the role, by itself or through another one.
pub(super) async fn outdate(
    app: &App,
    batch: &mut Batch,
    book: &RoleBook,
    roles: &[RoleName],
    now: Timestamp,
) -> Result<(Vec<Revocation>, Announcement), Error> {
    // Who is given one of them from here on is missed below: then nothing of this is committed.
    batch.require_grants(app.store.role_state().await?);
    let most = u32::try_from(MOST_NAMED + 1).unwrap_or(u32::MAX);
    let (mut holders, mut clients) = (BTreeSet::new(), BTreeSet::new());
    let bringing: BTreeSet<_> = roles
        .iter()
        .flat_map(|role| book.bringing(role).as_slice().to_vec())
        .collect();
    for name in &bringing {
        holders.extend(app.store.list_role_holders(name, most).await?);
        clients.extend(app.store.list_role_clients(name, most).await?);
        if holders.len() + clients.len() > MOST_NAMED {
            return Ok((Vec::new(), Announcement::Due));
        }
    }
    let mut revocations = Vec::new();
    for id in holders {
        let Some(user) = app.store.find_user(id).await? else {
            continue;
        };
        let user: &User = &user;
        let changed = Event::RolesChanged { user };
        revocations.extend(consequences::write(app, batch, &changed, Some(user), now));
    }
    for id in clients {
        let (subject, effect) = (&of_client(app, &id, now), Effect::Stale);
        let ends = Event::TokensEnd { subject, effect };
        revocations.extend(consequences::write(app, batch, &ends, None, now));
    }
    Ok((revocations, Announcement::Made))
}

fn write_audit(
    app: &App,
    batch: &mut Batch,
    authority: &Authority,
    (kind, role): (AuditKind, &Role),
    origin: &Origin,
) -> Result<(), Error> {
    let now = app.clock.now();
    let mut event = origin.event(kind, now);
    authority.stamp(&mut event);
    event.detail = Some(told(kind, role));
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(())
}

/// What the audit log says of a role.
pub(super) fn told(kind: AuditKind, role: &Role) -> String {
    let (name, permissions, includes) = (&role.name, &role.permissions, &role.includes);
    match kind {
        AuditKind::RoleDeleted => name.to_string(),
        _ => format!("{name}: permissions [{permissions}], includes [{includes}]"),
    }
}
