//! Access tokens that are bound to a key: how they are made, and on our own routes (RFC 9449; SECURITY rows D1, D3, D4).

use base64_simd::STANDARD;
use serde_json::json;
use symbolon::flows::dpop::{self, Sent};
use symbolon_domain::Refusal;
use symbolon_token::dpop::Draft;
use symbolon_token::{Algorithm, SigningKey};

use super::{signed, with};
use crate::app::{START, TestApp};
use crate::client::{Answer, Request};
use crate::people::{Device, claims, header};

pub const PROFILE: &str = "/api/user/profile";

/// A client with a key of its own.
pub struct Client(SigningKey);

impl Client {
    pub fn new() -> Self {
        Self(SigningKey::generate(Algorithm::EdDsa).unwrap())
    }

    pub fn jkt(&self) -> String {
        self.0.public_jwk().unwrap().thumbprint()
    }

    /// The device's token, bound to the key.
    pub fn token(&self, app: &TestApp, device: &Device) -> String {
        let claims = with(&claims(&device.access), "cnf", json!({"jkt": self.jkt()}));
        signed(app, &header(&device.access), &claims)
    }

    fn draft<'a>(jti: &'a str, method: &'a str, uri: &'a str) -> Draft<'a> {
        Draft {
            jti,
            method,
            uri,
            iat_seconds: START.seconds(),
            access_token: None,
            nonce: None,
        }
    }

    /// A proof for a request to the token endpoint.
    pub fn proof(&self, app: &TestApp, jti: &str) -> String {
        let uri = format!("{}/oauth/token", issuer(app));
        Self::draft(jti, "POST", &uri).sign(&self.0).unwrap()
    }

    /// A proof for userinfo with a token.
    pub fn proof_with(&self, app: &TestApp, jti: &str, token: &str) -> String {
        let uri = format!("{}/oauth/userinfo", issuer(app));
        let draft = Draft {
            access_token: Some(token),
            ..Self::draft(jti, "GET", &uri)
        };
        draft.sign(&self.0).unwrap()
    }

    /// Asks for the profile with a good proof.
    pub fn get(&self, app: &TestApp, token: &str, jti: &str, nonce: Option<&str>) -> Request {
        let uri = format!("{}{PROFILE}", issuer(app));
        let draft = Draft {
            access_token: Some(token),
            nonce,
            ..Self::draft(jti, "GET", &uri)
        };
        presented(app, token).header("dpop", &draft.sign(&self.0).unwrap())
    }
}

/// A client of the server that acts for itself: the value of its header `Authorization`.
async fn robot(app: &TestApp, admin: &Device) -> String {
    let definition = json!({
        "id": "robot", "type": "confidential", "name": "Robot", "grants": ["client_credentials"]
    });
    app.oauth_client(admin, &definition).await;
    let (_, secret) = app.client_secret(admin, "robot").await;
    format!(
        "Basic {}",
        STANDARD.encode_to_string(format!("robot:{secret}"))
    )
}

/// A request for a token, with these proofs.
async fn ask(app: &TestApp, authorization: &str, proofs: &[&str]) -> Answer {
    let mut request = app
        .post("/oauth/token")
        .header("authorization", authorization);
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .send()
        .await
}

fn presented(app: &TestApp, token: &str) -> Request {
    app.get(PROFILE)
        .header("authorization", &format!("DPoP {token}"))
}

fn issuer(app: &TestApp) -> String {
    app.app.issuance().unwrap().issuer.clone()
}

#[tokio::test]
async fn d1_a_proof_is_good_once() {
    let app = TestApp::start().await;
    let client = Client::new();
    let token = client.token(&app, &app.user().await);
    client.get(&app, &token, "1", None).send().await.expect(200);
    let again = client.get(&app, &token, "1", None).send().await;
    again.problem(401, "invalid_dpop_proof");
    let challenge = again.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"DPoP error="invalid_dpop_proof""#)
            && challenge.ends_with(r#"algs="ES256 EdDSA RS256 PS256""#),
        "{challenge}"
    );
    client.get(&app, &token, "2", None).send().await.expect(200);
}

#[tokio::test]
async fn d1_one_proof_for_this_request() {
    let app = TestApp::start().await;
    let client = Client::new();
    let token = client.token(&app, &app.user().await);
    let none = presented(&app, &token).send().await;
    none.problem(401, "invalid_dpop_proof");
    let (base, other) = (issuer(&app), Client::new());
    let (here, there) = (format!("{base}{PROFILE}"), format!("{base}/api/sessions"));
    for (jti, method, uri, key) in [
        ("1", "POST", here.as_str(), &client),
        ("2", "GET", there.as_str(), &client),
        ("3", "GET", PROFILE, &client),
    ] {
        let draft = Draft {
            access_token: Some(&token),
            ..Client::draft(jti, method, uri)
        };
        let proof = draft.sign(&key.0).unwrap();
        let answer = presented(&app, &token).header("dpop", &proof).send().await;
        answer.problem(401, "invalid_dpop_proof");
    }
    let stolen = other.get(&app, &token, "4", None).send().await;
    stolen.problem(401, "invalid_token");
    let request = client.get(&app, &token, "5", None);
    let twice = request.clone().header("dpop", "x").send().await;
    twice.problem(401, "invalid_dpop_proof");
    request.send().await.expect(200);
}

