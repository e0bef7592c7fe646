//! The same requests to this server and to one that others wrote; `docs/differences.md` lists where the two part.

use serde_json::json;

use super::super::place::Place;
use super::program::{CALLBACK, GOODBYE, Stage, javascript};

#[test]
fn npm_oidc_provider_answers_the_same_save_what_is_listed() {
    let Some(command) = javascript("differential.js") else {
        return;
    };
    let place = Place::new().with("oauth.registration", "true");
    let server = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    let stage = Stage::of(place, server);
    let scopes = "--scope openid --scope email --scope profile --resource https://api.example.com/";
    let code = format!(
        "{scopes} --grant authorization_code --grant refresh_token --redirect-uri {CALLBACK} \
         --post-logout-redirect-uri {GOODBYE}"
    );
    stage.client("app", &format!("--type public {code}"));
    stage.client(
        "tv",
        &format!("--type public {scopes} --grant device_code --grant refresh_token"),
    );
    let by_post = "--type confidential --auth-method client_secret_post";
    let secrets = json!({
        "web": stage.client("web", &format!("--type confidential {code}")),
        "post": stage.client("post", &format!("{by_post} {code}")),
        "robot": stage.client("robot", "--type confidential --grant client_credentials"),
    });
    stage.passes(command, "app", &[("SECRETS", secrets.to_string())]);
}
