//! Access tokens of other keys (SECURITY rows J2, J3, J16, K).

use aws_lc_rs::hmac;
use futures_util::FutureExt;
use serde_json::json;
use symbolon::flows::actor::Actor;
use symbolon::flows::keys;
use symbolon_token::{SigningKey, Typ, encoding};
use tokio::net::TcpListener;

use super::{ready, refused, segment, signed, with};
use crate::app::TestApp;
use crate::people::header;

/// The fixed front of a P-256 `SubjectPublicKeyInfo` (RFC 5480), up to the coordinates.
const P256_SPKI: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

#[tokio::test]
async fn j2_j3_hmac_keyed_with_what_everybody_knows() {
    let (app, _, head, claims) = ready().await;
    let keys = app.get("/.well-known/jwks.json").send().await;
    let jwk = keys.json()["keys"][0].clone();
    let mut der = P256_SPKI.to_vec();
    for coordinate in ["x", "y"] {
        der.extend(encoding::decode(jwk[coordinate].as_str().unwrap().as_bytes()).unwrap());
    }
    let base64 = base64_simd::STANDARD.encode_to_string(&der);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n",
        &base64[..64],
        &base64[64..]
    );
    let kid = head["kid"].as_str().unwrap();
    let json = jwk.to_string();
    let secrets: [&[u8]; 7] = [
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        &der,
        &der[26..],
        json.as_bytes(),
        kid.as_bytes(),
        b"",
    ];
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        for kid in [json!(kid), json!("unknown"), json!(null)] {
            let head = with(&with(&head, "alg", json!("HS256")), "kid", kid).to_string();
            let input = format!("{}.{}", segment(&head), segment(&claims.to_string()));
            let signature = encoding::encode(hmac::sign(&key, input.as_bytes()).as_ref());
            refused(&app, &format!("{input}.{signature}")).await;
        }
    }
}

#[tokio::test]
async fn k1_k2_keys_that_the_token_brings_along() {
    let (app, _, head, claims) = ready().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = json!(format!("http://{}/keys", listener.local_addr().unwrap()));
    let own = SigningKey::generate(symbolon_token::Algorithm::Es256).unwrap();
    let jwk = serde_json::to_value(own.public_jwk().unwrap()).unwrap();
    let kids = [
        head["kid"].clone(),
        json!(own.kid()),
        url.clone(),
        json!("../../etc/passwd"),
        json!("' OR 1=1 --"),
    ];
    for kid in kids {
        let named = with(&head, "kid", kid);
        for member in ["jwk", "jku", "x5u", "x5c"] {
            let value = if member == "jwk" {
                jwk.clone()
            } else {
                url.clone()
            };
            let header = with(&named, member, value).to_string();
            refused(
                &app,
                &own.sign_raw(header.as_bytes(), claims.to_string().as_bytes())
                    .unwrap(),
            )
            .await;
        }
        let header = named.to_string();
        refused(
            &app,
            &own.sign_raw(header.as_bytes(), claims.to_string().as_bytes())
                .unwrap(),
        )
        .await;
    }
    assert!(listener.accept().now_or_never().is_none(), "nobody called");
}

#[tokio::test]
async fn k4_keys_are_for_one_algorithm_and_another_server_is_another_issuer() {
    let (app, _, head, claims) = ready().await;
    for alg in ["EdDSA", "RS256", "PS256", "HS256", "ES384"] {
        refused(
            &app,
            &signed(&app, &with(&head, "alg", json!(alg)), &claims),
        )
        .await;
    }
    let other = TestApp::of_seed(99).await;
    refused(&app, &other.user().await.access).await;
}

