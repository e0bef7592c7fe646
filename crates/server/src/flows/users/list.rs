//! Lists of users. Only what an index answers is offered, however many users there are.

use std::str::FromStr;

use symbolon_domain::{Email, Refusal, RoleName, Timestamp, User, UserId, UserStatus, Username};
use symbolon_store::{Slice, UserPosition, UserRange, UserRow};
use uuid::Uuid;

use crate::app::App;
use crate::flows::Error;
use crate::flows::page::Page;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// When the account was made.
    CreatedAt,
    /// The address, without regard to case.
    Email,
    /// The name to sign in with, without regard to case; who has none is not listed.
    Username,
    /// The id.
    Id,
}

/// An order: `createdAt`, or `-createdAt` from the last to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub(super) field: Field,
    pub(super) descending: bool,
}

impl Sort {
    /// By creation, from the first to the last.
    pub const OLDEST_FIRST: Self = Self {
        field: Field::CreatedAt,
        descending: false,
    };
}

impl FromStr for Sort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let field = match name {
            "createdAt" => Field::CreatedAt,
            "email" => Field::Email,
            "username" => Field::Username,
            "id" => Field::Id,
            _ => return Err(()),
        };
        Ok(Self { field, descending })
    }
}

/// Which users, as it was asked.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The address begins so.
    pub email: Option<String>,
    /// The name to sign in with begins so.
    pub username: Option<String>,
    /// Has this role.
    pub role: Option<RoleName>,
    /// Of this status.
    pub status: Option<UserStatus>,
    /// Made after this moment.
    pub created_after: Option<Timestamp>,
    /// Made before this moment.
    pub created_before: Option<Timestamp>,
    /// Ordered so.
    pub sort: Option<Sort>,
}

/// A place in a list: when the user was made, in milliseconds since 1970, its id, and the key that it is ordered by.
pub type Place = (i64, Uuid, String);

/// A page of users.
///
/// # Errors
/// `malformed_request` for filters and orders that cannot be combined, or a fault.
pub async fn list(
    app: &App,
    filter: &Filter,
    limit: u32,
    after: Option<Place>,
) -> Result<Page<UserRow, Place>, Error> {
    let (range, descending) = filter.range()?;
    let after = after.map(|(created_at, id, key)| UserPosition {
        created_at: Timestamp::from_millis(created_at),
        id: UserId::new(id),
        key,
    });
    let slice = Slice {
        descending,
        after: after.as_ref(),
        limit: limit.saturating_add(1),
    };
    let rows = app.store.list_user_rows(&range, slice).await?;
    Ok(Page::of(rows, limit, |row| place(&range, &row.user)))
}

fn place(range: &UserRange, user: &User) -> Place {
    let position = range.position(user);
    (
        position.created_at.millis(),
        position.id.uuid(),
        position.key,
    )
}

impl Filter {
    /// Where a user stands in this list.
    ///
    /// # Errors
    /// `malformed_request` for filters and orders that cannot be combined.
    pub fn place(&self, user: &User) -> Result<Place, Error> {
        Ok(place(&self.range()?.0, user))
    }

    /// The range of an index that answers this.
    fn range(&self) -> Result<(UserRange, bool), Refusal> {
        let by_time =
            self.status.is_some() || self.created_after.is_some() || self.created_before.is_some();
        let given = [
            self.email.is_some().then_some(Field::Email),
            self.username.is_some().then_some(Field::Username),
            self.role.is_some().then_some(Field::Id),
            by_time.then_some(Field::CreatedAt),
        ];
        let mut given = given.into_iter().flatten();
        let by = given.next();
        if given.next().is_some() {
            return Err(cannot_combine());
        }
        let sort = self.sort.unwrap_or(match by {
            None | Some(Field::CreatedAt) => Sort {
                field: Field::CreatedAt,
                descending: true,
            },
            Some(field) => Sort {
                field,
                descending: false,
            },
        });
        if by.is_some_and(|by| by != sort.field) {
            return Err(cannot_combine());
        }
        let range = match sort.field {
            Field::CreatedAt => UserRange::Created {
                status: self.status,
                after: self
                    .created_after
                    .unwrap_or(Timestamp::from_millis(i64::MIN)),
                before: self
                    .created_before
                    .unwrap_or(Timestamp::from_millis(i64::MAX)),
            },
            Field::Email => UserRange::Email(Email::key_of(begin(&self.email))),
            Field::Username => UserRange::Username(Username::key_of(begin(&self.username))),
            Field::Id => UserRange::Role(self.role.clone().ok_or_else(cannot_combine)?),
        };
        Ok((range, sort.descending))
    }
}

fn begin(prefix: &Option<String>) -> &str {
    prefix.as_deref().unwrap_or_default()
}

fn cannot_combine() -> Refusal {
    Refusal::MalformedRequest(
        "These parameters cannot be combined: email goes with sort=email, username with sort=username, role with \
         sort=id, and status, createdAfter and createdBefore with each other and with sort=createdAt."
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_has_its_order_and_no_other() {
        let sort = |text: &str| Some(text.parse().unwrap());
        let email = || Some("a".to_owned());
        let email_too = Filter {
            email: email(),
            ..Filter::default()
        };
        assert_eq!(
            email_too.range().unwrap(),
            (UserRange::Email("a".to_owned()), false)
        );
        for good in ["email", "-email"] {
            let filter = Filter {
                sort: sort(good),
                ..email_too.clone()
            };
            assert!(filter.range().is_ok());
        }
        for bad in [
            Filter {
                sort: sort("createdAt"),
                ..email_too.clone()
            },
            Filter {
                status: Some(UserStatus::Active),
                ..email_too.clone()
            },
            Filter {
                username: email(),
                ..email_too.clone()
            },
            Filter {
                role: Some(RoleName::ADMIN),
                ..email_too
            },
            Filter {
                sort: sort("id"),
                ..Filter::default()
            },
        ] {
            assert!(bad.range().is_err(), "{bad:?}");
        }
        assert!(Filter::default().range().unwrap().1, "the newest first");
        assert!("created_at; DROP TABLE users".parse::<Sort>().is_err());
    }
}
