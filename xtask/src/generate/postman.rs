//! The OpenAPI document as a Postman collection (format v2.1): a folder for each tag, variables for the
//! address and the tokens, and scripts that keep what a sign-in answers.

mod request;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use self::request::Operation;

const FORMAT: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];
const ADDRESS: &str = "http://127.0.0.1:8080";
/// # Errors
/// The document has no `info` or no `paths`.
pub(super) fn collection(document: &Value) -> Result<Value> {
    let info = document
        .get("info")
        .context("the OpenAPI document has no info")?;
    Ok(json!({
        "info": {
            "name": info.get("title"),
            "description": info.get("description"),
            "version": info.get("version"),
            "schema": FORMAT,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{accessToken}}", "type": "string"}]},
        "variable": [
            {"key": "baseUrl", "value": ADDRESS, "type": "string"},
            {"key": "accessToken", "value": "", "type": "string"},
            {"key": "refreshToken", "value": "", "type": "string"},
        ],
        "item": folders(document)?,
    }))
}

/// In the order of the document's own list of tags, then of their first use.
fn folders(document: &Value) -> Result<Vec<Value>> {
    let mut folders: Vec<(String, Value, Vec<Value>)> = Vec::new();
    for tag in document
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = tag.get("name").and_then(Value::as_str).unwrap_or_default();
        let about = tag.get("description").cloned().unwrap_or_default();
        folders.push((name.to_owned(), about, Vec::new()));
    }
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .context("the OpenAPI document has no paths")?;
    for (path, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let operation = Operation {
                document,
                path,
                method,
                item,
                operation,
            };
            let request = operation.item();
            match folders
                .iter_mut()
                .find(|(name, ..)| name == operation.tag())
            {
                Some((.., items)) => items.push(request),
                None => folders.push((operation.tag().to_owned(), Value::Null, vec![request])),
            }
        }
    }
    let used = folders.into_iter().filter(|(.., items)| !items.is_empty());
    Ok(used
        .map(|(name, about, items)| json!({"name": name, "description": about, "item": items}))
        .collect())
}

#[cfg(test)]
mod tests;
