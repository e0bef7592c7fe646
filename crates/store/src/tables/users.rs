use symbolon_domain::{
    DisplayName, Email, RoleName, Roles, Timestamp, User, UserId, UserStatus, Username,
};

use crate::statement::{Expect, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

/// The columns that [`read_user`] reads.
macro_rules! user_columns {
    () => {
        "u.id, u.email, u.username, u.name, u.roles, u.status, u.email_verified, u.token_version, u.version, \
         u.created_at, u.updated_at"
    };
}
pub(crate) use user_columns;

/// How many columns [`user_columns`] has.
pub(crate) const USER_COLUMNS: usize = 11;

statements! {
    FIND = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = $1");
    FIND_CREDENTIALS = concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.id = $1");
    FIND_BY_EMAIL = concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.email_key = $1");
    FIND_BY_USERNAME =
        concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.username_key = $1");
    LIST_FIRST = concat!("SELECT ", user_columns!(), " FROM users u ORDER BY u.id LIMIT $1");
    LIST_AFTER = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2");
    INSERT = "INSERT INTO users (id, email, email_key, username, username_key, name, roles, status, email_verified, \
              token_version, version, password_hash, password_changed_at, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    UPDATE_PROFILE =
        "UPDATE users SET email = $1, email_key = $2, username = $3, username_key = $4, name = $5, \
         email_verified = $6, updated_at = $7, version = version + 1 WHERE id = $8 AND version = $9";
    UPDATE_PASSWORD =
        "UPDATE users SET password_hash = $1, password_changed_at = $2, updated_at = $2, version = version + 1 \
         WHERE id = $3 AND version = $4";
    UPDATE_ROLES =
        "UPDATE users SET roles = $1, updated_at = $2, version = version + 1 WHERE id = $3 AND version = $4";
    UPDATE_STATUS =
        "UPDATE users SET status = $1, updated_at = $2, version = version + 1 WHERE id = $3 AND version = $4";
    BUMP_TOKEN_VERSION =
        "UPDATE users SET token_version = token_version + 1, updated_at = $1, version = version + 1 \
         WHERE id = $2 AND version = $3";
    RECORD_LOGIN = "UPDATE users SET last_login_at = $1 WHERE id = $2 AND version = $3";
    RECORD_LOGIN_REHASHED =
        "UPDATE users SET last_login_at = $1, password_hash = $2 WHERE id = $3 AND version = $4";
    REQUIRE = "UPDATE users SET version = version WHERE id = $1 AND version = $2";
    DELETE = "DELETE FROM users WHERE id = $1 AND version = $2";
    INSERT_ROLE = "INSERT INTO user_roles (user_id, role) VALUES ($1, $2)";
    DELETE_ROLES = "DELETE FROM user_roles WHERE user_id = $1";
    COUNT_OTHER_ADMINS =
        "SELECT count(*) FROM user_roles m JOIN users u ON u.id = m.user_id \
         WHERE m.role = $1 AND u.status = 'active' AND u.id <> $2";
    LOCK_ROLE = "UPDATE roles SET builtin = builtin WHERE name = $1";
    REQUIRE_OTHER_HOLDER =
        "UPDATE roles SET builtin = builtin WHERE name = $1 AND EXISTS \
         (SELECT 1 FROM user_roles m JOIN users u ON u.id = m.user_id \
          WHERE m.role = $1 AND u.status = 'active' AND u.id <> $2)";
}

/// A user and what proves that it is them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The hash of the password in its own notation; `None` if the user has none.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// The user of this id.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_user(&self, id: UserId) -> Result<Option<User>, Error> {
        let commits = match self.with_recent(|recent| recent.user(id)) {
            Some(Ok(user)) => return Ok(Some(user)),
            Some(Err(commits)) => Some(commits),
            None => None,
        };
        let found = self
            .find(FIND, &[id.into()], |row| read_user(row, 0))
            .await?;
        if let (Some(commits), Some(user)) = (commits, &found) {
            self.with_recent(|recent| recent.keep(commits, user));
        }
        Ok(found)
    }

    /// The user of this id with the password's hash.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_credentials(&self, id: UserId) -> Result<Option<Credentials>, Error> {
        self.find(FIND_CREDENTIALS, &[id.into()], read_credentials)
            .await
    }

    /// The user whose [`Email::key`] this is.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_user_by_email(&self, key: &str) -> Result<Option<Credentials>, Error> {
        self.find(FIND_BY_EMAIL, &[key.to_owned().into()], read_credentials)
            .await
    }

    /// The user whose [`Username::key`] this is.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_user_by_username(&self, key: &str) -> Result<Option<Credentials>, Error> {
        self.find(FIND_BY_USERNAME, &[key.to_owned().into()], read_credentials)
            .await
    }

    /// Users in the order of their ids, which is that of their making; from the first on, or behind `after`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_users(&self, limit: u32, after: Option<UserId>) -> Result<Vec<User>, Error> {
        let limit_value = i64::from(limit).into();
        match after {
            None => {
                self.list(LIST_FIRST, vec![limit_value], limit, |row| {
                    read_user(row, 0)
                })
                .await
            }
            Some(id) => {
                self.list(LIST_AFTER, vec![id.into(), limit_value], limit, |row| {
                    read_user(row, 0)
                })
                .await
            }
        }
    }

    /// How many active users but this one have the role `admin`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_other_admins(&self, but: UserId) -> Result<u32, Error> {
        self.count(
            COUNT_OTHER_ADMINS,
            &[RoleName::ADMIN.as_str().to_owned().into(), but.into()],
        )
        .await
    }
}

