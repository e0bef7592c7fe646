//! An example value for a JSON schema of OpenAPI 3.1.

use serde_json::{Map, Value, json};

/// Past this depth a schema that names itself ends in `null`.
const DEEPEST: usize = 8;

/// The schema's own example where it has one, else one made from its type.
pub(super) fn example(document: &Value, schema: &Value) -> Value {
    Maker { document }.make(schema, DEEPEST)
}

/// What a `{"$ref": "#/…"}` stands for, and anything else as it is.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

struct Maker<'a> {
    document: &'a Value,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, depth: usize) -> Value {
        let schema = resolved(self.document, schema);
        if depth == 0 {
            return Value::Null;
        }
        if let Some(given) = given(schema) {
            return given.clone();
        }
        for alternatives in ["oneOf", "anyOf"] {
            if let Some(first) =
                schema
                    .get(alternatives)
                    .and_then(Value::as_array)
                    .and_then(|all| {
                        let is_null =
                            |schema: &&Value| schema.get("type").is_some_and(|kind| kind == "null");
                        all.iter().find(|schema| !is_null(schema))
                    })
            {
                return self.make(first, depth - 1);
            }
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => {
                let items = schema.get("items").map(|items| self.make(items, depth - 1));
                Value::Array(items.into_iter().collect())
            }
            "string" => json!(text(schema)),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(0)),
            "boolean" => json!(false),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut members = Map::new();
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Value::Object(inherited) = self.make(part, depth - 1) {
                members.extend(inherited);
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let resolved = resolved(self.document, property);
            if resolved.get("readOnly") != Some(&Value::Bool(true)) {
                members.insert(name.clone(), self.make(property, depth - 1));
            }
        }
        Value::Object(members)
    }
}

/// What the schema itself names as a value.
fn given(schema: &Value) -> Option<&Value> {
    let first = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .and_then(|all| all.first())
    };
    schema
        .get("example")
        .or_else(|| first("examples"))
        .or_else(|| schema.get("const"))
        .or_else(|| schema.get("default"))
        .or_else(|| first("enum"))
}

/// The type, `null` being the last choice; a schema that names none is judged by its members.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "null",
    }
}

fn text(schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("email") => "ada@example.com",
        Some("uuid") => "0193e8a0-7c1e-7000-8000-000000000001",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("uri" | "url") => "https://example.com",
        Some("password") => "correct horse battery staple",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::example;

    #[test]
    fn examples_follow_references_and_prefer_what_is_given() {
        let document = json!({"components": {"schemas": {
            "Role": {"type": "string", "enum": ["admin", "user"]},
            "Base": {"type": "object", "properties": {"id": {"type": "string", "format": "uuid", "readOnly": true}}},
        }}});
        let schema = json!({
            "allOf": [{"$ref": "#/components/schemas/Base"}],
            "properties": {
                "email": {"type": "string", "format": "email"},
                "name": {"type": ["null", "string"], "examples": ["Ada"]},
                "roles": {"type": "array", "items": {"$ref": "#/components/schemas/Role"}},
                "age": {"oneOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
            },
        });
        assert_eq!(
            example(&document, &schema),
            json!({"email": "ada@example.com", "name": "Ada", "roles": ["admin"], "age": 3})
        );
    }

    #[test]
    fn a_schema_that_names_itself_comes_to_an_end() {
        let document = json!({"components": {"schemas": {
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
        }}});
        let made = example(&document, &json!({"$ref": "#/components/schemas/Node"}));
        assert!(made.pointer("/next/next").is_some());
    }
}
