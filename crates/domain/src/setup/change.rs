use std::fmt;

use super::{ChosenSecret, ClientEntry, RoleEntry, Step};
use crate::words::words;
use crate::{Client, ClientDefinition, ClientId, ClientSecret, FieldValue, RoleName};

words! {
    /// What becomes of a thing.
    pub enum Act ("act") {
        /// It is made.
        Add => "add",
        /// It changes.
        Change => "change",
        /// It is deleted.
        Delete => "delete",
    }
}

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A setting.
    Setting(String),
    /// A role.
    Role(RoleName),
    /// A client.
    Client(ClientId),
}

impl Thing {
    /// What kind of thing, as a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Setting(_) => "setting",
            Self::Role(_) => "role",
            Self::Client(_) => "client",
        }
    }

    /// Which one.
    pub fn name(&self) -> &str {
        match self {
            Self::Setting(name) => name,
            Self::Role(name) => name.as_str(),
            Self::Client(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// A step as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What becomes of it.
    pub act: Act,
    /// Of what.
    pub thing: Thing,
    /// Each field that changes, or that a new or deleted thing has.
    pub fields: Vec<FieldChange>,
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// By the name that files have for it.
    pub field: &'static str,
    /// What it was, if it was there.
    pub former: Option<FieldValue>,
    /// What it becomes, if it is there then.
    pub value: Option<FieldValue>,
}

/// A field by its name.
type Field = (&'static str, FieldValue);

impl RoleEntry {
    /// Every field by the name that files have for it.
    pub fn fields(&self) -> [(&'static str, FieldValue); 3] {
        [
            ("description", FieldValue::text(&self.description)),
            ("permissions", FieldValue::list(self.permissions.names())),
            ("includes", FieldValue::list(&self.includes)),
        ]
    }
}

impl Step {
    /// What people see of it. No secret is in it.
    pub fn change(&self) -> Change {
        let (act, thing, fields) = match self {
            Self::Setting {
                name,
                former,
                value,
            } => {
                let act = match (former, value) {
                    (None, _) => Act::Add,
                    (Some(_), Some(_)) => Act::Change,
                    (Some(_), None) => Act::Delete,
                };
                let field = FieldChange {
                    field: "value",
                    former: former.as_ref().map(FieldValue::text),
                    value: value.as_ref().map(FieldValue::text),
                };
                (act, Thing::Setting(name.clone()), vec![field])
            }
            Self::AddRole { name, entry } => {
                let fields = between(&[], &entry.fields());
                (Act::Add, Thing::Role(name.clone()), fields)
            }
            Self::ChangeRole { former, entry } => {
                let fields = between(&RoleEntry::from(former).fields(), &entry.fields());
                (Act::Change, Thing::Role(former.name.clone()), fields)
            }
            Self::DeleteRole(role) => {
                let fields = between(&RoleEntry::from(role).fields(), &[]);
                (Act::Delete, Thing::Role(role.name.clone()), fields)
            }
            Self::AddClient { id, entry } => (Act::Add, Thing::Client(id.clone()), of_new(entry)),
            Self::ChangeClient {
                former,
                definition,
                added,
                dropped,
            } => {
                let fields = of_changed(former, definition, (added.as_ref(), dropped));
                (Act::Change, Thing::Client(former.id.clone()), fields)
            }
            Self::DeleteClient(client) => {
                let mut fields = vec![gone("type", FieldValue::text(client.kind))];
                fields.extend(between(&client.definition.fields(), &[]));
                (Act::Delete, Thing::Client(client.id.clone()), fields)
            }
        };
        Change { act, thing, fields }
    }
}

fn of_new(entry: &ClientEntry) -> Vec<FieldChange> {
    let mut fields = vec![made("type", FieldValue::text(entry.kind))];
    fields.extend(between(&[], &entry.definition.fields()));
    fields.extend(
        entry
            .secret
            .as_ref()
            .map(|secret| made("secret", hinted(&secret.hint))),
    );
    fields
}

fn of_changed(
    former: &Client,
    definition: &ClientDefinition,
    (added, dropped): (Option<&ChosenSecret>, &[ClientSecret]),
) -> Vec<FieldChange> {
    let mut fields = between(&former.definition.fields(), &definition.fields());
    let dropped = dropped
        .iter()
        .map(|secret| gone("secret", hinted(&secret.hint)));
    fields.extend(dropped);
    fields.extend(added.map(|secret| made("secret", hinted(&secret.hint))));
    fields
}

fn made(field: &'static str, value: FieldValue) -> FieldChange {
    FieldChange {
        field,
        former: None,
        value: Some(value),
    }
}

fn gone(field: &'static str, value: FieldValue) -> FieldChange {
    FieldChange {
        field,
        former: Some(value),
        value: None,
    }
}

fn hinted(hint: &str) -> FieldValue {
    FieldValue::Text(format!("…{hint}"))
}

/// What differs between two sets of the same fields, of which one may be missing; what is empty is not there then.
fn between(former: &[Field], value: &[Field]) -> Vec<FieldChange> {
    match (former, value) {
        ([], fields) => {
            let there = fields.iter().filter(|(_, value)| !value.is_empty());
            there
                .map(|(field, value)| made(field, value.clone()))
                .collect()
        }
        (fields, []) => {
            let there = fields.iter().filter(|(_, value)| !value.is_empty());
            there
                .map(|(field, value)| gone(field, value.clone()))
                .collect()
        }
        (former, value) => {
            let pairs = former.iter().zip(value).filter(|(old, new)| old != new);
            let change = |(old, new): (&Field, &Field)| FieldChange {
                field: old.0,
                former: Some(old.1.clone()),
                value: Some(new.1.clone()),
            };
            pairs.map(change).collect()
        }
    }
}
