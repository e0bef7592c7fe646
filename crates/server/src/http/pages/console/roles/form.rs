//! The form of a role: permissions to be ticked, others to be written, roles to be included.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};
use symbolon_domain::{FieldError, Permissions, Refusal, Role, RoleBook, RoleName, Roles};

use super::super::super::super::api::admin::permitted;
use super::super::super::super::api::admin::roles::{includes, permissions};
use super::super::super::form::Form;
use super::super::super::visitor::Seated;
use crate::app::App;
use crate::flows::Error;
use crate::flows::actor::{Actor, Authority};
use crate::flows::roles::{self, Definition};

/// What is ticked and written.
#[derive(Default)]
pub(super) struct Chosen {
    permissions: Vec<String>,
    includes: Vec<String>,
}

impl Chosen {
    pub(super) fn sent(form: &Form) -> Self {
        let ticked = form.all("permissions").map(str::to_owned);
        // Between commas, blanks or lines.
        let written = form.get("more").split([',', ' ', '\n', '\r', '\t']);
        let written = written.filter(|name| !name.is_empty()).map(str::to_owned);
        Self {
            permissions: ticked.chain(written).collect(),
            includes: form.all("includes").map(str::to_owned).collect(),
        }
    }

    pub(super) fn stored(role: &Role) -> Self {
        let names = role.permissions.names();
        Self {
            permissions: names.into_iter().map(str::to_owned).collect(),
            includes: role.includes.to_strings(),
        }
    }

    /// # Errors
    /// `validation_failed`.
    pub(super) fn read(&self) -> Result<(Permissions, Roles), Refusal> {
        let mut faults = Vec::new();
        let read = self.read_into(&mut faults);
        match faults.is_empty() {
            true => Ok(read),
            false => Err(Refusal::Validation(faults)),
        }
    }

    fn read_into(&self, faults: &mut Vec<FieldError>) -> (Permissions, Roles) {
        let permissions = permissions(&self.permissions, faults);
        (permissions, includes(&self.includes, faults))
    }

    /// # Errors
    /// `validation_failed` with all that is wrong.
    pub(super) fn define(&self, form: &Form) -> Result<Definition, Error> {
        let mut faults = Vec::new();
        let name = RoleName::parse(form.get("name").trim());
        let name = name.map_err(|problem| faults.push(problem.at("/name")));
        let (permissions, includes) = self.read_into(&mut faults);
        match (name, faults.is_empty()) {
            (Ok(name), true) => Ok(Definition {
                name,
                description: form.get("description").trim().to_owned(),
                permissions,
                includes,
            }),
            _ => Err(Refusal::Validation(faults).into()),
        }
    }
}

/// Who looks, where they may change roles at all.
///
/// # Errors
/// A fault.
pub(super) async fn may(app: &App, seated: &Seated) -> Result<Option<Authority>, Error> {
    let actor = Actor::from(&seated.caller);
    match actor.authorize(app, roles::WRITE).await {
        Ok(authority) => Ok(Some(authority)),
        Err(Error::Refused(Refusal::Forbidden)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `groups` of permissions by what they are about, `everything`, and the `others` that can be included.
pub(super) fn facts(book: &RoleBook, chosen: &Chosen, own: Option<&RoleName>) -> Value {
    let is_chosen = |name: &str| chosen.permissions.iter().any(|known| known == name);
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let known = known(book);
    for name in &known {
        let thing = name.split(':').next().unwrap_or(name);
        let choice = context! { name, chosen => is_chosen(name) };
        groups.entry(thing).or_default().push(choice);
    }
    let groups = groups
        .into_iter()
        .map(|(thing, permissions)| context! { thing, permissions });
    let others = book.iter().filter(|role| Some(&role.name) != own);
    let others = others.map(|role| {
        context! {
            name => role.name.to_string(),
            description => &role.description,
            chosen => chosen.includes.iter().any(|name| name == role.name.as_str()),
        }
    });
    context! {
        everything => is_chosen("*"),
        groups => groups.collect::<Vec<_>>(),
        others => others.collect::<Vec<_>>(),
    }
}

/// The permissions that anybody has thought of: the program's own, and those of the roles that there are.
fn known(book: &RoleBook) -> BTreeSet<String> {
    let given = book.iter().flat_map(|role| role.permissions.names());
    let all = permitted::ALL.iter().copied().chain(given);
    all.filter(|name| *name != "*").map(str::to_owned).collect()
}
