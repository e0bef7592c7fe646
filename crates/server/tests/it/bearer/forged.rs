//! Access tokens that are nearly right (SECURITY rows J).

use serde_json::json;
use symbolon_token::encoding;

use super::{joined, ready, refused, segment, signed, with, without};

#[tokio::test]
async fn j1_alg_none() {
    let (app, device, head, claims) = ready().await;
    let signature = device.access.split('.').nth(2).unwrap();
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!(""),
        json!(null),
        json!(["ES256"]),
        json!("ES512"),
    ] {
        let head = with(&head, "alg", alg).to_string();
        refused(&app, &joined(&head, &claims, b"")).await;
        refused(
            &app,
            &format!(
                "{}.{}.{signature}",
                segment(&head),
                segment(&claims.to_string())
            ),
        )
        .await;
    }
    refused(
        &app,
        &joined(&without(&head, "alg").to_string(), &claims, b""),
    )
    .await;
}

#[tokio::test]
async fn j4_critical_extensions() {
    let (app, _, head, claims) = ready().await;
    for crit in [
        json!(["x"]),
        json!([]),
        json!(["alg"]),
        json!("exp"),
        json!(null),
    ] {
        refused(&app, &signed(&app, &with(&head, "crit", crit), &claims)).await;
    }
    refused(
        &app,
        &signed(&app, &with(&head, "b64", json!(false)), &claims),
    )
    .await;
}

#[tokio::test]
async fn j5_j6_times_that_are_none() {
    let (app, _, head, claims) = ready().await;
    let now = app.now_seconds();
    let odd = [
        json!("9999999999"),
        json!(true),
        json!(null),
        json!([now + 60]),
        json!({"at": now}),
    ];
    for member in ["exp", "iat", "nbf"] {
        for value in &odd {
            refused(
                &app,
                &signed(&app, &head, &with(&claims, member, value.clone())),
            )
            .await;
        }
    }
    refused(
        &app,
        &signed(&app, &head, &with(&claims, "nbf", json!(now + 61))),
    )
    .await;
    refused(
        &app,
        &signed(&app, &head, &with(&claims, "iat", json!(now + 61))),
    )
    .await;
    let endless = claims
        .to_string()
        .replace(&claims["exp"].to_string(), "1e400");
    let issuance = app.app.issuance().unwrap();
    let token = {
        let ring = issuance.ring.load();
        ring.signer(app.clock.now())
            .unwrap()
            .sign_raw(head.to_string().as_bytes(), endless.as_bytes())
            .unwrap()
    };
    refused(&app, &token).await;
    for member in ["exp", "iat", "sub", "jti", "aud", "iss", "sid"] {
        refused(&app, &signed(&app, &head, &without(&claims, member))).await;
    }
    let expired = signed(&app, &head, &with(&claims, "exp", json!(now - 61)));
    app.profile(&expired).await.problem(401, "token_expired");
}

#[tokio::test]
async fn j6_a_token_dies_on_time() {
    let (app, device, ..) = ready().await;
    app.wait(899);
    app.profile(&device.access).await.expect(200);
    app.wait(1);
    let answer = app.profile(&device.access).await;
    answer.problem(401, "token_expired");
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .contains(r#"error="invalid_token""#)
    );
}

#[tokio::test]
async fn j7_j8_another_audience_or_issuer() {
    let (app, _, head, claims) = ready().await;
    let own = claims["iss"].as_str().unwrap().to_owned();
    let mut others = vec![
        json!("https://other.example"),
        json!(""),
        json!(null),
        json!([]),
        json!([1]),
        json!({}),
    ];
    others.extend([
        json!(own[..own.len() - 1]),
        json!(format!("{own}/")),
        json!(own.to_uppercase()),
        json!([own, 7]),
    ]);
    for value in others {
        refused(
            &app,
            &signed(&app, &head, &with(&claims, "aud", value.clone())),
        )
        .await;
        refused(&app, &signed(&app, &head, &with(&claims, "iss", value))).await;
    }
    refused(
        &app,
        &signed(&app, &head, &with(&claims, "iss", json!([own]))),
    )
    .await;
}