/// Every change of a user is compare-and-set on [`User::version`] and raises it by one, so that a second change
/// in the same batch expects one more. Only [`Batch::bump_token_version`] touches [`User::token_version`].
impl Batch {
    /// Makes a user. The commit is [`Error::Conflict`] with `email` or `username` if that is taken.
    pub fn insert_user(&mut self, user: &User, password_hash: Option<&str>) -> &mut Self {
        let key = user.username.as_ref().map(Username::key);
        self.push(
            INSERT,
            Expect::One,
            [
                user.id.into(),
                user.email.as_str().to_owned().into(),
                user.email.key().into(),
                user.username
                    .as_ref()
                    .map(|name| name.as_str().to_owned())
                    .into(),
                key.into(),
                user.name
                    .as_ref()
                    .map(|name| name.as_str().to_owned())
                    .into(),
                user.roles.to_string().into(),
                user.status.as_str().into(),
                user.email_verified.into(),
                user.token_version.into(),
                user.version.into(),
                password_hash.map(str::to_owned).into(),
                password_hash.map(|_| user.created_at).into(),
                user.created_at.into(),
                user.updated_at.into(),
            ],
        );
        self.insert_roles(user.id, &user.roles)
    }

    /// Stores address, user name, name, whether the address is verified, and `updated_at`. `user` holds the new
    /// values; the stored version must be `user.version - 1`.
    pub fn update_profile(&mut self, user: &User) -> &mut Self {
        let key = user.username.as_ref().map(Username::key);
        self.push(
            UPDATE_PROFILE,
            Expect::One,
            [
                user.email.as_str().to_owned().into(),
                user.email.key().into(),
                user.username
                    .as_ref()
                    .map(|name| name.as_str().to_owned())
                    .into(),
                key.into(),
                user.name
                    .as_ref()
                    .map(|name| name.as_str().to_owned())
                    .into(),
                user.email_verified.into(),
                user.updated_at.into(),
                user.id.into(),
                user.version.saturating_sub(1).into(),
            ],
        )
    }

    /// Stores the hash of another password.
    pub fn update_password(
        &mut self,
        id: UserId,
        expected_version: i64,
        hash: &str,
        now: Timestamp,
    ) -> &mut Self {
        let values = [
            hash.to_owned().into(),
            now.into(),
            id.into(),
            expected_version.into(),
        ];
        self.push(UPDATE_PASSWORD, Expect::One, values)
    }

    /// Stores other roles.
    pub fn update_roles(
        &mut self,
        id: UserId,
        expected_version: i64,
        roles: &Roles,
        now: Timestamp,
    ) -> &mut Self {
        let values = [
            roles.to_string().into(),
            now.into(),
            id.into(),
            expected_version.into(),
        ];
        self.push(UPDATE_ROLES, Expect::One, values);
        self.push(DELETE_ROLES, Expect::Any, [id.into()])
            .insert_roles(id, roles)
    }

