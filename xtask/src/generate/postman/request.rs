//! One operation of the document as a request of the collection.

use serde_json::{Value, json};

use crate::generate::example::{example, resolved};

/// What a sign-in answers is kept for the requests after it.
const KEEP_TOKENS: &[&str] = &[
    "const answer = pm.response.headers.get('Content-Type')?.includes('json') ? pm.response.json() : {};",
    "if (answer.accessToken) pm.collectionVariables.set('accessToken', answer.accessToken);",
    "if (answer.refreshToken) pm.collectionVariables.set('refreshToken', answer.refreshToken);",
];

/// One operation, with what it inherits from.
pub(super) struct Operation<'a> {
    pub(super) document: &'a Value,
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) item: &'a Value,
    pub(super) operation: &'a Value,
}

impl Operation<'_> {
    pub(super) fn tag(&self) -> &str {
        self.operation
            .pointer("/tags/0")
            .and_then(Value::as_str)
            .unwrap_or("other")
    }

    /// The request as Postman has it.
    pub(super) fn item(&self) -> Value {
        let text = |key: &str| self.operation.get(key).and_then(Value::as_str);
        let method = self.method.to_uppercase();
        let summary = text("summary").and_then(|summary| summary.lines().next());
        let name = summary.map_or_else(
            || format!("{method} {}", self.path),
            |line| line.trim_end_matches('.').to_owned(),
        );
        let mut request = json!({
            "method": method,
            "description": text("description").unwrap_or_default(),
            "header": self.headers(),
            "url": self.url(),
        });
        if let Some(body) = self.body() {
            request["body"] = body;
        }
        if !self.needs_token() {
            request["auth"] = json!({"type": "noauth"});
        }
        json!({"name": name, "request": request, "event": [self.script()], "response": []})
    }

    /// An operation without a list of its own has the document's; an empty one needs nothing.
    fn needs_token(&self) -> bool {
        let list = self
            .operation
            .get("security")
            .or_else(|| self.document.get("security"));
        let all = list
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let is_bearer = |choice: &Value| {
            choice.as_object().into_iter().flatten().any(|(name, _)| {
                let scheme = self
                    .document
                    .pointer(&format!("/components/securitySchemes/{name}/scheme"));
                scheme
                    .and_then(Value::as_str)
                    .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
            })
        };
        all.iter().any(is_bearer)
    }

    fn parameters(&self, place: &str) -> Vec<&Value> {
        [self.item, self.operation]
            .into_iter()
            .filter_map(|owner| owner.get("parameters").and_then(Value::as_array))
            .flatten()
            .map(|parameter| resolved(self.document, parameter))
            .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some(place))
            .collect()
    }

    fn headers(&self) -> Vec<Value> {
        let mut headers = vec![json!({"key": "Accept", "value": "application/json"})];
        if let Some((kind, _)) = self.content() {
            headers.push(json!({"key": "Content-Type", "value": kind}));
        }
        for parameter in self.parameters("header") {
            headers.push(self.field(parameter));
        }
        headers
    }

    /// Postman writes a path's variable `:name` where OpenAPI writes `{name}`.
    fn url(&self) -> Value {
        let path: Vec<String> = self
            .path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| {
                match segment
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'))
                {
                    Some(name) => format!(":{name}"),
                    None => segment.to_owned(),
                }
            })
            .collect();
        let fields = |place| -> Vec<Value> {
            self.parameters(place)
                .into_iter()
                .map(|field| self.field(field))
                .collect()
        };
        json!({
            "raw": format!("{{{{baseUrl}}}}/{}", path.join("/")),
            "host": ["{{baseUrl}}"],
            "path": path,
            "query": fields("query"),
            "variable": fields("path"),
        })
    }

    /// A parameter with its example; one that may be left out is there, switched off.
    fn field(&self, parameter: &Value) -> Value {
        let schema = parameter.get("schema").cloned().unwrap_or_default();
        let value = match parameter
            .get("example")
            .cloned()
            .unwrap_or_else(|| example(self.document, &schema))
        {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let required = parameter.get("required") == Some(&Value::Bool(true));
        let mut field = json!({
            "key": parameter.get("name"),
            "value": value,
            "description": parameter.get("description"),
        });
        if !required {
            field["disabled"] = json!(true);
        }
        field
    }

    /// The media type of the body and what the document says of it.
    fn content(&self) -> Option<(&str, &Value)> {
        let body = resolved(self.document, self.operation.get("requestBody")?);
        let (kind, content) = body.get("content")?.as_object()?.iter().next()?;
        Some((kind, content))
    }

    fn body(&self) -> Option<Value> {
        let (kind, content) = self.content()?;
        let named = content.get("examples").and_then(Value::as_object);
        let mut value = content
            .get("example")
            .or_else(|| named?.values().next()?.get("value"))
            .cloned()
            .or_else(|| Some(example(self.document, content.get("schema")?)))?;
        if let Some(token) = value.get_mut("refreshToken") {
            *token = json!("{{refreshToken}}");
        }
        if kind == "application/x-www-form-urlencoded" {
            let fields = value.as_object()?.iter().map(|(key, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                json!({"key": key, "value": text})
            });
            return Some(json!({"mode": "urlencoded", "urlencoded": fields.collect::<Vec<_>>()}));
        }
        let raw = serde_json::to_string_pretty(&value).ok()?;
        Some(json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}))
    }

    /// Tests that the answer is one that the document names, and keeps the tokens of a sign-in.
    fn script(&self) -> Value {
        let answers = self.operation.get("responses").and_then(Value::as_object);
        let codes: Vec<u16> = answers
            .into_iter()
            .flatten()
            .filter_map(|(code, _)| code.parse().ok())
            .collect();
        let mut lines = vec![format!(
            "pm.test('the answer is a documented one', () => pm.expect(pm.response.code).to.be.oneOf({}));",
            json!(codes)
        )];
        if ["/api/login", "/api/refresh"].contains(&self.path) && self.method == "post" {
            lines.extend(KEEP_TOKENS.iter().map(|line| (*line).to_owned()));
        }
        json!({"listen": "test", "script": {"type": "text/javascript", "exec": lines}})
    }
}
