//! What one writes from a tutorial, in Express and in FastAPI, and the library `better-auth`.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Kept, Ready, SESSIONS, Work, installed};
use crate::{
    Run,
    load::{Caller, Script},
    oauth::setup,
    process::{Folder, Place, Server},
    protected::profile_request,
    refresh::rotate::{Form, Rotations, Same},
};

pub fn express_missing(run: &Run) -> Option<&'static str> {
    let packages = run.peers.join("node_modules");
    let built = packages.join("better-sqlite3/build/Release/better_sqlite3.node");
    let installed = packages.join("express").exists() && built.exists();
    (!installed).then_some("npm `express` and `better-sqlite3` are not installed")
}

pub fn better_auth_missing(run: &Run) -> Option<&'static str> {
    let installed = run.peers.join("node_modules/better-auth").exists();
    let missing = (!installed).then_some("npm `better-auth` is not installed");
    express_missing(run).or(missing)
}

pub fn fastapi_missing(run: &Run) -> Option<&'static str> {
    let installed = run.peers.join("python/bin/uvicorn").exists();
    (!installed).then_some("FastAPI and uvicorn are not installed")
}

pub fn express(run: &Run, folder: &Folder, work: Work) -> Result<Option<Ready>> {
    let (kind, kept, basis) = match work {
        Work::Protected => (
            "durable",
            Kept::Reads,
            "HS256 by `jsonwebtoken` with a key made once, the user's row by better-sqlite3; ended sessions go on until the token expires",
        ),
        Work::DurableRefresh | Work::SlowRefresh => (
            "durable",
            Kept::Synced,
            "better-sqlite3, WAL, `synchronous=FULL`; a sync for each refresh",
        ),
        Work::UsualRefresh => (
            "usual",
            Kept::Unsynced,
            "better-sqlite3, WAL, `synchronous=NORMAL`: the last refreshes go with the power; the secret is a string, which costs 0.3 ms",
        ),
        Work::Introspection | Work::ClientCredentials | Work::EdDsa => return Ok(None),
    };
    let command = installed::node(run, "express", "express.mjs")?;
    let (server, tokens) = start(command, folder, kind)?;
    ready(work, server, &tokens, (kept, basis))
}

pub fn fastapi(run: &Run, folder: &Folder, work: Work) -> Result<Option<Ready>> {
    let (kind, kept, basis) = match work {
        Work::Protected => (
            "durable",
            Kept::Reads,
            "HS256 by PyJWT, the user's row by sqlite3; ended sessions go on until the token expires",
        ),
        Work::DurableRefresh | Work::SlowRefresh => (
            "durable",
            Kept::Synced,
            "sqlite3, WAL, `synchronous=FULL`; a sync for each refresh",
        ),
        Work::UsualRefresh => (
            "usual",
            Kept::Synced,
            "sqlite3 as it comes: rollback journal, `synchronous=FULL`, several syncs for each refresh",
        ),
        Work::Introspection | Work::ClientCredentials | Work::EdDsa => return Ok(None),
    };
    let command = installed::python(run, "fastapi_app.py")?;
    let (server, tokens) = start(command, folder, kind)?;
    ready(work, server, &tokens, (kept, basis))
}

pub fn better_auth(run: &Run, folder: &Folder, work: Work) -> Result<Option<Ready>> {
    let (kind, kept, basis) = match work {
        Work::Protected => (
            "cached",
            Kept::Reads,
            "session in a signed cookie for an hour, the fastest way to run it; ended sessions go on so long",
        ),
        Work::DurableRefresh | Work::SlowRefresh => (
            "durable",
            Kept::Synced,
            "better-sqlite3, WAL, `synchronous=FULL`; the session's end put off, its token as it was",
        ),
        Work::UsualRefresh => (
            "usual",
            Kept::Unsynced,
            "better-sqlite3, WAL, `synchronous=NORMAL`; the session's end put off, its token as it was",
        ),
        Work::Introspection | Work::ClientCredentials | Work::EdDsa => return Ok(None),
    };
    let command = installed::node(run, "better-auth", "better-auth.mjs")?;
    let (server, tokens) = start(command, folder, kind)?;
    let requests = if work == Work::Protected {
        let cookie = tokens.get("cookie").and_then(Value::as_str);
        vec![setup::get(SESSION, cookie.context("no cookie")?)]
    } else {
        let bearer = |token: &String| {
            let head = format!(
                "GET {SESSION} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n"
            );
            head.into_bytes()
        };
        strings(&tokens, "refresh")?.iter().map(bearer).collect()
    };
    Ok(Some(Ready {
        server,
        script: Box::new(OwnRequest(requests)),
        kept,
        basis,
    }))
}

/// Where better-auth tells the session.
const SESSION: &str = "/api/auth/get-session";

/// A server with so many sessions, and what it says that their tokens are.
fn start(command: Option<Command>, folder: &Folder, kind: &str) -> Result<(Server, Value)> {
    let mut command = command.context("it was there a moment ago")?;
    command.arg(folder.path().join("peer.db")).arg(kind);
    command.arg(SESSIONS.to_string());
    let server = Server::start(command, Place::Pinned)?;
    let mut caller = Caller::connect(server.address)?;
    let answer = caller.call(&setup::get("/bench/tokens", ""))?;
    ensure!(answer.status == 200, "{}", answer.text());
    let tokens = serde_json::from_slice(answer.body)?;
    Ok((server, tokens))
}

/// The same requests as ours.
fn ready(
    work: Work,
    server: Server,
    tokens: &Value,
    (kept, basis): (Kept, &'static str),
) -> Result<Option<Ready>> {
    let script: Box<dyn Script> = if work == Work::Protected {
        let access = tokens.get("access").and_then(Value::as_str);
        let request = profile_request(access.context("no access token")?);
        Box::new(Same::new(request, 200))
    } else {
        let refresh = strings(tokens, "refresh")?;
        let refresh = refresh.into_iter().map(String::into_bytes).collect();
        Box::new(Rotations::of(Form::json(), refresh, work.connections()))
    };
    Ok(Some(Ready {
        server,
        script,
        kept,
        basis,
    }))
}

pub fn strings(tokens: &Value, name: &str) -> Result<Vec<String>> {
    let list = tokens.get(name).and_then(Value::as_array);
    let list = list.with_context(|| format!("no {name}"))?.iter();
    let strings = list.map(|text| Some(text.as_str()?.to_owned()));
    strings.collect::<Option<_>>().context("not a token")
}

/// Each connection asks the same again and again, as somebody of its own.
struct OwnRequest(Vec<Vec<u8>>);

impl Script for OwnRequest {
    fn ask(&mut self, connection: usize, out: &mut Vec<u8>) -> Result<()> {
        let at = connection % self.0.len();
        out.extend_from_slice(self.0.get(at).context("request")?);
        Ok(())
    }

    fn answer(&mut self, _: usize, answer: &crate::load::Answer<'_>) -> Result<()> {
        // Without a session the answer is `null`, and 200 all the same.
        let found = memchr::memmem::find(answer.body, b"\"user\":").is_some();
        ensure!(answer.status == 200 && found, "{}", answer.text());
        Ok(())
    }
}