#[tokio::test]
async fn j9_refresh_token_as_access_token_and_other_kinds_of_token() {
    let (app, device, head, claims) = ready().await;
    refused(&app, &device.refresh).await;
    for typ in [
        json!("JWT"),
        json!("dpop+jwt"),
        json!("logout+jwt"),
        json!("secevent+jwt"),
        json!(""),
        json!(null),
        json!(7),
    ] {
        refused(&app, &signed(&app, &with(&head, "typ", typ), &claims)).await;
    }
    refused(&app, &signed(&app, &without(&head, "typ"), &claims)).await;
    // A token of a client, with no session and no person behind it.
    refused(
        &app,
        &signed(&app, &head, &with(&claims, "sub", json!("client-1"))),
    )
    .await;
    refused(
        &app,
        &signed(&app, &head, &with(&claims, "sid", json!("not a session"))),
    )
    .await;
}

#[tokio::test]
async fn j11_misshapen_and_oversized_tokens() {
    let (app, device, ..) = ready().await;
    let parts: Vec<&str> = device.access.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    for token in [
        format!("{head}.{body}"),
        format!("{head}.{body}."),
        format!(".{body}.{signature}"),
        format!("{head}..{signature}"),
        format!("{head}.{body}.{signature}."),
        format!("{head}.{body}.{signature}.x.y"),
        format!("{head}.{body}.{signature}="),
        format!("{head}.{body}.{signature}AA"),
        format!("{head}.{body}.{}", &signature[1..]),
        ".".repeat(20_000),
        "A".repeat(20_000),
    ] {
        refused(&app, &token).await;
    }
    let json = format!(r#"{{"payload":"{body}","protected":"{head}","signature":"{signature}"}}"#);
    refused(&app, &json).await;
    app.profile(&"A".repeat(64 * 1024)).await.expect(431);
}

#[tokio::test]
async fn j13_signatures_that_are_none() {
    let (app, device, head, claims) = ready().await;
    let signature = encoding::decode(device.access.split('.').nth(2).unwrap().as_bytes()).unwrap();
    let mut forged = vec![
        vec![0; 64],
        vec![0xff; 64],
        signature[..63].to_vec(),
        [signature.as_slice(), &[0]].concat(),
    ];
    forged.push(
        [
            &[0x30, 0x44, 0x02, 0x20],
            &signature[..32],
            &[0x02, 0x20],
            &signature[32..],
        ]
        .concat(),
    );
    for at in [0, 31, 32, 63] {
        let mut flipped = signature.clone();
        flipped[at] ^= 1;
        forged.push(flipped);
    }
    for bytes in forged {
        refused(&app, &joined(&head.to_string(), &claims, &bytes)).await;
    }
    let admin = with(&claims, "roles", json!(["admin"]));
    refused(&app, &joined(&head.to_string(), &admin, &signature)).await;
    app.profile(&device.access).await.expect(200);
}

#[tokio::test]
async fn j10_j19_encrypted_tokens() {
    let (app, _, head, claims) = ready().await;
    let five = format!(
        "{}.AA.AA.AA.AA",
        segment(r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648}"#)
    );
    refused(&app, &five).await;
    refused(
        &app,
        &signed(&app, &with(&head, "enc", json!("A128GCM")), &claims),
    )
    .await;
}

#[tokio::test]
async fn duplicate_members_are_refused() {
    let (app, _, head, claims) = ready().await;
    let issuance = app.app.issuance().unwrap();
    let sign = |head: &str, claims: &str| {
        let ring = issuance.ring.load();
        ring.signer(app.clock.now())
            .unwrap()
            .sign_raw(head.as_bytes(), claims.as_bytes())
            .unwrap()
    };
    let (head, claims) = (head.to_string(), claims.to_string());
    refused(
        &app,
        &sign(&head.replacen('{', r#"{"alg":"ES256","#, 1), &claims),
    )
    .await;
    refused(
        &app,
        &sign(&head, &claims.replacen('{', r#"{"exp":9999999999,"#, 1)),
    )
    .await;
}
