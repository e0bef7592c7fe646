//! Users as people look for them: by what they type, and by what they choose beside it.
//!
//! 1. The narrowest range that an index answers gives rows: the addresses and then the usernames that begin with the text;
//!    else who has the role; else those of the status, or all. An id finds the one who has it.
//! 2. Rows that the rest of the search does not choose are left out.
//! 3. What is read for a page has a bound, so that nobody can make a question that reads every user. A page that meets it
//!    is short, and says where to go on.

use symbolon_domain::{Email, RoleName, UserId, UserStatus};
use symbolon_store::UserRow;

use super::list::{Field, Filter, Place, Sort, list};
use super::show;
use crate::app::App;
use crate::flows::Error;
use crate::flows::page::Page;

/// Rows read at once where a search leaves out some of them.
const SCAN: u32 = 200;
/// How often that is done for one page.
const SCANS: usize = 3;

/// Which users.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The address or the username begins so, or it is the id.
    pub text: Option<String>,
    /// Has this role.
    pub role: Option<RoleName>,
    /// Of this status.
    pub status: Option<UserStatus>,
    /// Whether the address is known to be the user's.
    pub verified: Option<bool>,
    /// Ordered so, where [`Search::sorts`] has it; what is found by a text is ordered by that.
    pub sort: Option<Sort>,
}

/// A place in what was found: in which of its ranges, and where there.
pub type Spot = (usize, Place);

impl Search {
    /// What it can be ordered by: the address, and when the account was made.
    pub fn sorts(&self) -> (bool, bool) {
        let by_text = self.text.is_some();
        let by_email = !by_text && self.role.is_none() && self.status.is_none();
        (by_email, !by_text)
    }

    /// Step 1.
    fn ranges(&self) -> Vec<Filter> {
        let (by_email, by_creation) = self.sorts();
        let fits = |sort: &Sort| match sort.field {
            Field::Email => by_email,
            Field::CreatedAt => by_creation,
            Field::Username | Field::Id => false,
        };
        let sort = self.sort.filter(fits);
        let filter = Filter::default();
        match (&self.text, &self.role) {
            (Some(text), _) => vec![
                Filter {
                    email: Some(text.clone()),
                    ..filter.clone()
                },
                Filter {
                    username: Some(text.clone()),
                    ..filter
                },
            ],
            // Ids rise with time.
            (None, Some(role)) => vec![Filter {
                role: Some(role.clone()),
                sort: Some(Sort {
                    field: Field::Id,
                    descending: sort.is_none_or(|sort| sort.descending),
                }),
                ..filter
            }],
            (None, None) => vec![Filter {
                status: self.status,
                sort,
                ..filter
            }],
        }
    }

    /// Step 2; `range` is the one that gave the row.
    fn chooses(&self, range: usize, row: &UserRow) -> bool {
        let user = &row.user;
        let had = |text: &String| range > 0 && user.email.key().starts_with(&Email::key_of(text));
        self.role
            .as_ref()
            .is_none_or(|role| user.roles.contains(role))
            && self.status.is_none_or(|status| user.status == status)
            && self.verified.is_none_or(|is| user.email_verified == is)
            && !self.text.as_ref().is_some_and(had)
    }

    /// Whether step 2 may leave many out.
    fn leaves_out(&self) -> bool {
        let beside = self.role.is_some() || self.status.is_some();
        self.verified.is_some()
            || (self.text.is_some() && beside)
            || (self.role.is_some() && self.status.is_some())
    }
}

/// A page of the users that are searched for. It may be short, or empty, without being the last one.
///
/// # Errors
/// A fault of the store.
pub async fn search(
    app: &App,
    search: &Search,
    limit: u32,
    after: Option<Spot>,
) -> Result<Page<UserRow, Spot>, Error> {
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    let text = search.text.as_deref().unwrap_or_default();
    if let Ok(id) = text.parse::<UserId>() {
        page.items.extend(one(app, search, id).await?);
        return Ok(page);
    }
    let ranges = search.ranges();
    let (mut range, mut place) = after.map_or((0, None), |(range, place)| (range, Some(place)));
    let rows = match search.leaves_out() {
        true => SCAN,
        false => limit.saturating_add(1),
    };
    for _ in 0..SCANS {
        let Some(filter) = ranges.get(range) else {
            page.next = None;
            break;
        };
        let found = list(app, filter, rows, place.take()).await?;
        for row in found.items {
            let here = filter.place(&row.user)?;
            if search.chooses(range, &row) {
                if page.items.len() == limit as usize {
                    return Ok(page);
                }
                page.items.push(row);
            }
            page.next = Some((range, here));
        }
        place = found.next;
        if place.is_none() {
            range += 1;
        }
        if range == ranges.len() {
            page.next = None;
        }
    }
    Ok(page)
}

async fn one(app: &App, search: &Search, id: UserId) -> Result<Option<UserRow>, Error> {
    use symbolon_domain::Refusal;
    match show(app, id).await {
        Ok(row) => Ok(Some(row).filter(|row| search.chooses(0, row))),
        Err(Error::Refused(Refusal::NotFound)) => Ok(None),
        Err(error) => Err(error),
    }
}
