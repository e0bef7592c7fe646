//! A server with two clients, and somebody who is signed in and has agreed.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use symbolon::flows::{Origin, actor::Actor, clients};
use symbolon_domain::{
    ClientDefinition, ClientId, ClientType, DisplayName, Grant, RedirectUri, Scope,
};

use super::Subject;
use crate::{
    Run,
    load::{Answer, Caller},
    process::{Folder, Place, Server, call},
    seed,
};

/// RFC 7636 appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The body of an exchange, up to the code.
pub const EXCHANGE: &str = "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fweb.example%2Fcb&\
    code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&code=";
const PASSWORD: &str = "correct horse battery staple";

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

/// Ours.
pub fn symbolon(run: &Run, folder: &Folder) -> Result<Subject> {
    let (robot, web) = made(folder)?;
    let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
    let person = format!("{{\"email\":\"ada@example.com\",\"password\":\"{PASSWORD}\"}}");
    let registered = call(server.address, "POST /api/register", &person)?;
    ensure!(registered.status == 201, "{:?}", registered.json());
    let mut caller = Caller::connect(server.address)?;
    let cookie = signed_in(&mut caller)?;
    let client_credentials = form(
        ("robot", &robot),
        "/oauth/token",
        "grant_type=client_credentials",
    );
    let answer = caller.call(&client_credentials)?;
    ensure!(answer.status == 200, "{}", answer.text());
    let tokens: Value = serde_json::from_slice(answer.body)?;
    let token = tokens.get("access_token").and_then(Value::as_str);
    let about = format!("token={}", token.context("no access token")?);
    Ok(Subject {
        client_credentials,
        introspection: form(("robot", &robot), "/oauth/introspect", &about),
        authorize: get(&format!("/oauth/authorize?{}", question()), &cookie),
        exchange: head(("web", &web), "/oauth/token").into_bytes(),
        server,
    })
}

/// The clients' secrets.
fn made(folder: &Folder) -> Result<(String, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let app = seed::open(folder.path()).await?;
        let robot = client(&app, "robot", &[Grant::ClientCredentials]).await?;
        let web = client(
            &app,
            "web",
            &[Grant::AuthorizationCode, Grant::RefreshToken],
        )
        .await?;
        app.store.close().await;
        Ok((robot, web))
    })
}

async fn client(app: &symbolon::app::App, name: &str, grants: &[Grant]) -> Result<String> {
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
    Ok(added?.1.expose().to_owned())
}

/// Signs in on the pages and agrees: the cookie.
fn signed_in(caller: &mut Caller) -> Result<String> {
    let path = format!("/oauth/authorize?{}", question());
    let interaction = interaction_in(&caller.call(&get(&path, ""))?)?;
    let body = format!(
        "interaction={interaction}&identifier=ada%40example.com&password={}",
        PASSWORD.replace(' ', "+")
    );
    let answer = caller.call(&page("/oauth/sign-in", "", &body))?;
    let head = String::from_utf8_lossy(answer.head).into_owned();
    let line = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned());
        found.last().with_context(|| format!("no {name}: {head}"))
    };
    let cookie = line("set-cookie")?;
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let interaction = interaction_in(&caller.call(&get(&line("location")?, &cookie))?)?;
    let body = format!("interaction={interaction}&decision=allow");
    let answer = caller.call(&page("/oauth/consent", &cookie, &body))?;
    super::code_in(&answer)?;
    Ok(cookie)
}

pub fn get(path: &str, cookie: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\ncookie: {cookie}\r\n\r\n").into_bytes()
}

fn page(path: &str, cookie: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncookie: {cookie}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn interaction_in(answer: &Answer<'_>) -> Result<String> {
    let text = String::from_utf8_lossy(answer.body);
    let rest = text
        .split_once("name=\"interaction\" value=\"")
        .map(|(_, rest)| rest);
    let value = rest
        .and_then(|rest| rest.split_once('"'))
        .map(|(value, _)| value.to_owned());
    value.with_context(|| format!("no form: {}", answer.text()))
}
