//! What an installation is to be, and the steps from what it is to that.
//!
//! 1. What is named becomes what it is said to be, whole: a field that is not said has its default.
//! 2. What is not named stays, unless it is to be pruned. Built-in roles are never touched.
//! 3. Steps come in an order in which each could be taken alone: roles after those that they include, clients after their
//!    roles, and what goes in the opposite order.
//! 4. Where nothing differs there is no step, so that the same state twice changes nothing the second time.

mod change;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use change::{Act, Change, FieldChange, Thing};

use crate::refresh::Digest;
use crate::{
    Client, ClientDefinition, ClientId, ClientSecret, ClientType, FieldError, MOST_SECRETS,
    Permissions, Problem, Role, RoleBook, RoleName, Roles,
};

/// What a role is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleEntry {
    /// What it is for, for people.
    pub description: String,
    /// What it allows by itself.
    pub permissions: Permissions,
    /// The roles that it brings along.
    pub includes: Roles,
}

/// What a client is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEntry {
    /// Whether it can keep a secret.
    pub kind: ClientType,
    /// The rest.
    pub definition: ClientDefinition,
    /// A secret that it is to have, where the owner chose one.
    pub secret: Option<ChosenSecret>,
}

/// A secret that the owner chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenSecret {
    /// SHA-256 of it.
    pub digest: Digest,
    /// Its last characters.
    pub hint: String,
}

/// What an installation is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Settings that are kept in the database.
    pub settings: BTreeMap<String, String>,
    /// Roles.
    pub roles: BTreeMap<RoleName, RoleEntry>,
    /// Clients.
    pub clients: BTreeMap<ClientId, ClientEntry>,
}

/// What an installation is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Present {
    /// Settings that are kept in the database.
    pub settings: BTreeMap<String, String>,
    /// Roles, built-in ones as well.
    pub roles: BTreeMap<RoleName, Role>,
    /// Clients.
    pub clients: BTreeMap<ClientId, Client>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A setting gets another value, or none.
    Setting {
        /// Its name.
        name: String,
        /// Its value, where it has one.
        former: Option<String>,
        /// What it gets.
        value: Option<String>,
    },
    /// A role is made.
    AddRole {
        /// Its name.
        name: RoleName,
        /// What it is to be.
        entry: RoleEntry,
    },
    /// A role gets another definition.
    ChangeRole {
        /// What it is.
        former: Role,
        /// What it is to be.
        entry: RoleEntry,
    },
    /// A role is deleted.
    DeleteRole(Role),
    /// A client is made.
    AddClient {
        /// Its id.
        id: ClientId,
        /// What it is to be.
        entry: ClientEntry,
    },
    /// A client gets another definition or other secrets.
    ChangeClient {
        /// What it is.
        former: Box<Client>,
        /// What it is to be.
        definition: ClientDefinition,
        /// A secret that it gets.
        added: Option<ChosenSecret>,
        /// Secrets that it loses.
        dropped: Vec<ClientSecret>,
    },
    /// A client is deleted.
    DeleteClient(Box<Client>),
}

/// What is wrong with the wanted state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// With which part of it.
    pub thing: Thing,
    /// What.
    pub error: FieldError,
}

impl From<&Role> for RoleEntry {
    fn from(role: &Role) -> Self {
        Self {
            description: role.description.clone(),
            permissions: role.permissions.clone(),
            includes: role.includes.clone(),
        }
    }
}

impl Wanted {
    /// The state that asks for what is there already. Secrets are left out.
    pub fn of(present: &Present) -> Self {
        let roles = present.roles.values().filter(|role| !role.builtin);
        let clients = present.clients.values().map(|client| {
            let entry = ClientEntry {
                kind: client.kind,
                definition: client.definition.clone(),
                secret: None,
            };
            (client.id.clone(), entry)
        });
        Self {
            settings: present.settings.clone(),
            roles: roles.map(|role| (role.name.clone(), role.into())).collect(),
            clients: clients.collect(),
        }
    }
}

