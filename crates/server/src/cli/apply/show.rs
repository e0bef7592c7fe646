//! Changes as people and programs see them.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use symbolon_domain::FieldValue;
use symbolon_domain::setup::{Act, Change, Wanted};

use crate::state::value as toml;

/// One line a thing, its fields below, and a sum.
pub(super) fn outline(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let sign = match change.act {
            Act::Add => '+',
            Act::Change => '~',
            Act::Delete => '-',
        };
        line(&mut text, format_args!("{sign} {}", change.thing));
        let width = change.fields.iter().map(|field| field.field.len()).max();
        let width = width.unwrap_or_default();
        for field in &change.fields {
            let (name, former, value) = (field.field, &field.former, &field.value);
            match (former, value) {
                (Some(former), Some(value)) => {
                    let (former, value) = (toml(former), toml(value));
                    line(
                        &mut text,
                        format_args!("    {name:<width$} = {former} -> {value}"),
                    );
                }
                (Some(former), None) if change.act == Act::Change => {
                    line(
                        &mut text,
                        format_args!("    {name:<width$} = {} -> gone", toml(former)),
                    );
                }
                (None, Some(one)) | (Some(one), None) => {
                    line(
                        &mut text,
                        format_args!("    {name:<width$} = {}", toml(one)),
                    );
                }
                (None, None) => {}
            }
        }
    }
    let count = |act| changes.iter().filter(|change| change.act == act).count();
    let (add, change, delete) = (count(Act::Add), count(Act::Change), count(Act::Delete));
    if changes.is_empty() {
        line(&mut text, format_args!("Nothing to change."));
    } else {
        line(
            &mut text,
            format_args!("{add} to add, {change} to change, {delete} to delete."),
        );
    }
    text
}

/// Every field that differs, before and after.
pub(super) fn diff(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let thing = &change.thing;
        let (before, after) = match change.act {
            Act::Add => ("nothing".to_owned(), thing.to_string()),
            Act::Change => (thing.to_string(), thing.to_string()),
            Act::Delete => (thing.to_string(), "nothing".to_owned()),
        };
        line(&mut text, format_args!("--- {before}\n+++ {after}"));
        for field in &change.fields {
            if let Some(former) = &field.former {
                line(
                    &mut text,
                    format_args!("-{} = {}", field.field, toml(former)),
                );
            }
            if let Some(value) = &field.value {
                line(
                    &mut text,
                    format_args!("+{} = {}", field.field, toml(value)),
                );
            }
        }
    }
    text
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{content}");
}

/// The same for programs.
pub(super) fn shown(changes: &[Change]) -> Vec<Value> {
    let field = |value: &Option<FieldValue>| value.as_ref().map_or(Value::Null, plain);
    let show = |change: &Change| {
        let fields = change.fields.iter().map(|one| {
            json!({ "field": one.field, "former": field(&one.former), "value": field(&one.value) })
        });
        json!({
            "act": change.act.as_str(),
            "kind": change.thing.kind(),
            "name": change.thing.name(),
            "fields": fields.collect::<Vec<_>>(),
        })
    };
    changes.iter().map(show).collect()
}

/// The whole state for programs, by the names of the file.
pub(super) fn state(wanted: &Wanted) -> Value {
    let object = |head: &[(&str, &str)], fields: &[(&'static str, FieldValue)]| {
        let head = head
            .iter()
            .map(|(key, text)| ((*key).to_owned(), json!(text)));
        let fields = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), plain(value)));
        Value::Object(head.chain(fields).collect::<Map<_, _>>())
    };
    let roles = wanted.roles.iter();
    let roles = roles.map(|(name, entry)| object(&[("name", name.as_str())], &entry.fields()));
    let clients = wanted.clients.iter().map(|(id, entry)| {
        let head = [("id", id.as_str()), ("type", entry.kind.as_str())];
        object(&head, &entry.definition.fields())
    });
    json!({
        "settings": wanted.settings,
        "role": roles.collect::<Vec<_>>(),
        "client": clients.collect::<Vec<_>>(),
    })
}

fn plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!(text),
        FieldValue::List(items) => json!(items),
        FieldValue::Switch(on) => json!(on),
    }
}
