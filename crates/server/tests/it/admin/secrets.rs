//! SECURITY row M7: no answer of administration shows what proves something.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::document::operations;
use crate::people::Device;

/// Members of private keys (RFC 7517 and 7518), and of what is stored.
const MEMBERS: [&str; 14] = [
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "k",
    "sealed",
    "secret",
    "password",
    "passwordHash",
    "refreshDigest",
    "digest",
    "refreshToken",
];

#[tokio::test]
async fn m7_no_list_and_no_thing_shows_a_secret() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let ada = app.user().await;
    app.role(&admin, &json!({"name": "clerk"})).await;
    let secrets = secrets(&app, &ada).await;
    let keys = app
        .get("/api/admin/keys")
        .bearer(&admin.access)
        .send()
        .await
        .json();
    let kid = keys["items"][0]["kid"].as_str().unwrap().to_owned();
    let mut asked = 0;
    for (_, path, _) in
        operations().filter(|(method, path, _)| method == "GET" && path.starts_with("/api/admin/"))
    {
        let id = match path.contains("/sessions/") {
            true => &ada.sid,
            false => &ada.user,
        };
        let address = path
            .replace("{kid}", &kid)
            .replace("{name}", "clerk")
            .replace("{id}", id);
        let answer = app.get(&address).bearer(&admin.access).send().await;
        // What has ids of another kind is not there, which is an answer as well.
        assert!(
            matches!(answer.status, 200 | 404),
            "{path}: {}",
            answer.status
        );
        asked += u32::from(answer.status == 200);
        let text = answer.text();
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{path} shows {secret}");
        }
        no_secret_member(&answer.json(), path);
    }
    assert!(asked >= 10, "{asked}");
}

/// What the store holds of Ada that proves something, in every form in which it could be written.
async fn secrets(app: &TestApp, ada: &Device) -> Vec<String> {
    let store = &app.app.store;
    let id = ada.user.parse().unwrap();
    let hash = store
        .find_credentials(id)
        .await
        .unwrap()
        .unwrap()
        .password_hash
        .unwrap();
    let session = store
        .find_session(ada.sid.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let mut found = vec![hash, ada.refresh.clone(), ada.access.clone()];
    let mut bytes = vec![session.refresh.digest.as_bytes().to_vec()];
    bytes.extend(
        store
            .list_keys()
            .await
            .unwrap()
            .into_iter()
            .map(|key| key.sealed),
    );
    for secret in bytes {
        found.push(symbolon_token::encoding::encode(&secret));
        found.push(secret.iter().map(|byte| format!("{byte:02x}")).collect());
        found.push(serde_json::to_string(&secret).unwrap());
    }
    found
}

fn no_secret_member(value: &Value, path: &str) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| no_secret_member(item, path)),
        Value::Object(members) => {
            for (name, member) in members {
                assert!(!MEMBERS.contains(&name.as_str()), "{path} has {name}");
                no_secret_member(member, path);
            }
        }
        _ => {}
    }
}
