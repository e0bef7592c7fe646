//! Lists of users: each filter and order that is offered is one range of one index.

use symbolon_domain::{RoleName, Timestamp, User, UserId, UserStatus};

use super::users::{USER_COLUMNS, read_user, user_columns};
use crate::statement::statements;
use crate::value::{Row, Value};
use crate::{Error, Store};

/// One range, in both orders. The position is part of the range, so that a later page costs what the first one does.
macro_rules! select {
    ($from:expr, $condition:expr, $order:expr) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", u.last_login_at FROM ",
            $from,
            " WHERE ",
            $condition,
            " ORDER BY ",
            $order
        )
    };
}

statements! {
    FIND = concat!("SELECT ", user_columns!(), ", u.last_login_at FROM users u WHERE u.id = $1");
    CREATED_UP = select!(
        "users u", "(u.created_at, u.id) > ($1, $2) AND u.created_at < $3",
        "u.created_at, u.id LIMIT $4"
    );
    CREATED_DOWN = select!(
        "users u", "(u.created_at, u.id) < ($1, $2) AND u.created_at > $3",
        "u.created_at DESC, u.id DESC LIMIT $4"
    );
    STATUS_UP = select!(
        "users u", "(u.created_at, u.id) > ($1, $2) AND u.created_at < $3 AND u.status = $4",
        "u.created_at, u.id LIMIT $5"
    );
    STATUS_DOWN = select!(
        "users u", "(u.created_at, u.id) < ($1, $2) AND u.created_at > $3 AND u.status = $4",
        "u.created_at DESC, u.id DESC LIMIT $5"
    );
    EMAIL_UP = select!("users u", "u.email_key >= $1 AND u.email_key < $2", "u.email_key LIMIT $3");
    EMAIL_DOWN = select!("users u", "u.email_key < $1 AND u.email_key >= $2", "u.email_key DESC LIMIT $3");
    USERNAME_UP = select!(
        "users u", "u.username_key >= $1 AND u.username_key < $2", "u.username_key LIMIT $3"
    );
    USERNAME_DOWN = select!(
        "users u", "u.username_key < $1 AND u.username_key >= $2", "u.username_key DESC LIMIT $3"
    );
    ROLE_UP = select!(
        "user_roles m JOIN users u ON u.id = m.user_id", "m.user_id > $1 AND m.role = $2",
        "m.user_id LIMIT $3"
    );
    ROLE_DOWN = select!(
        "user_roles m JOIN users u ON u.id = m.user_id", "m.user_id < $1 AND m.role = $2",
        "m.user_id DESC LIMIT $3"
    );
}

/// Sorts behind every text that an address or a user name can have.
const LAST: &str = "\u{10ffff}";
/// Sorts behind the text before it and before every other one.
const NEXT: &str = "\u{1}";

/// A user, and what a sign-in notes beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The user.
    pub user: User,
    /// When the user signed in last.
    pub last_login_at: Option<Timestamp>,
}

/// Which users, and by what they are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRange {
    /// Those made after the one moment and before the other, by that.
    Created {
        /// Of this status only.
        status: Option<UserStatus>,
        /// Exclusive.
        after: Timestamp,
        /// Exclusive.
        before: Timestamp,
    },
    /// Those whose [`symbolon_domain::Email::key`] begins so, by it.
    Email(String),
    /// Those whose [`symbolon_domain::Username::key`] begins so, by it.
    Username(String),
    /// Those who have this role, by their ids.
    Role(RoleName),
}

/// Where a user stands in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPosition {
    /// By creation.
    pub created_at: Timestamp,
    /// By id, and among those that were made in the same millisecond.
    pub id: UserId,
    /// By address or user name: its key.
    pub key: String,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// From the last to the first.
    pub descending: bool,
    /// Those behind this position.
    pub after: Option<&'a UserPosition>,
    /// At most so many.
    pub limit: u32,
}

impl UserRange {
    /// Where a user stands in this list.
    pub fn position(&self, user: &User) -> UserPosition {
        let username = || user.username.as_ref().map(symbolon_domain::Username::key);
        UserPosition {
            created_at: user.created_at,
            id: user.id,
            key: match self {
                Self::Email(_) => user.email.key(),
                Self::Username(_) => username().unwrap_or_default(),
                Self::Created { .. } | Self::Role(_) => String::new(),
            },
        }
    }
}

impl Store {
    /// The user of this id, with what a sign-in notes.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_user_row(&self, id: UserId) -> Result<Option<UserRow>, Error> {
        self.find(FIND, &[id.into()], read_row).await
    }

    /// The users of a range.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_user_rows(
        &self,
        range: &UserRange,
        slice: Slice<'_>,
    ) -> Result<Vec<UserRow>, Error> {
        let (text, mut values) = match range {
            UserRange::Created {
                status,
                after,
                before,
            } => by_creation(*status, (*after, *before), slice),
            UserRange::Email(prefix) => by_text((EMAIL_UP, EMAIL_DOWN), prefix, slice),
            UserRange::Username(prefix) => by_text((USERNAME_UP, USERNAME_DOWN), prefix, slice),
            UserRange::Role(role) => by_role(role, slice),
        };
        values.push(i64::from(slice.limit).into());
        self.list(text, values, slice.limit, read_row).await
    }
}

fn by_creation(
    status: Option<UserStatus>,
    (after, before): (Timestamp, Timestamp),
    slice: Slice<'_>,
) -> (&'static str, Vec<Value>) {
    // The ends of the range as positions that no user has: the last one of the moment `after`, the first one of `before`.
    let (start, end) = match slice.descending {
        false => ((after, UserId::from_bytes([0xff; 16])), before),
        true => ((before, UserId::from_bytes([0; 16])), after),
    };
    let (moment, id) = slice.after.map_or(start, |last| (last.created_at, last.id));
    let mut values = vec![moment.into(), id.into(), end.into()];
    let text = match (status, slice.descending) {
        (None, false) => CREATED_UP,
        (None, true) => CREATED_DOWN,
        (Some(_), false) => STATUS_UP,
        (Some(_), true) => STATUS_DOWN,
    };
    values.extend(status.map(|status| Value::from(status.as_str())));
    (text, values)
}

fn by_text(
    (up, down): (&'static str, &'static str),
    prefix: &str,
    slice: Slice<'_>,
) -> (&'static str, Vec<Value>) {
    let last = slice.after.map(|last| last.key.as_str());
    match slice.descending {
        false => {
            let first = last.map_or_else(|| prefix.to_owned(), |last| format!("{last}{NEXT}"));
            (up, vec![first.into(), format!("{prefix}{LAST}").into()])
        }
        true => {
            let first = last.map_or_else(|| format!("{prefix}{LAST}"), ToOwned::to_owned);
            (down, vec![first.into(), prefix.to_owned().into()])
        }
    }
}

fn by_role(role: &RoleName, slice: Slice<'_>) -> (&'static str, Vec<Value>) {
    let (text, start) = match slice.descending {
        false => (ROLE_UP, UserId::from_bytes([0; 16])),
        true => (ROLE_DOWN, UserId::from_bytes([0xff; 16])),
    };
    let id = slice.after.map_or(start, |last| last.id);
    (text, vec![id.into(), role.as_str().to_owned().into()])
}

fn read_row(row: &Row<'_>) -> Result<UserRow, Error> {
    Ok(UserRow {
        user: read_user(row, 0)?,
        last_login_at: row.time_or_none(USER_COLUMNS)?,
    })
}