/// The steps from `present` to `wanted`; with `prune`, what is not named goes.
///
/// # Errors
/// All that is wrong with the wanted state.
pub fn steps(wanted: &Wanted, present: &Present, prune: bool) -> Result<Vec<Step>, Vec<Fault>> {
    let book = roles_after(wanted, present, prune);
    let mut faults = role_faults(wanted, present, &book);
    let mut clients = Vec::new();
    for (id, entry) in &wanted.clients {
        match client_step(id, entry, (present, &book), prune) {
            Ok(step) => clients.extend(step),
            Err(found) => faults.extend(found.into_iter().map(|error| Fault {
                thing: Thing::Client(id.clone()),
                error,
            })),
        }
    }
    if prune {
        let unnamed = present.clients.values();
        let unnamed = unnamed.filter(|client| !wanted.clients.contains_key(&client.id));
        clients.extend(unnamed.map(|client| Step::DeleteClient(Box::new(client.clone()))));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut steps = setting_steps(wanted, present, prune);
    steps.extend(role_steps(wanted, present, &book));
    steps.append(&mut clients);
    let gone = present
        .roles
        .values()
        .filter(|role| book.find(&role.name).is_none());
    let gone: BTreeMap<_, _> = gone.map(|role| (role.name.clone(), role.clone())).collect();
    let order = included_first(gone.values()).into_iter().rev();
    steps.extend(order.filter_map(|name| gone.get(&name).cloned().map(Step::DeleteRole)));
    Ok(steps)
}

fn setting_steps(wanted: &Wanted, present: &Present, prune: bool) -> Vec<Step> {
    let mut names: BTreeSet<&String> = wanted.settings.keys().collect();
    if prune {
        names.extend(present.settings.keys());
    }
    let steps = names.into_iter().map(|name| Step::Setting {
        name: name.clone(),
        former: present.settings.get(name).cloned(),
        value: wanted.settings.get(name).cloned(),
    });
    steps
        .filter(|step| !matches!(step, Step::Setting { former, value, .. } if former == value))
        .collect()
}

/// Every role as it will be.
fn roles_after(wanted: &Wanted, present: &Present, prune: bool) -> RoleBook {
    let stays = |role: &&Role| role.builtin || !prune || wanted.roles.contains_key(&role.name);
    let mut roles: BTreeMap<_, _> = present
        .roles
        .values()
        .filter(stays)
        .map(|role| (role.name.clone(), role.clone()))
        .collect();
    for (name, entry) in &wanted.roles {
        if roles.get(name).is_none_or(|role| !role.builtin) {
            roles.insert(name.clone(), role_of(name, entry, present.roles.get(name)));
        }
    }
    RoleBook::new(0, roles.into_values().collect())
}

/// The role that an entry makes of a former one.
fn role_of(name: &RoleName, entry: &RoleEntry, former: Option<&Role>) -> Role {
    let beginning = crate::Timestamp::from_millis(0);
    Role {
        name: name.clone(),
        description: entry.description.clone(),
        permissions: entry.permissions.clone(),
        includes: entry.includes.clone(),
        builtin: false,
        version: former.map_or(1, |role| role.version),
        created_at: former.map_or(beginning, |role| role.created_at),
        updated_at: former.map_or(beginning, |role| role.updated_at),
    }
}

fn role_faults(wanted: &Wanted, present: &Present, book: &RoleBook) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, entry) in &wanted.roles {
        let fault = |error| Fault {
            thing: Thing::Role(name.clone()),
            error,
        };
        if present.roles.get(name).is_some_and(|role| role.builtin) {
            let sentence = "A built-in role stays as it is: leave it out.";
            faults.push(fault(Problem::new("role_builtin", sentence).at("/name")));
            continue;
        }
        let role = role_of(name, entry, None);
        faults.extend(book.faults(&role).into_iter().map(fault));
    }
    faults
}

