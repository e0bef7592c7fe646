//! From what is there to a file that asks for it.

use std::fmt::{Display, Write};

use symbolon_domain::FieldValue;
use symbolon_domain::setup::Wanted;

/// The file, in an order that does not change.
#[must_use]
pub fn render(wanted: &Wanted) -> String {
    let mut parts = Vec::new();
    if !wanted.settings.is_empty() {
        let mut part = "[settings]\n".to_owned();
        for (name, value) in &wanted.settings {
            line(&mut part, name, text(value));
        }
        parts.push(part);
    }
    for (name, entry) in &wanted.roles {
        let mut part = "[[role]]\n".to_owned();
        line(&mut part, "name", text(name.as_str()));
        fields(&mut part, &entry.fields());
        parts.push(part);
    }
    for (id, entry) in &wanted.clients {
        let mut part = "[[client]]\n".to_owned();
        line(&mut part, "id", text(id.as_str()));
        line(&mut part, "type", text(entry.kind.as_str()));
        fields(&mut part, &entry.definition.fields());
        parts.push(part);
    }
    parts.join("\n")
}

/// A value as TOML has it.
#[must_use]
pub fn value(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(one) => text(one),
        FieldValue::List(items) => {
            let items: Vec<_> = items.iter().map(|item| text(item)).collect();
            format!("[{}]", items.join(", "))
        }
        FieldValue::Switch(on) => on.to_string(),
    }
}

fn fields(part: &mut String, fields: &[(&'static str, FieldValue)]) {
    for (field, content) in fields.iter().filter(|(_, content)| !content.is_empty()) {
        line(part, field, value(content));
    }
}

fn line(part: &mut String, key: &str, value: impl Display) {
    // Writing to a String cannot fail.
    let _ = writeln!(part, "{key} = {value}");
}

/// A basic string, on one line.
fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
