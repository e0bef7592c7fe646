//! npm `oidc-provider`, with its adapter in memory.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Kept, Ready, SESSIONS, Work};
use crate::{
    Run,
    load::{Caller, Script},
    oauth::{Subject, code_in, peer, setup},
    process::Folder,
    refresh::rotate::{Form, Rotations, Same},
};

const BASIS: &str = "opaque tokens in memory, the fastest way to run it; a restart loses them all";

pub fn missing(run: &Run) -> Option<&'static str> {
    let installed = run.peers.join("node_modules/oidc-provider").exists();
    (!installed).then_some("npm `oidc-provider` is not installed")
}

pub fn open(run: &Run, _: &Folder, work: Work) -> Result<Option<Ready>> {
    let Some(subject) = peer::oidc_provider(run)? else {
        return Ok(None);
    };
    let script: Box<dyn Script> = match work {
        Work::DurableRefresh | Work::SlowRefresh => return Ok(None),
        Work::Protected => {
            let access = sign_in(&subject)?.0;
            let request = format!(
                "GET /me HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {access}\r\n\r\n"
            );
            Box::new(Same::new(request.into_bytes(), 200))
        }
        Work::UsualRefresh => {
            let tokens = (0..SESSIONS).map(|_| Ok(sign_in(&subject)?.1.into_bytes()));
            let tokens = tokens.collect::<Result<_>>()?;
            let form = Form::oauth(subject.exchange.clone());
            Box::new(Rotations::of(form, tokens, work.connections()))
        }
        Work::Introspection => Box::new(Same::new(subject.introspection.clone(), 200)),
        Work::ClientCredentials | Work::EdDsa => {
            Box::new(Same::new(subject.client_credentials.clone(), 200))
        }
    };
    Ok(Some(Ready {
        server: subject.server,
        script,
        kept: Kept::Memory,
        basis: BASIS,
    }))
}

/// A code and its exchange: an access token and a refresh token.
fn sign_in(subject: &Subject) -> Result<(String, String)> {
    let mut caller = Caller::connect(subject.server.address)?;
    let answer = caller.call(subject.authorize.first().context("nobody")?)?;
    let code = String::from_utf8(code_in(&answer)?.to_vec())?;
    let body = format!("{}{code}", setup::EXCHANGE);
    let mut request = subject.exchange.clone();
    request.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    let answer = caller.call(&request)?;
    ensure!(answer.status == 200, "{}", answer.text());
    let tokens: Value = serde_json::from_slice(answer.body)?;
    let field = |name: &str| tokens.get(name).and_then(Value::as_str).map(str::to_owned);
    field("access_token")
        .zip(field("refresh_token"))
        .with_context(|| answer.text())
}
