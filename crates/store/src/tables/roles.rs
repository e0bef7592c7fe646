use symbolon_domain::{Permissions, Role, RoleName, Roles, Timestamp, UserId};

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    LIST =
        "SELECT name, description, permissions, includes, builtin, version, created_at, updated_at FROM roles \
         ORDER BY name";
    FIND_STATE = "SELECT revision, announced, grants FROM role_state WHERE id = 1";
    LIST_HOLDERS =
        "SELECT user_id FROM user_roles WHERE role = $1 ORDER BY user_id LIMIT $2";
    INSERT =
        "INSERT INTO roles (name, description, permissions, includes, builtin, version, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, FALSE, $5, $6, $7)";
    UPDATE =
        "UPDATE roles SET description = $1, permissions = $2, includes = $3, version = version + 1, \
         updated_at = $4 WHERE name = $5 AND version = $6 AND builtin = FALSE";
    DELETE =
        "DELETE FROM roles WHERE name = $1 AND version = $2 AND builtin = FALSE \
         AND NOT EXISTS (SELECT 1 FROM user_roles WHERE role = $1) \
         AND NOT EXISTS (SELECT 1 FROM client_roles WHERE role = $1)";
    REQUIRE = "UPDATE role_state SET revision = revision WHERE id = 1 AND revision = $1";
    RAISE =
        "UPDATE role_state SET revision = revision + 1, \
         announced = CASE WHEN announced = revision THEN announced + 1 ELSE announced END \
         WHERE id = 1 AND revision = $1";
    RAISE_UNANNOUNCED = "UPDATE role_state SET revision = revision + 1 WHERE id = 1 AND revision = $1";
    REQUIRE_GRANTS = "UPDATE role_state SET grants = grants WHERE id = 1 AND grants = $1";
    RAISE_GRANTS = "UPDATE role_state SET grants = grants + 1 WHERE id = 1";
    TOUCH = "UPDATE roles SET version = version + 1 WHERE name = $1";
    ANNOUNCE = "UPDATE role_state SET announced = $1 WHERE id = 1 AND announced = $2";
}

/// Which state the definitions of roles are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleState {
    /// Rises by one with each change of a definition.
    pub revision: i64,
    /// The last revision of which every guard was told.
    pub announced: i64,
    /// Rises whenever somebody is given a role that can change.
    pub grants: i64,
}

/// Whom a change of a role concerns, and whether the same batch tells the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// The batch says what becomes of their tokens, or nothing has to be said.
    Made,
    /// Too many to name: it is made after the commit, see [`Batch::announce_roles`].
    Due,
}

impl Store {
    /// Every role by name.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_roles(&self) -> Result<Vec<Role>, Error> {
        self.list(LIST, Vec::new(), 0, read_role).await
    }

    /// Which state the roles are in. Read it before [`Store::list_roles`]: what is read then is that state or a
    /// later one.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn role_state(&self) -> Result<RoleState, Error> {
        let found = self.find(FIND_STATE, &[], read_state).await?;
        found.ok_or_else(|| Error::fault("the row of the roles' state is gone"))
    }

    /// Up to `limit` users who were given the role itself, by id.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_role_holders(
        &self,
        role: &RoleName,
        limit: u32,
    ) -> Result<Vec<UserId>, Error> {
        let values = vec![role.as_str().to_owned().into(), i64::from(limit).into()];
        self.list(LIST_HOLDERS, values, limit, read_holder).await
    }
}

/// Every change of a role goes with [`Batch::raise_roles`], which makes the commit [`Error::Stale`] if another one came
/// in between.
impl Batch {
    /// Makes a role. The commit is [`Error::Conflict`] with `role` if there is one of this name.
    pub fn insert_role(&mut self, role: &Role) -> &mut Self {
        self.push(
            INSERT,
            Expect::One,
            [
                role.name.as_str().to_owned().into(),
                role.description.clone().into(),
                role.permissions.to_string().into(),
                role.includes.to_string().into(),
                role.version.into(),
                role.created_at.into(),
                role.updated_at.into(),
            ],
        )
    }

    /// Stores another definition. Compare-and-set: `role.version` is the stored one.
    pub fn update_role(&mut self, role: &Role, now: Timestamp) -> &mut Self {
        self.push(
            UPDATE,
            Expect::One,
            [
                role.description.clone().into(),
                role.permissions.to_string().into(),
                role.includes.to_string().into(),
                now.into(),
                role.name.as_str().to_owned().into(),
                role.version.into(),
            ],
        )
    }

    /// Deletes a role of this version that no user and no client was given.
    pub fn delete_role(&mut self, name: &RoleName, version: i64) -> &mut Self {
        let values = [name.as_str().to_owned().into(), version.into()];
        self.push(DELETE, Expect::One, values)
    }

    /// Raises the version of a role whose definition stays: what it includes is about to change.
    pub fn touch_role(&mut self, name: &RoleName) -> &mut Self {
        self.push(TOUCH, Expect::One, [name.as_str().to_owned().into()])
    }

    /// Makes the commit [`Error::Stale`] if anybody was given a role since the state was read: whoever lists the holders of
    /// a role in between misses nobody.
    pub fn require_grants(&mut self, state: RoleState) -> &mut Self {
        self.push(REQUIRE_GRANTS, Expect::One, [state.grants.into()])
    }

    /// Notes that somebody is given a role.
    pub(super) fn raise_grants(&mut self) -> &mut Self {
        self.push(RAISE_GRANTS, Expect::One, [])
    }

    /// Makes the commit [`Error::Stale`] unless the definitions are still in the state that was read.
    pub fn require_roles(&mut self, revision: i64) -> &mut Self {
        self.push(REQUIRE, Expect::One, [revision.into()])
    }

    /// Goes on from the state that was read to the next one, and tells other processes.
    pub fn raise_roles(&mut self, revision: i64, announcement: Announcement) -> &mut Self {
        let text = match announcement {
            Announcement::Made => RAISE,
            Announcement::Due => RAISE_UNANNOUNCED,
        };
        self.push(text, Expect::One, [revision.into()]).reloads()
    }

    /// Notes that guards are told in this batch of every change up to the state that was read. Compare-and-set: two
    /// processes that both want to tell them do it once.
    pub fn announce_roles(&mut self, state: RoleState) -> &mut Self {
        let values = [state.revision.into(), state.announced.into()];
        self.push(ANNOUNCE, Expect::One, values)
    }
}

fn read_role(row: &Row<'_>) -> Result<Role, Error> {
    Ok(Role {
        name: row.parsed(0, RoleName::parse)?,
        description: row.text(1)?,
        permissions: row.parsed(2, Permissions::parse)?,
        includes: row.parsed(3, Roles::parse)?,
        builtin: row.bool(4)?,
        version: row.int(5)?,
        created_at: row.time(6)?,
        updated_at: row.time(7)?,
    })
}

fn read_state(row: &Row<'_>) -> Result<RoleState, Error> {
    Ok(RoleState {
        revision: row.int(0)?,
        announced: row.int(1)?,
        grants: row.int(2)?,
    })
}

fn read_holder(row: &Row<'_>) -> Result<UserId, Error> {
    Ok(UserId::from_bytes(row.array(0)?))
}
