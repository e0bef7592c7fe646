//! Glewlwyd, a server in C that Debian has, with SQLite and its OpenID Connect plugin.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Kept, Ready, SESSIONS, Work, installed, tutorial};
use crate::{
    Run,
    load::Script,
    oauth::setup,
    process::{Folder, Place, Server},
    refresh::rotate::{Form, Rotations, Same},
};

pub fn missing(run: &Run) -> Option<&'static str> {
    let answers = Command::new("glewlwyd").arg("--version").output().is_ok();
    let missing = (!answers).then_some("Debian's package `glewlwyd` is not installed");
    missing.or_else(|| tutorial::express_missing(run))
}

pub fn open(run: &Run, folder: &Folder, work: Work) -> Result<Option<Ready>> {
    let (kind, kept, basis) = match work {
        Work::Protected => ("durable", Kept::Reads, "ES256, and its row by SQLite"),
        Work::DurableRefresh | Work::SlowRefresh => (
            "durable",
            Kept::Synced,
            "SQLite, WAL, `synchronous=FULL`; a sync for each statement",
        ),
        Work::UsualRefresh => (
            "usual",
            Kept::Synced,
            "SQLite as it comes: rollback journal, `synchronous=FULL`, several syncs for each statement",
        ),
        Work::Introspection => ("durable", Kept::Reads, "ES256, and its row by SQLite"),
        Work::ClientCredentials | Work::EdDsa => (
            "durable",
            Kept::Synced,
            "ES256, and a row in SQLite: WAL, `synchronous=FULL`",
        ),
    };
    let prepared = prepared(run, folder, kind)?;
    let text = |name: &str| {
        let text = prepared.get(name).and_then(Value::as_str);
        text.with_context(|| format!("no {name}"))
    };
    let mut command = Command::new("glewlwyd");
    command.args(["-c", text("configuration")?]);
    command.envs(installed::preloaded(run));
    let server = Server::start_at(command, Place::Pinned, text("address")?.parse()?)?;
    let robot = ("robot", text("secret")?);
    let access = text("access")?;
    let script: Box<dyn Script> = match work {
        Work::Protected => {
            let request = format!(
                "GET /api/oidc/userinfo HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {access}\r\n\r\n"
            );
            Box::new(Same::new(request.into_bytes(), 200))
        }
        Work::DurableRefresh | Work::SlowRefresh | Work::UsualRefresh => {
            let form = Form::oauth(setup::head(robot, "/api/oidc/token").into_bytes());
            let refresh = tutorial::strings(&prepared, "refresh")?;
            let refresh = refresh.into_iter().map(String::into_bytes).collect();
            Box::new(Rotations::of(form, refresh, work.connections()))
        }
        Work::Introspection => {
            let body = format!("token={access}");
            let request = setup::form(robot, "/api/oidc/introspect", &body);
            Box::new(Same::new(request, 200))
        }
        Work::ClientCredentials | Work::EdDsa => {
            let body = "grant_type=client_credentials&scope=bench";
            Box::new(Same::new(setup::form(robot, "/api/oidc/token", body), 200))
        }
    };
    Ok(Some(Ready {
        server,
        script,
        kept,
        basis,
    }))
}

/// A folder with its database, its settings and sessions, and what to ask it with.
fn prepared(run: &Run, folder: &Folder, kind: &str) -> Result<Value> {
    let command = installed::node(run, "better-sqlite3", "glewlwyd.mjs")?;
    let mut command = command.context("it was there a moment ago")?;
    command.arg(folder.path()).arg(kind);
    command.arg(SESSIONS.to_string()).stderr(Stdio::inherit());
    let output = command.output()?;
    ensure!(output.status.success(), "glewlwyd could not be prepared");
    Ok(serde_json::from_slice(&output.stdout)?)
}
