//! Access tokens that only this server can read: `oauth.opaque_resources`

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use symbolon_token::encoding;

use super::exchange::{API, Chain, STOCK, access};
use super::{Place, code_form, posted, refused};
use crate::app::TestApp;
use crate::bearer::bound::Client;
use crate::client::Answer;
use crate::people::{PASSWORD, claims};

const SETTING: (&str, &str) = ("oauth.opaque_resources", API);

async fn place() -> Place {
    Place::with(&[SETTING]).await
}

/// What `shop` got from Ada for the API, which wants opaque tokens.
async fn tokens(place: &Place, scope: &str) -> Value {
    let mut browser = place.browser();
    let code = browser.code(&[("resource", API), ("scope", scope)]).await;
    place.exchange(&code).await.expect(200).json()
}

async fn userinfo(place: &Place, token: &str) -> Answer {
    let request = place.app.get("/oauth/userinfo").bearer(token);
    request.send().await
}

/// What the API, which is `web`, is told.
async fn introspected(place: &Place, token: &str) -> Value {
    let pairs = [("token", token)];
    let answer = place.post_as_web("/oauth/introspect", &pairs).await;
    answer.expect(200).json()
}

#[track_caller]
fn assert_opaque(app: &TestApp, token: &str) {
    assert!(token.starts_with("sbo_") && !token.contains('.'), "{token}");
    let body = encoding::decode(&token.as_bytes()[4..]).unwrap();
    assert!(
        !body
            .windows(3)
            .any(|bytes| bytes == b"eyJ" || bytes == b"aud")
    );
    let issuance = app.app.issuance().unwrap();
    issuance.guard.check(token, app.now_seconds()).unwrap_err();
}

#[tokio::test]
async fn a_resource_asks_what_an_opaque_token_says() {
    let place = place().await;
    let tokens = tokens(&place, "openid profile").await;
    let token = access(&tokens);
    assert_opaque(&place.app, &token);
    let told = introspected(&place, &token).await;
    let own = place.app.app.issuance().unwrap().audience.clone();
    assert_eq!(
        (
            &told["active"],
            &told["client_id"],
            &told["scope"],
            &told["aud"]
        ),
        (
            &json!(true),
            &json!("shop"),
            &json!("openid profile"),
            &json!([API, own])
        )
    );
    assert_eq!(
        (&told["exp"], &told["iat"], &told["token_type"]),
        (
            &json!(1_790_000_900),
            &json!(1_790_000_000),
            &json!("Bearer")
        )
    );
    let known = userinfo(&place, &token).await.expect(200).json();
    assert_eq!(known["sub"], told["sub"]);
    // The hash in the ID token is of the text that the client has (OpenID Connect Core 1.0 section 3.1.3.6).
    let hash = digest(&SHA256, token.as_bytes());
    let id_token = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id_token["at_hash"], encoding::encode(&hash.as_ref()[..16]));
    // Nobody else hears of it.
    let mut browser = place.browser();
    let other = browser.code(&[("scope", "openid")]).await;
    let other = access(&place.exchange(&other).await.expect(200).json());
    assert!(other.contains('.'), "another audience, as ever");
    assert_eq!(introspected(&place, &other).await, json!({"active": false}));
}

#[tokio::test]
async fn what_ends_a_token_ends_an_opaque_one() {
    let place = place().await;
    let first = tokens(&place, "openid").await;
    let token = access(&first);
    let foreign = place
        .post_as_web("/oauth/revoke", &[("token", &token)])
        .await;
    refused(&foreign, 400, "invalid_grant");
    let revoke = [("client_id", "shop"), ("token", token.as_str())];
    place.post("/oauth/revoke", &revoke).await.expect(200);
    refused(&userinfo(&place, &token).await, 401, "invalid_token");
    assert_eq!(introspected(&place, &token).await, json!({"active": false}));
    // It alone: the session goes on, with tokens of the same kind, until it ends.
    let refresh = first["refresh_token"].as_str().unwrap();
    let next = place.refresh(refresh).await.expect(200).json();
    let token = access(&next);
    assert_opaque(&place.app, &token);
    userinfo(&place, &token).await.expect(200);
    let refresh = next["refresh_token"].as_str().unwrap();
    let revoke = [("client_id", "shop"), ("token", refresh)];
    place.post("/oauth/revoke", &revoke).await.expect(200);
    refused(&userinfo(&place, &token).await, 401, "invalid_token");
    assert_eq!(introspected(&place, &token).await, json!({"active": false}));
    let third = access(&tokens(&place, "openid").await);
    place.app.wait(900);
    refused(&userinfo(&place, &third).await, 401, "invalid_token");
    assert_eq!(introspected(&place, &third).await, json!({"active": false}));
}

