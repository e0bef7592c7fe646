use symbolon_domain::{RoleName, Timestamp};

use crate::statement::statements;
use crate::value::Row;
use crate::{Error, Store};

statements! {
    LIST = "SELECT name, description, permissions, builtin, created_at FROM roles ORDER BY name";
}

/// A role as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    /// Its name.
    pub name: RoleName,
    /// What it is for, for people.
    pub description: String,
    /// Its permissions; `*` is every one.
    pub permissions: Vec<String>,
    /// Whether it came with the program and cannot be deleted.
    pub builtin: bool,
    /// When it was made; 1970 if built in.
    pub created_at: Timestamp,
}

impl Store {
    /// Every role by name.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_roles(&self) -> Result<Vec<RoleRow>, Error> {
        self.list(LIST, Vec::new(), 0, read_role).await
    }
}

fn read_role(row: &Row<'_>) -> Result<RoleRow, Error> {
    Ok(RoleRow {
        name: row.parsed(0, RoleName::parse)?,
        description: row.text(1)?,
        permissions: row.text(2)?.split_whitespace().map(str::to_owned).collect(),
        builtin: row.bool(3)?,
        created_at: row.time(4)?,
    })
}
