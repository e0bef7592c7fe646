//! Another server of the same kind, where it is installed.

use anyhow::{Result, ensure};

use super::Subject;
use super::setup::{about, form, get, head, question};
use crate::{
    Run,
    load::Caller,
    peers::installed,
    process::{Place, Server},
};

const SECRET: &str = "a-secret-of-a-benchmark-that-is-long-enough";

/// npm `oidc-provider`; nothing where it is not installed.
pub fn oidc_provider(run: &Run) -> Result<Option<Subject>> {
    let Some(mut command) = installed::node(run, "oidc-provider", "oidc-provider.mjs")? else {
        return Ok(None);
    };
    command.arg(SECRET);
    let server = Server::start(command, Place::Pinned)?;
    let mut caller = Caller::connect(server.address)?;
    let answer = caller.call(&get("/bench/cookie", ""))?;
    ensure!(answer.status == 200, "{}", answer.text());
    let cookie = String::from_utf8_lossy(answer.body).into_owned();
    let client_credentials = form(("robot", SECRET), "/token", "grant_type=client_credentials");
    let answer = caller.call(&client_credentials)?;
    ensure!(answer.status == 200, "{}", answer.text());
    let about = about(&answer)?;
    let signed = "grant_type=client_credentials&resource=https%3A%2F%2Fapi.example";
    Ok(Some(Subject {
        signed: form(("robot", SECRET), "/token", signed),
        client_credentials,
        introspection: form(("robot", SECRET), "/token/introspection", &about),
        authorize: vec![get(&format!("/auth?{}", question()), &cookie)],
        exchange: head(("web", SECRET), "/token").into_bytes(),
        server,
    }))
}
