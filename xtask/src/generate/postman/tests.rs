use serde_json::{Value, json};

use super::collection;

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Symbolon", "version": "1.0.0", "description": "Sign-in"},
        "tags": [{"name": "sign-in", "description": "In and out"}, {"name": "unused"}],
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}, "cookie": {"type": "apiKey"}},
            "schemas": {"Login": {"type": "object", "properties": {
                "email": {"type": "string", "format": "email"}, "password": {"type": "string", "format": "password"},
            }}},
        },
        "paths": {
            "/api/login": {"post": {
                "tags": ["sign-in"], "summary": "Sign in",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Login"}}}},
                "responses": {"200": {}, "401": {}, "default": {}},
            }},
            "/api/refresh": {"post": {"tags": ["sign-in"], "security": [{"cookie": []}], "responses": {"200": {}}}},
            "/api/sessions/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}],
                "delete": {"tags": ["sessions"], "security": [{"bearer": []}], "parameters": [
                    {"name": "dry", "in": "query", "schema": {"type": "boolean"}},
                ], "responses": {"204": {}}},
            },
            "/oauth/token": {"post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {
                "example": {"grant_type": "refresh_token"},
            }}}}},
        },
    })
}

fn request(collection: &Value, folder: usize, item: usize) -> Value {
    collection["item"][folder]["item"][item].clone()
}

#[test]
fn folders_follow_the_tags_and_empty_ones_are_left_out() {
    let made = collection(&document()).unwrap();
    let names: Vec<&str> = made["item"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|folder| folder["name"].as_str())
        .collect();
    assert_eq!(names, ["sign-in", "sessions", "other"]);
    assert_eq!(made["info"]["schema"], super::FORMAT);
    assert_eq!(made["item"][0]["description"], "In and out");
}

#[test]
fn a_sign_in_has_an_example_body_and_keeps_its_tokens() {
    let item = request(&collection(&document()).unwrap(), 0, 0);
    assert_eq!(item["name"], "Sign in");
    let body: Value =
        serde_json::from_str(item["request"]["body"]["raw"].as_str().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"email": "ada@example.com", "password": "correct horse battery staple"})
    );
    assert_eq!(item["request"]["auth"]["type"], "noauth");
    let script = item["event"][0]["script"]["exec"].to_string();
    assert!(
        script.contains("[200,401]") && script.contains("accessToken"),
        "{script}"
    );
}

#[test]
fn only_a_bearer_operation_inherits_the_token() {
    let made = collection(&document()).unwrap();
    assert_eq!(request(&made, 0, 1)["request"]["auth"]["type"], "noauth");
    let item = request(&made, 1, 0);
    assert_eq!(item["request"].get("auth"), None);
    assert!(!item["event"].to_string().contains("accessToken"));
}

#[test]
fn parameters_become_variables_and_switched_off_queries() {
    let url = request(&collection(&document()).unwrap(), 1, 0)["request"]["url"].clone();
    assert_eq!(url["raw"], "{{baseUrl}}/api/sessions/:id");
    assert_eq!(url["path"], json!(["api", "sessions", ":id"]));
    assert_eq!(url["variable"][0]["key"], "id");
    assert_eq!(url["variable"][0].get("disabled"), None);
    assert_eq!(url["query"][0]["disabled"], true);
}

#[test]
fn forms_are_forms() {
    let item = request(&collection(&document()).unwrap(), 2, 0);
    let body = &item["request"]["body"];
    assert_eq!(
        body["urlencoded"],
        json!([{"key": "grant_type", "value": "refresh_token"}])
    );
    assert_eq!(item["name"], "POST /oauth/token");
}