#[tokio::test]
async fn a10_what_was_not_sealed_here_is_no_token() {
    let place = place().await;
    let token = access(&tokens(&place, "openid").await);
    let signed = access(&place.tokens("openid").await);
    let mut forged = vec![
        "sbo_".to_owned(),
        format!("sbo_{}", encoding::encode(signed.as_bytes())),
        format!("sbo_{signed}"),
        token.replacen("sbo_", "sbr_", 1),
        token.replacen("sbo_", "SBO_", 1),
        format!("sbo_{token}"),
        format!("{token}A"),
        token[..token.len() - 1].to_owned(),
    ];
    // The version, the salt, what is sealed, the tag.
    for at in [4, 10, 60, token.len() - 20, token.len() - 2] {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        forged.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
    }
    for bad in forged {
        refused(&userinfo(&place, &bad).await, 401, "invalid_token");
        assert_eq!(introspected(&place, &bad).await, json!({"active": false}));
    }
    userinfo(&place, &token).await.expect(200);
}

#[tokio::test]
async fn an_opaque_token_is_exchanged_and_given_in_exchange() {
    let chain = Chain::with(&[SETTING]).await;
    let subject = access(&chain.subject("profile").await);
    assert_opaque(&chain.place.app, &subject);
    let given = chain.exchange(&chain.edge, &subject, &[("resource", STOCK)]);
    let signed = access(&given.await.expect(200).json());
    assert_eq!(claims(&signed)["act"], json!({"sub": "edge"}));
    // For one that wants them opaque and one that does not.
    let both = [("resource", STOCK), ("resource", API)];
    let given = chain.exchange(&chain.edge, &signed, &both).await;
    let token = access(&given.expect(200).json());
    assert_opaque(&chain.place.app, &token);
    let told = chain.introspected(&token).await;
    assert_eq!(
        (&told["aud"], &told["act"]),
        (
            &json!([STOCK, API]),
            &json!({"sub": "edge", "act": {"sub": "edge"}})
        )
    );
}

#[tokio::test]
async fn d3_a_proof_is_about_the_text_that_the_client_has() {
    let place = place().await;
    let (app, key) = (&place.app, Client::new());
    let code = place
        .browser()
        .code(&[("resource", API), ("scope", "openid")])
        .await;
    let bound = posted(app, "/oauth/token", &code_form(&code)).header("dpop", &key.proof(app, "1"));
    let token = access(&bound.send().await.expect(200).json());
    assert_opaque(app, &token);
    refused(&userinfo(&place, &token).await, 401, "invalid_token");
    let ask = async |proof: String| {
        let request = app.get("/oauth/userinfo").header("dpop", &proof);
        let request = request.header("authorization", &format!("DPoP {token}"));
        request.send().await
    };
    ask(key.proof_with(app, "2", &token)).await.expect(200);
    let other = ask(key.proof_with(app, "3", "another")).await;
    assert_eq!(other.status, 401);
    assert_eq!(
        introspected(&place, &token).await["cnf"],
        json!({"jkt": key.jkt()})
    );
}

#[tokio::test]
async fn our_own_api_can_have_them_too() {
    let own = "https://login.example.com/api";
    let settings = [("tokens.audience", own), ("oauth.opaque_resources", own)];
    let app = TestApp::with(&settings).await;
    app.person("root", &["admin", "user"]).await;
    let body = json!({"email": "root@example.com", "password": PASSWORD});
    let answer = app.post("/api/login").json(&body).send().await;
    let answer = answer.expect(200).json();
    let token = answer["accessToken"].as_str().unwrap();
    assert_opaque(&app, token);
    app.profile(token).await.expect(200);
    for path in ["/api/admin/users", "/api/verify"] {
        app.get(path).bearer(token).send().await.expect(200);
    }
    let out = app.post("/api/logout").bearer(token);
    out.send().await.expect(204);
    app.profile(token).await.problem(401, "token_revoked");
}
