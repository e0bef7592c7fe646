//! The OpenAPI document, and whether answers are what it says.

use std::sync::OnceLock;

use serde_json::Value;

use crate::client::Answer;

/// What the edge answers whatever the operation, so that operations do not list it.
const OF_THE_EDGE: [&str; 3] = [
    "is given more than once",
    "URI is too long",
    "internal_error",
];

pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&symbolon::http::openapi_json().unwrap()).unwrap())
}

/// Every operation: method in upper case, path template, description.
pub fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations
            .filter(|(method, _)| {
                matches!(method.as_str(), "get" | "put" | "post" | "delete" | "patch")
            })
            .map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

/// Checks that an answer's status, media type and members are documented.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let found = operations().find(|(known, template, _)| known == method && is_of(template, path));
    let Some((_, template, operation)) = found else {
        return;
    };
    if OF_THE_EDGE
        .iter()
        .any(|text| String::from_utf8_lossy(&answer.body).contains(text))
    {
        return;
    }
    let status = answer.status.to_string();
    let response = &operation["responses"][&status];
    assert!(
        response.is_object(),
        "{method} {template} does not document {status}: {answer:?}"
    );
    let Some(content) = response["content"].as_object() else {
        assert!(
            answer.body.is_empty(),
            "{method} {template} does not document a body of {status}"
        );
        return;
    };
    let kind = answer.header("content-type").unwrap_or_default();
    let essence = kind.split(';').next().unwrap();
    let documented = content.get(essence);
    let schema = documented
        .unwrap_or_else(|| panic!("{method} {template} does not document {essence} with {status}"));
    if essence.ends_with("json") {
        conforms(&answer.json(), &schema["schema"], template);
    }
}

fn is_of(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(known, given)| known.starts_with('{') || *known == given)
}

/// The part of JSON Schema that the document uses.
fn conforms(value: &Value, schema: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document()
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference}"));
        return conforms(value, schema, place);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&kind), "{place}: {value} is no {types:?}");
    for item in value.as_array().into_iter().flatten() {
        conforms(item, &schema["items"], place);
    }
    let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        assert!(
            object.contains_key(name),
            "{place}: {name} is missing in {value}"
        );
    }
    for (name, member) in object {
        let property = properties
            .get(name)
            .unwrap_or_else(|| panic!("{place}: {name} is not documented"));
        conforms(member, property, &format!("{place} {name}"));
    }
}
