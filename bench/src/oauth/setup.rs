//! A server with two clients, and somebody who is signed in and has agreed.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use symbolon::{
    app::App,
    flows::{Origin, actor::Actor, clients, oauth::browser},
};
use symbolon_domain::oauth::{Agreement, Consent, Scopes};
use symbolon_domain::{
    ClientDefinition, ClientId, ClientType, DisplayName, Grant, RedirectUri, Scope, SignInMethod,
};

use super::Subject;
use crate::{
    Run,
    load::{Answer, Caller},
    peers::installed,
    process::{Folder, Place, Server},
    seed::{self, Seeded},
};

/// RFC 7636 appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The body of an exchange, up to the code.
pub const EXCHANGE: &str = "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fweb.example%2Fcb&\
    code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&code=";
/// Who signs in in turn: so many that nobody has more sessions than one may have.
const PEOPLE: u32 = 1_000;

/// What the authorization endpoint is asked, behind its path.
pub fn question() -> String {
    format!(
        "client_id=web&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fweb.example%2Fcb&\
         code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

/// A form that is posted with a client's secret.
pub fn form((client, secret): (&str, &str), path: &str, body: &str) -> Vec<u8> {
    let head = head((client, secret), path);
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The same up to the length of its body.
pub fn head((client, secret): (&str, &str), path: &str) -> String {
    let basic = base64_simd::STANDARD.encode_to_string(format!("{client}:{secret}"));
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Basic {basic}\r\n\
         content-type: application/x-www-form-urlencoded\r\n"
    )
}

/// Ours, with the sessions that its folder has.
pub fn symbolon(run: &Run, folder: &Folder) -> Result<(Subject, Seeded)> {
    signing_with(run, folder, "ES256")
}

/// The same, whose tokens are signed with another algorithm.
pub fn signing_with(run: &Run, folder: &Folder, algorithm: &str) -> Result<(Subject, Seeded)> {
    let seeded = Seeded::create(folder.path(), u64::from(PEOPLE) * 5)?;
    let (robot, web, cookies) = made(folder)?;
    let mut settings = installed::preloaded(run);
    settings.push(("SYMBOLON_TOKENS__ALGORITHM", algorithm));
    if algorithm != "ES256" {
        let mut rotate = Command::new(&run.server);
        rotate.args(["key", "rotate", "--now", "--data"]);
        rotate.arg(folder.path()).envs(settings.iter().copied());
        ensure!(rotate.output()?.status.success(), "key rotate");
    }
    let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &settings)?;
    let mut caller = Caller::connect(server.address)?;
    let client_credentials = form(
        ("robot", &robot),
        "/oauth/token",
        "grant_type=client_credentials",
    );
    let answer = caller.call(&client_credentials)?;
    ensure!(answer.status == 200, "{}", answer.text());
    ensure!(signed_with(&answer)? == algorithm, "signed otherwise");
    let path = format!("/oauth/authorize?{}", question());
    let authorize = cookies.iter().map(|cookie| get(&path, cookie));
    let subject = Subject {
        introspection: form(("robot", &robot), "/oauth/introspect", &about(&answer)?),
        authorize: authorize.collect(),
        signed: client_credentials.clone(),
        exchange: head(("web", &web), "/oauth/token").into_bytes(),
        client_credentials,
        server,
    };
    Ok((subject, seeded))
}

/// The question about the access token in an answer.
pub fn about(answer: &Answer<'_>) -> Result<String> {
    Ok(format!("token={}", token(answer)?))
}

fn token(answer: &Answer<'_>) -> Result<String> {
    let tokens: Value = serde_json::from_slice(answer.body)?;
    let token = tokens.get("access_token").and_then(Value::as_str);
    Ok(token.context("no access token")?.to_owned())
}

/// The algorithm that its header names.
fn signed_with(answer: &Answer<'_>) -> Result<String> {
    let token = token(answer)?;
    let header = token.split('.').next().unwrap_or_default();
    let header = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(header)?;
    let header: Value = serde_json::from_slice(&header)?;
    let algorithm = header.get("alg").and_then(Value::as_str);
    Ok(algorithm.context("no algorithm")?.to_owned())
}

/// The clients' secrets, and people's cookies.
fn made(folder: &Folder) -> Result<(String, String, Vec<String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let app = seed::open(folder.path()).await?;
        let (_, robot) = client(&app, "robot", &[Grant::ClientCredentials]).await?;
        let (web, secret) = client(
            &app,
            "web",
            &[Grant::AuthorizationCode, Grant::RefreshToken],
        )
        .await?;
        let cookies = people(&app, &web).await?;
        app.store.close().await;
        Ok((robot, secret, cookies))
    })
}

async fn client(app: &App, name: &str, grants: &[Grant]) -> Result<(ClientId, String)> {
    let wrong = |problem: symbolon_domain::Problem| anyhow::anyhow!(problem.detail);
    let id = ClientId::parse(name).map_err(wrong)?;
    let label = DisplayName::parse(name).map_err(wrong)?;
    let mut definition = ClientDefinition::new(label, ClientType::Confidential);
    definition.grants = grants.iter().copied().collect();
    if grants.contains(&Grant::AuthorizationCode) {
        let uri = RedirectUri::parse("https://web.example/cb").map_err(wrong)?;
        definition.redirect_uris.insert(uri);
        definition
            .scopes
            .insert(Scope::parse("openid").map_err(wrong)?);
    }
    let new = clients::New {
        id: Some(id.clone()),
        kind: ClientType::Confidential,
        definition,
    };
    clients::create(app, Actor::Operator, &new, &Origin::default()).await?;
    let added = clients::add_secret(app, Actor::Operator, (&id, None), &Origin::default()).await;
    Ok((id.clone(), added?.1.expose().to_owned()))
}

/// People who have signed in and agreed: their cookies.
async fn people(app: &App, client: &ClientId) -> Result<Vec<String>> {
    let scopes = Scopes::parse("openid").map_err(|error| anyhow::anyhow!(error))?;
    // Where they signed in before, so that nobody is written to about a new device.
    let origin = Origin {
        address: Some(seed::ADDRESS.parse()?),
        user_agent: Some(seed::USER_AGENT.to_owned()),
        ..Origin::default()
    };
    let mut cookies = Vec::new();
    for user in app.store.list_users(PEOPLE, None).await? {
        let now = app.clock.now();
        let mut batch = app.store.batch();
        batch.put_consent(&Consent {
            user: user.id,
            client: client.clone(),
            agreement: Agreement::default().with(&[], &scopes),
            version: 0,
            created_at: now,
            updated_at: now,
        });
        batch.commit().await?;
        let known = browser::Known {
            user,
            method: SignInMethod::Upstream,
            identity: None,
        };
        let begun = browser::begin_known(app, known, None, &origin).await?;
        cookies.push(format!("symbolon={}", *begun.secret));
    }
    Ok(cookies)
}

pub fn get(path: &str, cookie: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\ncookie: {cookie}\r\n\r\n").into_bytes()
}