    /// Stores another status.
    pub fn update_status(
        &mut self,
        id: UserId,
        expected_version: i64,
        status: UserStatus,
        now: Timestamp,
    ) -> &mut Self {
        let values = [
            status.as_str().into(),
            now.into(),
            id.into(),
            expected_version.into(),
        ];
        self.push(UPDATE_STATUS, Expect::One, values)
    }

    /// Raises the token version by one.
    pub fn bump_token_version(
        &mut self,
        id: UserId,
        expected_version: i64,
        now: Timestamp,
    ) -> &mut Self {
        self.push(
            BUMP_TOKEN_VERSION,
            Expect::One,
            [now.into(), id.into(), expected_version.into()],
        )
    }

    /// Notes a sign-in, and the password's new hash if it was made again with today's cost. Compare-and-set, but
    /// the version stays: a sign-in changes nothing of what a user is.
    pub fn record_login(
        &mut self,
        id: UserId,
        expected_version: i64,
        now: Timestamp,
        rehash: Option<&str>,
    ) -> &mut Self {
        match rehash {
            None => self.push(
                RECORD_LOGIN,
                Expect::One,
                [now.into(), id.into(), expected_version.into()],
            ),
            Some(hash) => {
                let values = [
                    now.into(),
                    hash.to_owned().into(),
                    id.into(),
                    expected_version.into(),
                ];
                self.push(RECORD_LOGIN_REHASHED, Expect::One, values)
            }
        }
    }

    /// Makes the commit [`Error::Stale`] unless the user is still of this version; changes nothing.
    pub fn require_user(&mut self, id: UserId, version: i64) -> &mut Self {
        self.push(REQUIRE, Expect::One, [id.into(), version.into()])
    }

    /// Deletes a user, its roles and its identities at other providers; see [`Batch::delete_user_sessions`] for the sessions.
    pub fn delete_user(&mut self, id: UserId, expected_version: i64) -> &mut Self {
        self.push(DELETE, Expect::One, [id.into(), expected_version.into()]);
        self.push(DELETE_ROLES, Expect::Any, [id.into()]);
        self.delete_upstream_identities(id)
    }

    /// Makes the commit [`Error::Stale`] unless an active user but this one has the role `admin`. Holds against
    /// other batches that ask the same at the same time; push it before what takes the role away.
    pub fn require_other_admin(&mut self, but: UserId) -> &mut Self {
        let admin = || Value::from(RoleName::ADMIN.as_str().to_owned());
        // The lock first, in a statement of its own: PostgreSQL judges the second one as of its start, and only
        // when the lock is held is that after the commit of whoever held it before.
        self.push(LOCK_ROLE, Expect::One, [admin()]);
        self.push(REQUIRE_OTHER_HOLDER, Expect::One, [admin(), but.into()])
    }

    fn insert_roles(&mut self, id: UserId, roles: &Roles) -> &mut Self {
        // What the built-in roles mean never changes.
        let can_change = |role: &RoleName| ![RoleName::ADMIN, RoleName::USER].contains(role);
        if roles.iter().any(can_change) {
            self.raise_grants();
        }
        for role in roles {
            self.push(
                INSERT_ROLE,
                Expect::One,
                [id.into(), role.as_str().to_owned().into()],
            );
        }
        self
    }
}

/// Reads [`user_columns`], of which the first is column `at`.
pub(crate) fn read_user(row: &Row<'_>, at: usize) -> Result<User, Error> {
    Ok(User {
        id: UserId::from_bytes(row.array(at)?),
        email: row.parsed(at + 1, Email::parse)?,
        username: row.parsed_or_none(at + 2, Username::parse)?,
        name: row.parsed_or_none(at + 3, DisplayName::parse)?,
        roles: row.parsed(at + 4, Roles::parse)?,
        status: row.parsed(at + 5, str::parse::<UserStatus>)?,
        email_verified: row.bool(at + 6)?,
        token_version: row.int(at + 7)?,
        version: row.int(at + 8)?,
        created_at: row.time(at + 9)?,
        updated_at: row.time(at + 10)?,
    })
}

pub(crate) fn read_credentials(row: &Row<'_>) -> Result<Credentials, Error> {
    Ok(Credentials {
        user: read_user(row, 0)?,
        password_hash: row.text_or_none(USER_COLUMNS)?,
    })
}