fn role_steps(wanted: &Wanted, present: &Present, book: &RoleBook) -> Vec<Step> {
    let named = book
        .iter()
        .filter(|role| wanted.roles.contains_key(&role.name));
    let order = included_first(named).into_iter();
    let step = |name: RoleName| {
        let entry = wanted.roles.get(&name)?.clone();
        match present.roles.get(&name) {
            None => Some(Step::AddRole { name, entry }),
            Some(former) if RoleEntry::from(former) == entry => None,
            Some(former) => Some(Step::ChangeRole {
                former: former.clone(),
                entry,
            }),
        }
    };
    order.filter_map(step).collect()
}

/// The names in an order in which none stands before one that it includes.
fn included_first<'a>(roles: impl Iterator<Item = &'a Role>) -> Vec<RoleName> {
    let roles: BTreeMap<_, _> = roles.map(|role| (&role.name, role)).collect();
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    for name in roles.keys() {
        visit(name, &roles, &mut seen, &mut order);
    }
    order
}

fn visit<'a>(
    name: &'a RoleName,
    roles: &BTreeMap<&'a RoleName, &'a Role>,
    seen: &mut BTreeSet<&'a RoleName>,
    order: &mut Vec<RoleName>,
) {
    let Some(role) = roles.get(name).filter(|_| seen.insert(name)) else {
        return;
    };
    for included in &role.includes {
        visit(included, roles, seen, order);
    }
    order.push(name.clone());
}

fn client_step(
    id: &ClientId,
    entry: &ClientEntry,
    (present, book): (&Present, &RoleBook),
    prune: bool,
) -> Result<Option<Step>, Vec<FieldError>> {
    let mut faults = entry.definition.faults(entry.kind);
    if let Err(problem) = book.must_define(&entry.definition.roles) {
        faults.push(problem.at("/roles"));
    }
    if entry.kind == ClientType::Public && entry.secret.is_some() {
        let sentence = "A public client has no secret: it could not keep one.";
        faults.push(Problem::new("secret_of_public", sentence).at("/secret"));
    }
    let Some(former) = present.clients.get(id) else {
        if let Err(problem) = ClientId::chosen(id.as_str()) {
            faults.push(problem.at("/id"));
        }
        let step = || Step::AddClient {
            id: id.clone(),
            entry: entry.clone(),
        };
        return faults.is_empty().then(|| Some(step())).ok_or(faults);
    };
    if former.kind != entry.kind {
        let sentence = "A client stays public or confidential, as it was made.";
        faults.push(Problem::new("client_type_fixed", sentence).at("/type"));
    }
    let (added, dropped) = secrets(entry, former, prune);
    if former.secrets.len() + usize::from(added.is_some()) - dropped.len() > MOST_SECRETS {
        let sentence = "The client has two other secrets. Delete one, or prune.";
        faults.push(Problem::new("too_many_secrets", sentence).at("/secret"));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let same = former.definition == entry.definition && added.is_none() && dropped.is_empty();
    Ok((!same).then(|| Step::ChangeClient {
        former: Box::new(former.clone()),
        definition: entry.definition.clone(),
        added,
        dropped,
    }))
}

/// Which secret a client gets and which ones it loses. Who names none leaves them alone.
fn secrets(
    entry: &ClientEntry,
    former: &Client,
    prune: bool,
) -> (Option<ChosenSecret>, Vec<ClientSecret>) {
    let Some(chosen) = &entry.secret else {
        return (None, Vec::new());
    };
    let is_chosen = |secret: &&ClientSecret| secret.digest == chosen.digest;
    let known = former.secrets.iter().any(|secret| is_chosen(&secret));
    let others = former.secrets.iter().filter(|secret| !is_chosen(secret));
    let dropped = match prune {
        true => others.cloned().collect(),
        false => Vec::new(),
    };
    ((!known).then(|| chosen.clone()), dropped)
}