#[tokio::test]
async fn d3_the_scheme_is_that_of_the_token() {
    let app = TestApp::start().await;
    let client = Client::new();
    let device = app.user().await;
    let token = client.token(&app, &device);
    app.profile(&token).await.problem(401, "invalid_token");
    let unbound = client.get(&app, &device.access, "1", None).send().await;
    unbound.problem(401, "invalid_token");
    // Forward authentication is asked on behalf of another request.
    let verify = app.get("/api/verify").bearer(&token).send().await;
    verify.problem(401, "invalid_token");
    let verify = app.get("/api/verify");
    let verify = verify.header("authorization", &format!("DPoP {token}"));
    verify.send().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn d3_a_nonce_comes_with_the_refusal() {
    let app = TestApp::with(&[("oauth.dpop_nonce", "true")]).await;
    let client = Client::new();
    let token = client.token(&app, &app.user().await);
    let refused = client.get(&app, &token, "1", None).send().await;
    refused.problem(401, "use_dpop_nonce");
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"DPoP error="use_dpop_nonce""#),
        "{challenge}"
    );
    let nonce = refused.header("dpop-nonce").unwrap().to_owned();
    let answer = client.get(&app, &token, "1", Some(&nonce)).send().await;
    answer.expect(200);
    app.wait(120);
    assert!(dpop::nonce(&app.app, app.clock.now()).is_some_and(|next| next != nonce));
}

#[tokio::test]
async fn d4_no_header_moves_the_address() {
    let app = TestApp::start().await;
    let client = Client::new();
    let token = client.token(&app, &app.user().await);
    for (number, name) in ["x-forwarded-host", "x-forwarded-proto", "forwarded", "host"]
        .into_iter()
        .enumerate()
    {
        let good = client.get(&app, &token, &number.to_string(), None);
        good.header(name, "evil.example").send().await.expect(200);
        let uri = format!("https://evil.example{PROFILE}");
        let draft = Draft {
            access_token: Some(&token),
            ..Client::draft(name, "GET", &uri)
        };
        let proof = draft.sign(&client.0).unwrap();
        let request = presented(&app, &token).header("dpop", &proof);
        let answer = request.header(name, "evil.example").send().await;
        answer.problem(401, "invalid_dpop_proof");
    }
}

#[tokio::test]
async fn d1_a_request_for_tokens_names_its_key() {
    let app = TestApp::start().await;
    let client = Client::new();
    let now = app.clock.now();
    let path = "/oauth/token";
    let bound = |proofs: &[&str], method| {
        let sent = Sent {
            proofs,
            method,
            path,
        };
        dpop::bound(&app.app, &sent, now)
    };
    assert_eq!(bound(&[], "POST").unwrap(), None);
    let uri = format!("{}{path}", issuer(&app));
    let proof = Client::draft("1", "POST", &uri).sign(&client.0).unwrap();
    let invalid = |result: Result<_, symbolon::flows::Error>| {
        assert!(matches!(
            result,
            Err(symbolon::flows::Error::Refused(Refusal::InvalidProof))
        ));
    };
    invalid(bound(&[&proof, &proof], "POST"));
    invalid(bound(&[&proof], "GET"));
    invalid(bound(&["nonsense"], "POST"));
    let jkt = bound(&[&proof], "POST").unwrap().unwrap();
    assert_eq!(jkt.to_string(), client.jkt());
    invalid(bound(&[&proof], "POST"));
}

#[tokio::test]
async fn d1_a_token_is_bound_to_the_key_of_the_proof() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let robot = robot(&app, &admin).await;
    let (client, uri) = (Client::new(), format!("{}/oauth/token", issuer(&app)));
    let plain = ask(&app, &robot, &[]).await.expect(200).json();
    assert_eq!(plain["token_type"], "Bearer");
    assert!(claims(plain["access_token"].as_str().unwrap())["cnf"].is_null());
    let proof = Client::draft("1", "POST", &uri).sign(&client.0).unwrap();
    let bound = ask(&app, &robot, &[&proof]).await.expect(200).json();
    assert_eq!(bound["token_type"], "DPoP");
    let claims = claims(bound["access_token"].as_str().unwrap());
    assert_eq!(claims["cnf"], json!({"jkt": client.jkt()}));
    let other = Client::draft("2", "POST", "https://evil.example/oauth/token");
    let other = other.sign(&client.0).unwrap();
    let fresh = Client::draft("3", "POST", &uri).sign(&client.0).unwrap();
    for proofs in [&[proof.as_str()][..], &[&other], &["x"], &[&fresh, &other]] {
        let answer = ask(&app, &robot, proofs).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"], "invalid_dpop_proof");
    }
}

#[tokio::test]
async fn d3_the_token_endpoint_gives_its_nonce_with_the_refusal() {
    let app = TestApp::with(&[("oauth.dpop_nonce", "true")]).await;
    let admin = app.admin().await;
    let robot = robot(&app, &admin).await;
    let (client, uri) = (Client::new(), format!("{}/oauth/token", issuer(&app)));
    let draft = Client::draft("1", "POST", &uri);
    let proof = draft.sign(&client.0).unwrap();
    let refused = ask(&app, &robot, &[&proof]).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (400, &json!("use_dpop_nonce"))
    );
    let nonce = Some(refused.header("dpop-nonce").unwrap());
    let proof = Draft { nonce, ..draft }.sign(&client.0).unwrap();
    let bound = ask(&app, &robot, &[&proof]).await;
    assert_eq!(bound.expect(200).json()["token_type"], "DPoP");
    assert!(bound.header("dpop-nonce").is_some());
}
