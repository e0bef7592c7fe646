//! Routes that ask for a recent sign-in, or for a kind of sign-in (RFC 9470).

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Request, header};
use http_body_util::BodyExt;
use symbolon_guard::{Address, Demand, Denied, GuardLayer, Staleness};

use crate::issuer::{Issuer, NOW, Watched, sign, soon, through};

const AGAIN: &str = "insufficient_user_authentication";

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// A guard whose feed may be silent while its clock is moved.
async fn patient(issuer: &Issuer) -> Watched {
    Watched::start(issuer.builder().staleness(Staleness::FailOpen)).await
}

fn token(issuer: &Issuer, auth_time: Option<i64>, acr: Option<&str>) -> String {
    let mut claims = issuer.claims();
    claims.auth_time = auth_time;
    claims.acr = acr.map(str::to_owned);
    sign(&issuer.key, &claims)
}

/// The status, the code of a problem or the text, and the challenge.
async fn ask(layer: &GuardLayer, token: &str) -> (u16, String, Option<String>) {
    let handler = get(|| async { "in" }).layer(layer.clone());
    let router = Router::new().route("/", handler);
    let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let response = soon(through(&router, request.body(Body::empty()).unwrap())).await;
    let status = response.status().as_u16();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let code = serde_json::from_slice::<serde_json::Value>(&body)
        .ok()
        .and_then(|problem| problem["code"].as_str().map(str::to_owned));
    let text = || String::from_utf8(body.to_vec()).unwrap();
    (status, code.unwrap_or_else(text), challenge)
}

fn passed() -> (u16, String, Option<String>) {
    (200, "in".to_owned(), None)
}

fn again(wanted: &str) -> (u16, String, Option<String>) {
    let error = r#"error="insufficient_user_authentication", error_description="The person must sign in again""#;
    let challenge = format!("Bearer {error}{wanted}");
    (401, AGAIN.to_owned(), Some(challenge))
}

#[tokio::test]
async fn a_sign_in_grows_old_though_the_token_was_seen_before() {
    let issuer = Issuer::start().await;
    let watched = patient(&issuer).await;
    let layer = watched.guard.layer().require_sign_in_within(minutes(5));
    let token = token(&issuer, Some(NOW), Some("1"));
    assert_eq!(ask(&layer, &token).await, passed());
    watched.clock.advance(Duration::from_secs(305));
    assert_eq!(ask(&layer, &token).await, passed());
    watched.clock.advance(Duration::from_secs(1));
    let refused = again(r#", max_age="300""#);
    assert_eq!(ask(&layer, &token).await, refused);
    // A route that asks for no sign-in takes it all the same.
    assert_eq!(ask(&watched.guard.layer(), &token).await, passed());
    let metrics = watched.guard.metrics();
    assert_eq!(metrics.rejected[AGAIN], 1);
}

#[tokio::test]
async fn a_token_without_a_person_passes_no_such_route() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let layer = watched.guard.layer();
    let recent = layer.clone().require_sign_in_within(Duration::MAX);
    let wanted = format!(r#", max_age="{}""#, i64::MAX);
    assert_eq!(ask(&recent, &issuer.token()).await, again(&wanted));
    let refused = again(r#", acr_values="1""#);
    let class = layer.require_acr(["1"]);
    assert_eq!(ask(&class, &issuer.token()).await, refused);
}

#[tokio::test]
async fn the_challenge_names_what_meets_every_demand() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let layer = watched.guard.layer();
    let layer = layer.require_sign_in_within(minutes(5));
    let layer = layer.require_acr(["3", "2", "1"]).require_acr(["2", "3"]);
    let layer = layer.require_sign_in_within(minutes(2));
    let refused = again(r#", max_age="120", acr_values="3 2""#);
    for (auth_time, acr) in [(NOW - 600, "2"), (NOW - 200, "2"), (NOW, "1")] {
        let token = token(&issuer, Some(auth_time), Some(acr));
        assert_eq!(ask(&layer, &token).await, refused, "{auth_time} {acr}");
    }
    let token = token(&issuer, Some(NOW), Some("3"));
    assert_eq!(ask(&layer, &token).await, passed());
}

#[tokio::test]
async fn what_cannot_stand_in_a_challenge_stays_out_of_it() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let layer = watched.guard.layer().require_acr(["a b", "a\"", "", "é"]);
    let token = token(&issuer, Some(NOW), Some("1"));
    assert_eq!(ask(&layer, &token).await, again(""));
    let layer = layer.require_acr::<&str>([]);
    assert_eq!(ask(&layer, &token).await, again(""));
}

#[tokio::test]
async fn demands_are_judged_in_their_order() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (layer, token) = (watched.guard.layer(), issuer.token());
    let forbidden = layer.clone().require_role("admin").require_acr(["1"]);
    let said = ask(&forbidden, &token).await;
    assert_eq!(said, (403, "forbidden".to_owned(), None));
    let old = layer.require_acr(["1"]).require_role("admin");
    let refused = again(r#", acr_values="1""#);
    assert_eq!(ask(&old, &token).await, refused);
}

#[tokio::test]
async fn where_proofs_are_judged_both_schemes_ask_for_the_sign_in() {
    let issuer = Issuer::start().await;
    let address = Address::fixed("https://api.example");
    let watched = Watched::start(issuer.builder().address(address)).await;
    let layer = watched.guard.layer().require_sign_in_within(minutes(5));
    let (status, code, challenge) = ask(&layer, &issuer.token()).await;
    assert_eq!((status, code.as_str()), (401, AGAIN));
    let (_, _, bearer) = again(r#", max_age="300""#);
    let bearer = bearer.unwrap();
    let dpop = bearer.replacen("Bearer", "DPoP", 1);
    let algs = r#"algs="ES256 EdDSA RS256 PS256""#;
    assert_eq!(challenge.unwrap(), format!("{bearer}, {dpop}, {algs}"));
}

#[tokio::test]
async fn elsewhere_the_guard_is_asked() {
    let issuer = Issuer::start().await;
    let watched = patient(&issuer).await;
    let guard = &watched.guard;
    let demand = Demand::signed_in_within(minutes(5));
    let token = token(&issuer, Some(NOW), None);
    let verified = guard.verify(&token).await.unwrap();
    assert_eq!(guard.require(&verified, &demand), Ok(()));
    watched.clock.advance(minutes(6));
    let refused = guard.require(&verified, &demand);
    assert_eq!(refused, Err(Denied::InsufficientUserAuthentication));
    let challenge = guard.challenge(demand.denied(), &[demand]);
    assert_eq!(challenge, again(r#", max_age="300""#).2);
    // Only the time is another one: a role asks no clock.
    let role = Demand::any_role(["user"]);
    assert_eq!(guard.require(&verified, &role), Ok(()));
}
