//! `symbolon user consents`

use serde_json::{Value, json};
use symbolon_domain::oauth::{Agreement, Consent, Scopes};
use symbolon_domain::{ClientId, Timestamp, UserId};
use symbolon_store::{DatabaseUrl, OpenOptions, Store};

use super::place::{PASSWORD, Place};

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn json(place: &Place, line: &str) -> Value {
    let line = format!("{line} --json");
    place.run(&words(&line)).json()
}

/// Writes down that somebody agreed.
fn agree(place: &Place, user: &str, clients: &[&str]) {
    let path = place.data("symbolon.db");
    let url: DatabaseUrl = format!("sqlite:{}", path.display()).parse().unwrap();
    let user: UserId = user.parse().unwrap();
    let now = Timestamp::from_millis(1_790_000_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url, &OpenOptions::default()).await.unwrap();
        let mut batch = store.batch();
        for client in clients {
            batch.put_consent(&Consent {
                user,
                client: ClientId::parse(client).unwrap(),
                agreement: Agreement::default().with(&[], &Scopes::kept("openid profile").unwrap()),
                version: 0,
                created_at: now,
                updated_at: now,
            });
        }
        batch.commit().await.unwrap();
        store.close().await;
    });
}

#[test]
fn consents_are_listed_and_withdrawn() {
    let place = Place::new();
    place.serve().stop();
    let add = "user add ada@example.com --password-stdin --json";
    let made = place.run_with(&words(add), PASSWORD.as_bytes()).json();
    for id in ["app", "shop"] {
        json(&place, &format!("client add {id} --type public"));
    }
    agree(&place, made["id"].as_str().unwrap(), &["app", "shop"]);
    let listed = json(&place, "user consents list ada@example.com");
    assert_eq!(listed[1]["clientId"], "shop");
    assert_eq!(listed[1]["scopes"], json!(["openid", "profile"]));
    let rest = json(&place, "user consents list ada@example.com --after app");
    assert_eq!(rest, json!([listed[1]]));
    let table = place.run(&words("user consents list ada@example.com"));
    let table = table.text();
    assert!(
        table.starts_with("CLIENT") && table.lines().count() == 3,
        "{table}"
    );
    let withdraw = "user consents withdraw ada@example.com shop --json";
    let done = place.run(&words(withdraw)).json();
    assert_eq!(done, json!({"user": "ada@example.com", "clientId": "shop"}));
    let left = json(&place, "user consents list ada@example.com");
    assert_eq!(left, json!([listed[0]]));
    for line in [
        withdraw,
        "user consents withdraw eve@example.com app --json",
        "user consents list eve@example.com --json",
    ] {
        let refused = place.run(&words(line));
        assert_eq!(
            (refused.code, refused.failure().0),
            (Some(1), "not_found".to_owned()),
            "{line}"
        );
    }
    let lines = json(&place, "audit list --kind consent_withdrawn");
    assert_eq!(lines.as_array().map(Vec::len), Some(1), "{lines}");
}
