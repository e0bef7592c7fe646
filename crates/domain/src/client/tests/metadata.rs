//! How clients prove who they are, and what they want of tokens.

use uuid::Uuid;

use super::*;

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo";

fn set(keys: &[String]) -> String {
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

/// A key on P-256 (RFC 7515 appendix A.3) with other members behind.
fn p256(more: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#)
}

fn ed25519(kid: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{ED}","kid":"{kid}"}}"#)
}

#[test]
fn j20_no_client_is_named_like_a_user() {
    let user = "0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b";
    for id in [user, &user.to_uppercase(), &user.replace('-', "")] {
        assert_eq!(code(ClientId::chosen(id)), "client_id_reserved", "{id}");
    }
    assert_eq!(code(ClientId::chosen("Symbolon")), "client_id_reserved");
    assert_eq!(code(ClientId::chosen("shop")), "good");
    let drawn = ClientId::drawn(Uuid::parse_str(user).unwrap());
    assert_eq!(ClientId::parse(drawn.as_str()).unwrap(), drawn);
    assert!(Uuid::try_parse(drawn.as_str()).is_err());
}

#[test]
fn urls_of_documents_are_ids() {
    for good in [
        "https://app.example.com/client.json",
        "https://app.example.com/",
        "https://app.example.com:8443/a/b?v=1",
        "http://127.0.0.1:3000/client.json",
        "http://[::1]:3000/client.json",
    ] {
        let id = ClientId::parse(good).unwrap();
        assert!(id.is_document(), "{good}");
        // Nobody registers one.
        assert_eq!(code(ClientId::chosen(good)), "client_id_malformed");
    }
    let id = ClientId::parse("https://app.example.com:8443/a").unwrap();
    assert_eq!(id.document_host(), Some("app.example.com"));
    assert!(!ClientId::parse("shop").unwrap().is_document());
    let long = format!("https://app.example.com/{}", "a".repeat(1_000));
    for bad in [
        "https://app.example.com",
        "http://app.example.com/client.json",
        "http://localhost/client.json",
        "https://app.example.com/a#b",
        "https://ada@app.example.com/a",
        "https://app.example.com/../a",
        "https://app.example.com/a/%2e/b",
        "https://APP.example.com/a",
        "HTTPS://app.example.com/a",
        "https:///a",
        "https://app.example.com/a b",
        "com.example.app:/a",
        "urn:example:a",
        &long,
    ] {
        assert_eq!(code(ClientId::parse(bad)), "client_id_malformed", "{bad}");
    }
}

#[test]
fn what_the_server_calls() {
    for good in [
        "https://app.example.com/keys",
        "https://app.example.com",
        "http://127.0.0.1:3000/keys?x=1",
    ] {
        assert_eq!(EndpointUri::parse(good).unwrap().as_str(), good);
    }
    for (bad, said) in [
        ("http://app.example.com/", "endpoint_uri_insecure"),
        ("http://localhost/", "endpoint_uri_insecure"),
        ("file:///etc/passwd", "endpoint_uri_insecure"),
        ("com.example.app:/x", "endpoint_uri_insecure"),
        ("https://ada@app.example.com/", "endpoint_uri_malformed"),
        ("https://app.example.com/#x", "endpoint_uri_malformed"),
        ("https://app.example.com/../x", "endpoint_uri_malformed"),
        ("https://2130706433/", "endpoint_uri_malformed"),
        ("/keys", "endpoint_uri_malformed"),
    ] {
        assert_eq!(code(EndpointUri::parse(bad)), said, "{bad}");
    }
}

#[test]
fn keys_are_kept_as_the_server_writes_them() {
    let jwks = ClientJwks::parse(&set(&[p256(r#","kid":"a","x5t":"?""#), ed25519("b")])).unwrap();
    assert_eq!(jwks.keys().keys.len(), 2);
    assert!(!jwks.as_str().contains("x5t"), "{jwks}");
    assert_eq!(ClientJwks::parse(jwks.as_str()).unwrap(), jwks);
}

#[test]
fn k6_keys_of_clients() {
    let private = r#","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#;
    let off = p256("").replace("x_FE", "y_FE");
    let rsa = |n: &str, e: &str| format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#);
    // Odd, and with its highest bit set.
    let (short, long) = ("_".repeat(170) + "8", "_".repeat(341) + "w");
    for (keys, said) in [
        (vec![p256(private)], "jwks_private"),
        (
            vec![r#"{"kty":"oct","k":"AAAA"}"#.to_owned()],
            "jwks_private",
        ),
        (vec![ed25519("a"), ed25519("a")], "jwks_duplicate_kid"),
        (vec![p256(r#","use":"enc""#)], "jwks_key_refused"),
        (vec![p256(r#","key_ops":["sign"]"#)], "jwks_key_refused"),
        (vec![p256(r#","alg":"ES384""#)], "jwks_key_refused"),
        (vec![p256(r#","alg":"none""#)], "jwks_key_refused"),
        (vec![off], "jwks_key_refused"),
        (vec![rsa(&short, "AQAB")], "jwks_key_refused"),
        (vec![rsa(&long, "AQ")], "jwks_key_refused"),
        (vec![], "jwks_malformed"),
        (vec![p256(""); 11], "jwks_malformed"),
    ] {
        assert_eq!(code(ClientJwks::parse(&set(&keys))), said, "{keys:?}");
    }
    let huge = set(&[p256(&format!(r#","x":"{}""#, "a".repeat(20_000)))]);
    for bad in ["", "[]", "{}", "null", &p256(""), &huge] {
        assert_eq!(code(ClientJwks::parse(bad)), "jwks_malformed");
    }
}

#[test]
fn a_client_proves_who_it_is_as_it_can() {
    let of = |auth_method| ClientDefinition {
        auth_method,
        ..definition()
    };
    let fault = |pointer: &str, code| vec![(pointer.to_owned(), code)];
    let keys = ClientJwks::parse(&set(&[ed25519("a")])).unwrap();
    let at = EndpointUri::parse("https://app.example.com/keys").unwrap();
    for (method, kind, said) in [
        (AuthMethod::None, ClientType::Public, vec![]),
        (
            AuthMethod::None,
            ClientType::Confidential,
            fault("/authMethod", "auth_method_required"),
        ),
        (
            AuthMethod::ClientSecretPost,
            ClientType::Public,
            fault("/authMethod", "auth_method_needs_secret"),
        ),
        (
            AuthMethod::ClientSecretPost,
            ClientType::Confidential,
            vec![],
        ),
        (
            AuthMethod::PrivateKeyJwt,
            ClientType::Confidential,
            fault("/jwks", "keys_required"),
        ),
    ] {
        assert_eq!(faults(&of(method), kind), said, "{method} {kind}");
    }
    let mut signed = of(AuthMethod::PrivateKeyJwt);
    signed.jwks = Some(keys);
    assert_eq!(faults(&signed, ClientType::Confidential), []);
    signed.jwks_uri = Some(at);
    let twice = fault("/jwksUri", "keys_twice");
    assert_eq!(faults(&signed, ClientType::Confidential), twice);
    signed.jwks = None;
    assert_eq!(faults(&signed, ClientType::Confidential), []);
    for kind in [ClientType::Public, ClientType::Confidential] {
        let plain = ClientDefinition::new(DisplayName::parse("App").unwrap(), kind);
        assert_eq!(faults(&plain, kind), [], "what it is by itself is sound");
    }
}

#[test]
fn pairwise_subjects_are_made_for_one_host() {
    let uri = |text| RedirectUri::parse(text).unwrap();
    let mut client = Client {
        id: ClientId::parse("shop").unwrap(),
        kind: ClientType::Public,
        definition: ClientDefinition {
            subject_type: SubjectType::Pairwise,
            ..definition()
        },
        secrets: Vec::new(),
        version: 1,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    };
    assert_eq!(client.sector(), "shop");
    let uris = &mut client.definition.redirect_uris;
    uris.insert(uri("https://a.example:8443/cb"));
    uris.insert(uri("https://a.example/cb"));
    assert_eq!(client.sector(), "a.example");
    assert_eq!(faults(&client.definition, ClientType::Public), []);
    client
        .definition
        .redirect_uris
        .insert(uri("com.example.app:/cb"));
    let ambiguous = ("/subjectType".to_owned(), "sector_ambiguous");
    assert_eq!(faults(&client.definition, ClientType::Public), [ambiguous]);
    assert_eq!(uri("com.example.app:/cb").host(), "com.example.app");
    assert_eq!(uri("http://[::1]:80/cb").host(), "[::1]");
}

#[test]
fn an_id_token_is_for_everybody_to_verify() {
    let mut shop = definition();
    shop.id_token_alg = Some(symbolon_token::Algorithm::Rs256);
    assert_eq!(faults(&shop, ClientType::Public), []);
    shop.id_token_alg = Some(symbolon_token::Algorithm::Hs256);
    let refused = ("/idTokenAlg".to_owned(), "id_token_alg_symmetric");
    assert_eq!(faults(&shop, ClientType::Public), [refused]);
}

#[test]
fn grants_have_a_name_on_the_wire() {
    for grant in Grant::ALL {
        assert_eq!(Grant::of_grant_type(grant.grant_type()), Some(*grant));
    }
    assert_eq!(
        Grant::DeviceCode.grant_type(),
        "urn:ietf:params:oauth:grant-type:device_code"
    );
    for unknown in ["device_code", "token_exchange", "password", "implicit", ""] {
        assert_eq!(Grant::of_grant_type(unknown), None, "{unknown}");
    }
}
