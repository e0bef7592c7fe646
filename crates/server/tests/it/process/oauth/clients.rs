use super::super::place::Place;
use super::program::{CALLBACK, GOODBYE, Stage, in_chromium, javascript, python, rust};

const SCOPES: &str = "--scope openid --scope profile --scope email --scope offline_access";
const CODE: &str = "--grant authorization_code --grant refresh_token";

fn elsewhere() -> String {
    format!("{CODE} {SCOPES} --redirect-uri {CALLBACK} --post-logout-redirect-uri {GOODBYE}")
}

fn openid_client(method: &str, auth_method: &str) {
    let Some(command) = javascript("openid-client.js") else {
        return;
    };
    let stage = Stage::new();
    let words = format!(
        "--type confidential --auth-method {auth_method} --grant client_credentials --grant device_code {}",
        elsewhere()
    );
    let secret = stage.client("shop", &words);
    let more = [("CLIENT_SECRET", &*secret), ("METHOD", method)];
    stage.passes(command, "shop", &more);
}

#[test]
fn npm_openid_client_with_its_secret_in_the_header() {
    openid_client("basic", "client_secret_basic");
}

#[test]
fn npm_openid_client_with_its_secret_in_the_body() {
    openid_client("post", "client_secret_post");
}

#[test]
fn npm_openid_client_is_told_of_a_sign_out() {
    let Some(mut command) = javascript("openid-client-logout.js") else {
        return;
    };
    command.env("REDIRECT_URI", CALLBACK);
    let place = Place::new().with("outbound.allow_loopback_http", "true");
    let serve = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    let stage = Stage::of(place, serve);
    stage.passes_with_a_page(command, "told", |uri| {
        let words = format!(
            "--type public {CODE} --scope openid --redirect-uri {CALLBACK} --backchannel-logout-uri {uri}"
        );
        stage.client("told", &words);
    });
}

#[test]
fn npm_oauth4webapi_with_pushed_requests_and_dpop() {
    let Some(command) = javascript("oauth4webapi.js") else {
        return;
    };
    let stage = Stage::new();
    let words = format!(
        "--type public --require-pushed --dpop-bound {}",
        elsewhere()
    );
    stage.client("app", &words);
    stage.passes(command, "app", &[("", ""); 0]);
}

#[test]
fn npm_oidc_client_ts_in_a_browser() {
    let Some(command) = in_chromium("oidc-client-ts.js") else {
        return;
    };
    let stage = Stage::new();
    stage.passes_with_a_page(command, "page", |origin| {
        let words = format!(
            "--type public {CODE} {SCOPES} --origin {origin} --redirect-uri {origin}/callback \
             --post-logout-redirect-uri {origin}/goodbye"
        );
        stage.client("page", &words);
    });
}

#[test]
fn pypi_authlib() {
    let Some(command) = python("authlib_client.py") else {
        return;
    };
    let stage = Stage::new();
    let words = format!("--type confidential {}", elsewhere());
    let secret = stage.client("authlib", &words);
    stage.passes(command, "authlib", &[("CLIENT_SECRET", &*secret)]);
}

#[test]
fn crates_io_openidconnect() {
    let Some(command) = rust() else {
        return;
    };
    let stage = Stage::new();
    let words = format!(
        "--type confidential --auth-method client_secret_post {}",
        elsewhere()
    );
    let secret = stage.client("rust", &words);
    stage.passes(command, "rust", &[("CLIENT_SECRET", &*secret)]);
}