#[tokio::test]
async fn j16_a_retired_key_verifies_nothing_once_its_tokens_are_dead() {
    let (app, device, head, claims) = ready().await;
    let issuance = app.app.issuance().unwrap();
    let old = {
        let ring = issuance.ring.load();
        let key = ring.signer(app.clock.now()).unwrap();
        SigningKey::from_private_bytes(key.algorithm(), key.kid(), &key.to_private_bytes().unwrap())
            .unwrap()
    };
    keys::rotate(
        &app.app,
        Actor::Operator,
        &issuance.master,
        true,
        &Default::default(),
    )
    .await
    .unwrap();
    keys::reload(&app.app).await.unwrap();
    app.profile(&device.access).await.expect(200);
    app.wait(2 * 3600);
    // What the purge does every minute.
    issuance
        .guard
        .set_keys(issuance.ring.load().key_set(app.clock.now()).unwrap());
    let claims = with(&claims, "exp", json!(app.now_seconds() + 60));
    refused(
        &app,
        &old.sign_raw(head.to_string().as_bytes(), claims.to_string().as_bytes())
            .unwrap(),
    )
    .await;
    let next = app.refreshed(&device).await;
    assert_ne!(header(&next.access)["kid"], head["kid"]);
    app.profile(&next.access).await.expect(200);
}

#[tokio::test]
async fn a_withdrawn_key_takes_its_tokens_along_at_once() {
    let (app, device, head, _) = ready().await;
    let issuance = app.app.issuance().unwrap();
    let kid = head["kid"].as_str().unwrap();
    keys::withdraw(
        &app.app,
        Actor::Operator,
        &issuance.master,
        kid,
        &Default::default(),
    )
    .await
    .unwrap();
    let answer = app.profile(&device.access).await;
    assert!(answer.status == 401, "{answer:?}");
    keys::reload(&app.app).await.unwrap();
    assert_eq!(app.profile(&device.access).await.status, 401);
    let next = app.refreshed(&device).await;
    app.profile(&next.access).await.expect(200);
    let published = app
        .get("/.well-known/jwks.json")
        .send()
        .await
        .text()
        .to_owned();
    assert!(!published.contains(kid), "{published}");
}

#[tokio::test]
async fn tokens_of_the_own_key_are_signed_as_the_profile_says() {
    let (app, _, _, claims) = ready().await;
    let issuance = app.app.issuance().unwrap();
    let token = {
        let ring = issuance.ring.load();
        ring.signer(app.clock.now())
            .unwrap()
            .sign(Typ::AtJwt, &claims)
            .unwrap()
    };
    app.profile(&token).await.expect(200);
}

#[tokio::test]
async fn x5_a_rotation_at_the_same_time_does_not_save_a_leaked_key() {
    for _ in 0..10 {
        let (app, device, head, _) = ready().await;
        let issuance = app.app.issuance().unwrap();
        let (kid, origin) = (head["kid"].as_str().unwrap(), Default::default());
        let (_rotated, withdrawn) = tokio::join!(
            keys::rotate(&app.app, Actor::Operator, &issuance.master, true, &origin),
            keys::withdraw(&app.app, Actor::Operator, &issuance.master, kid, &origin),
        );
        withdrawn.unwrap();
        keys::reload(&app.app).await.unwrap();
        assert_eq!(app.profile(&device.access).await.status, 401);
        let next = app.refreshed(&device).await;
        app.profile(&next.access).await.expect(200);
    }
}

#[tokio::test]
async fn k7_a_key_is_replaced_once_it_has_signed_for_long_enough() {
    const DAY: u64 = 24 * 3600;
    let app = TestApp::start().await;
    assert!(!keys::rotate_by_age(&app.app).await.unwrap());
    app.wait(90 * DAY - 1);
    assert!(!keys::rotate_by_age(&app.app).await.unwrap());
    app.wait(1);
    assert!(keys::rotate_by_age(&app.app).await.unwrap());
    assert!(!keys::rotate_by_age(&app.app).await.unwrap(), "twice");
    let parts = async || {
        let all = keys::list(&app.app).await.unwrap();
        let signing = all.iter().filter(|key| key.row.purpose == "sign");
        let mut parts: Vec<_> = signing.map(|key| key.part).collect();
        parts.sort_unstable();
        parts
    };
    assert_eq!(parts().await, ["published", "signing"]);
    app.wait(keys::PUBLISH_LEAD.as_secs());
    assert_eq!(parts().await, ["retired", "signing"]);
    for settings in [("tokens.rotate_keys", "0s"), ("tokens.algorithm", "HS256")] {
        let app = TestApp::with(&[settings]).await;
        app.wait(1000 * DAY);
        assert!(
            !keys::rotate_by_age(&app.app).await.unwrap(),
            "{settings:?}"
        );
    }
}
