//! (c) A protected route with a token seen before, beside a bare handler with a cache look-up.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::{
    Run, load,
    process::{Folder, Place, Server, call, call_as},
    refresh::rotate::Same,
    report::{Row, Section},
    seed::Seeded,
};

const CONNECTIONS: usize = 32;

const NOTE: &str = "Pinned, 32 connections. `GET /api/user/profile` with one access token again and again. The floor is a \
    bare hyper handler that looks the whole `Authorization` value up in a quick_cache, compares the expiry with the \
    clock, and answers a fixed JSON text of the same size with no header of its own but the content type.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("protected", "Protected requests", NOTE);
    let folder = Folder::new(&run.dir, "protected")?;
    let seeded = Seeded::create(folder.path(), 1000)?;
    let server = Server::symbolon(&run.server, folder.path(), Place::Pinned, &[])?;
    let access = access_token(&server, &seeded.token(0)?)?;
    let request = profile_request(&access);
    let bytes = body_bytes(&server, &access)?.to_string();
    let floor = Server::floor(&["profile".as_ref(), bytes.as_ref()], Place::Pinned)?;
    let time = Duration::from_millis(if run.quick { 1500 } else { 4000 });
    let (mut ours, mut bare, mut garbage) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if run.quick { 1 } else { 3 } {
        let mut same = Same::new(request.clone(), 200);
        ours.push(load::pinned(&server, CONNECTIONS, time, &mut same)?);
        bare.push(load::pinned(&floor, CONNECTIONS, time, &mut same)?);
        let mut refused = Same::new(profile_request(&forged(&access)), 401);
        garbage.push(load::pinned(&server, CONNECTIONS, time, &mut refused)?);
    }
    let (ours, bare, garbage) = (
        load::middle(ours)?,
        load::middle(bare)?,
        load::middle(garbage)?,
    );
    let beside = format!("floor: {}", bare.text());
    section.push(
        Row::new("GET /api/user/profile, token seen before", ours.text())
            .beside(&beside, ours.per_second / bare.per_second)
            .at_least(0.6),
    );
    section.push(
        Row::new("the same with a forged signature", garbage.text())
            .beside(beside, garbage.per_second / bare.per_second),
    );
    Ok(section)
}

/// A fresh access token for the session of a refresh token.
pub fn access_token(server: &Server, refresh_token: &str) -> Result<String> {
    let body = format!("{{\"refreshToken\":\"{refresh_token}\"}}");
    let reply = call(server.address, "POST /api/refresh", &body)?.json()?;
    let token = reply.get("accessToken").and_then(|token| token.as_str());
    Ok(token.with_context(|| reply.to_string())?.to_owned())
}

/// The request, head only.
pub fn profile_request(access: &str) -> Vec<u8> {
    format!(
        "GET /api/user/profile HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {access}\r\n\r\n"
    )
    .into_bytes()
}

fn body_bytes(server: &Server, access: &str) -> Result<usize> {
    let reply = call_as(server.address, "GET /api/user/profile", Some(access), "")?;
    anyhow::ensure!(reply.status == 200, "status {}", reply.status);
    Ok(reply.body.len())
}

/// The token with another character near the end of its signature.
fn forged(access: &str) -> String {
    let at = access.len().saturating_sub(8);
    let other = if access.as_bytes().get(at) == Some(&b'A') {
        "B"
    } else {
        "A"
    };
    let mut forged = access.to_owned();
    forged.replace_range(at..=at, other);
    forged
}
