//! What the generator of the OpenAPI document lets pass and its readers do not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::OPENAPI;
use crate::check::Finding;

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

/// Operations that share an id, have no tag or no summary of one line, and references to nothing.
pub(super) fn faults(document: &Value) -> Vec<Finding> {
    let mut faults = Vec::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let name = format!("{} {path}", method.to_uppercase());
            faults.extend(operation_faults(&name, operation));
            let id = operation
                .get("operationId")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if let Some(other) = ids.insert(id, name.clone()) {
                faults.push(format!("{name} has the operationId `{id}` of {other}"));
            }
        }
    }
    dangling(document, document, &mut faults);
    faults
        .into_iter()
        .map(|fault| Finding::new(OPENAPI, fault))
        .collect()
}

fn operation_faults(name: &str, operation: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if operation.pointer("/tags/0").is_none() {
        faults.push(format!("{name} has no tag"));
    }
    match operation.get("summary").and_then(Value::as_str) {
        Some(summary) if !summary.contains('\n') => {}
        Some(_) => faults.push(format!(
            "{name} has a summary of more than one line: end its first doc paragraph sooner"
        )),
        None => faults.push(format!("{name} has no summary")),
    }
    faults
}

fn dangling(document: &Value, value: &Value, faults: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                && reference
                    .strip_prefix('#')
                    .is_none_or(|pointer| document.pointer(pointer).is_none())
            {
                faults.push(format!("`{reference}` names nothing"));
            }
            members
                .values()
                .for_each(|member| dangling(document, member, faults));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| dangling(document, item, faults)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::faults;

    #[test]
    fn shared_ids_missing_words_and_dangling_references_are_found() {
        let operation = |id: &str| json!({"operationId": id, "tags": ["a"], "summary": "One line"});
        let document = json!({"paths": {
            "/a": {"get": operation("a"), "post": operation("b")},
            "/b": {"get": operation("a")},
            "/c": {"get": {"operationId": "c", "summary": "Two\nlines", "x": [{"$ref": "#/components/schemas/X"}]}},
        }});
        let said: Vec<String> = faults(&document)
            .into_iter()
            .map(|fault| fault.says)
            .collect();
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(
            said[0].contains("GET /b") && said[0].contains("GET /a"),
            "{said:?}"
        );
        assert!(
            said[1].contains("no tag") && said[2].contains("one line"),
            "{said:?}"
        );
        assert!(said[3].contains("schemas/X"), "{said:?}");
    }
}
