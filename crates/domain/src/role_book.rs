use std::collections::{BTreeMap, BTreeSet};

use crate::{FieldError, Permissions, Problem, RoleName, Roles, Timestamp};

#[cfg(test)]
mod tests;

/// All roles together: in number, and in bytes of their names and of the permissions that any of them names. So whoever
/// has every role still gets a token that no verifier finds too long (8 KB).
const MOST_ROLES: usize = 200;
const MOST_NAME_BYTES: usize = 1_800;
const MOST_PERMISSION_BYTES: usize = 2_800;
/// In characters.
const MOST_DESCRIPTION: usize = 256;

/// A role as it is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// What it is for, for people.
    pub description: String,
    /// What it allows by itself.
    pub permissions: Permissions,
    /// Roles whose permissions, and whose names in tokens, it brings along.
    pub includes: Roles,
    /// Whether it came with the program and stays as it is.
    pub builtin: bool,
    /// For compare-and-set: one more with each change.
    pub version: i64,
    /// When it was made; 1970 if built in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What roles come to once those that they include are counted in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effective {
    /// The roles and all that they include.
    pub roles: Roles,
    /// What all of them allow.
    pub permissions: Permissions,
}

/// Every role, with what each comes to.
#[derive(Debug, Clone, Default)]
pub struct RoleBook {
    revision: i64,
    roles: BTreeMap<RoleName, Role>,
    effective: BTreeMap<RoleName, Effective>,
}

impl RoleBook {
    /// The roles of a revision: a number that rises with each change of any of them.
    pub fn new(revision: i64, roles: Vec<Role>) -> Self {
        let roles: BTreeMap<_, _> = roles
            .into_iter()
            .map(|role| (role.name.clone(), role))
            .collect();
        let effective = roles
            .keys()
            .map(|name| (name.clone(), follow(&roles, name)))
            .collect();
        Self {
            revision,
            roles,
            effective,
        }
    }

    /// Which state of the definitions this is.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The role of this name.
    pub fn find(&self, name: &RoleName) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Every role by name.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// What these roles come to. One that is not defined stands for nothing.
    pub fn effective(&self, roles: &Roles) -> Effective {
        let mut names = Vec::new();
        let mut permissions = Permissions::default();
        for effective in roles.iter().filter_map(|name| self.effective.get(name)) {
            names.extend(effective.roles.iter().cloned());
            permissions.add(&effective.permissions);
        }
        Effective {
            roles: Roles::new(names),
            permissions,
        }
    }

    /// Whether each role is defined.
    ///
    /// # Errors
    /// `role_unknown`, which names those that are.
    pub fn must_define(&self, roles: &Roles) -> Result<(), Problem> {
        if roles.iter().all(|name| self.roles.contains_key(name)) {
            return Ok(());
        }
        let names: Vec<_> = self.roles.keys().map(RoleName::as_str).collect();
        Err(Problem::new(
            "role_unknown",
            format!(
                "There is no such role. The roles are: {}.",
                names.join(", ")
            ),
        ))
    }

    /// The roles that bring `name` along, itself among them.
    pub fn bringing(&self, name: &RoleName) -> Roles {
        let brings = |effective: &Effective| effective.roles.contains(name);
        let entries = self.effective.iter();
        entries
            .filter(|(_, effective)| brings(effective))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// All that is wrong with `role` as the new or changed definition of its name.
    pub fn faults(&self, role: &Role) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if role.description.chars().count() > MOST_DESCRIPTION
            || role.description.chars().any(char::is_control)
        {
            faults.push(
                Problem::new(
                    "description_malformed",
                    "A description has 256 characters at most, none of them a control character.",
                )
                .at("/description"),
            );
        }
        match self.must_define(&role.includes) {
            Err(problem) => faults.push(problem.at("/includes")),
            Ok(()) if self.effective(&role.includes).roles.contains(&role.name) => {
                faults.push(
                    Problem::new(
                        "role_cycle",
                        "A role cannot include itself, nor one that includes it.",
                    )
                    .at("/includes"),
                );
            }
            Ok(()) => {}
        }
        faults.extend(self.excess(role));
        faults
    }

    /// What would be too much if `role` were among the roles.
    fn excess(&self, role: &Role) -> Option<FieldError> {
        let others = || self.roles.values().filter(|other| other.name != role.name);
        let names = || others().map(|other| &other.name).chain([&role.name]);
        let name_bytes: usize = names().map(|name| name.as_str().len() + 3).sum();
        if names().count() > MOST_ROLES || name_bytes > MOST_NAME_BYTES {
            let sentence = "There are too many roles: 200, and 1,800 bytes of names, are the most.";
            return Some(Problem::new("too_many_roles", sentence).at("/name"));
        }
        let permissions = || others().chain([role]).map(|one| &one.permissions);
        let distinct: BTreeSet<&str> = permissions().flat_map(Permissions::names).collect();
        let bytes: usize = distinct.iter().map(|name| name.len() + 1).sum();
        let sentence =
            "The permissions of all roles together have 2,800 bytes at most: tokens carry them.";
        (bytes > MOST_PERMISSION_BYTES)
            .then(|| Problem::new("too_many_permissions", sentence).at("/permissions"))
    }
}

/// What a role comes to. Cycles, which [`RoleBook::faults`] keeps out, end where they began.
fn follow(roles: &BTreeMap<RoleName, Role>, first: &RoleName) -> Effective {
    let mut seen = BTreeSet::new();
    let mut ahead = vec![first];
    let mut permissions = Permissions::default();
    while let Some(name) = ahead.pop() {
        let Some(role) = roles.get(name) else {
            continue;
        };
        if seen.insert(name.clone()) {
            permissions.add(&role.permissions);
            ahead.extend(role.includes.iter());
        }
    }
    Effective {
        roles: seen.into_iter().collect(),
        permissions,
    }
}
