//! (i) What a line of the audit log costs a sign-in, and a page of a long log.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use symbolon::{
    app::App,
    flows::audit::{AuditFilter, page},
};
use symbolon_domain::{
    EndReason, Session, SessionId, UserId,
    audit::{AuditEvent, AuditKind, Outcome},
    refresh::{Digest, RefreshState},
};
use tokio::{runtime::Runtime, task::JoinSet};
use uuid::Uuid;

use crate::{
    Run, clock, load, machine,
    process::Folder,
    report::{Row, Section, count, median},
    say,
    seed::{self, mix},
};

/// Lines of one transaction while the log is filled.
const BATCH: u64 = 5_000;
/// Users whom they are about.
const USERS: u64 = 100_000;
/// Sign-ins that are written at once: as many as threads that hash would bring.
const AT_ONCE: usize = 8;
/// Groups of them in one measurement.
const GROUPS: u64 = 100;
const PAGE: u32 = 50;

const NOTE: &str = "No HTTP: the server's library writes what a sign-in writes, a session, with and without its line of the \
    audit log, eight at a time and in turns, durable, into a log that is long already. A sign-in costs one hash of the \
    default cost; the line's share is of that. Pages of 50 are of users picked at random.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("audit", "Audit log", NOTE);
    let lines: u64 = if run.quick { 100_000 } else { 1_000_000 };
    let folder = Folder::new(&run.dir, "audit")?;
    let runtime = Runtime::new()?;
    let app = runtime.block_on(seed::open(folder.path()))?;
    let start = clock::now();
    runtime.block_on(fill(&app, lines))?;
    let seconds = clock::since(start).as_secs_f64();
    let lines = count(lines as f64);
    say::line(format!("{lines} lines written in {seconds:.0} s"));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..if run.quick { 3 } else { 9 } {
        machine::wait_until_quiet();
        without.push(runtime.block_on(sign_ins(&app, false))?);
        with.push(runtime.block_on(sign_ins(&app, true))?);
    }
    let (with, without, hash) = (median(&mut with), median(&mut without), hash()?);
    let text = |micros: f64| format!("{micros:.0} µs");
    section.push(
        Row::new("a sign-in's row and audit line, written", text(with)).beside(
            format!("{} without the line", text(without)),
            with / without,
        ),
    );
    let line = (with - without).max(0.0);
    section.push(
        Row::new("the line alone, of a sign-in", text(line))
            .beside(format!("{} for its hash", text(hash)), line / hash)
            .at_most(0.05),
    );
    for (what, filter) in [
        ("of a user", of_user as fn(u64) -> _),
        ("of failures", of_failures),
    ] {
        let [p50, p99] = runtime.block_on(pages(&app, filter))?;
        section.push(
            Row::new(
                format!("a page {what}, {lines} lines"),
                format!("p50 {p50:.2}, p99 {p99:.2} ms"),
            )
            .bound("p99 < 20 ms", p99 < 20.0),
        );
    }
    runtime.block_on(app.store.close());
    Ok(section)
}

fn user(number: u64) -> UserId {
    UserId::new(Uuid::from_u64_pair(mix(number % USERS), 1))
}

fn event(app: &App, number: u64) -> Result<(Uuid, AuditEvent)> {
    let now = app.clock.now();
    let kind = match mix(number) % 10 {
        0 => AuditKind::LoginFailed,
        1 => AuditKind::SessionEnded,
        _ => AuditKind::LoginSucceeded,
    };
    let mut event = AuditEvent::new(now, kind);
    event.subject = Some(user(mix(number)));
    event.actor = event.subject.filter(|_| kind.outcome() == Outcome::Success);
    event.session = event.actor.map(|_| session_id(number));
    event.address = Some("203.0.113.195".into());
    event.user_agent =
        Some("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into());
    event.request_id = Some(format!("{:016x}", mix(number)));
    event.detail = (kind != AuditKind::LoginSucceeded).then(|| EndReason::Logout.to_string());
    Ok((app.rng.uuid_v7(now)?, event))
}

async fn fill(app: &App, lines: u64) -> Result<()> {
    for first in (0..lines).step_by(BATCH as usize) {
        let mut batch = app.store.batch();
        for number in first..lines.min(first + BATCH) {
            let (id, event) = event(app, number)?;
            batch.insert_audit(id, &event);
        }
        batch.commit().await.context("filling the log")?;
    }
    Ok(())
}

/// Microseconds for each of many sign-ins that are written in groups.
async fn sign_ins(app: &Arc<App>, audited: bool) -> Result<f64> {
    let start = clock::now();
    for group in 0..GROUPS {
        let mut tasks = JoinSet::new();
        for one in 0..AT_ONCE as u64 {
            let app = Arc::clone(app);
            tasks.spawn(async move { sign_in(&app, group * AT_ONCE as u64 + one, audited).await });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
    }
    let all = GROUPS as f64 * AT_ONCE as f64;
    Ok(clock::since(start).as_secs_f64() * 1e6 / all)
}

async fn sign_in(app: &App, number: u64, audited: bool) -> Result<()> {
    let now = app.clock.now();
    let (id, event) = event(app, number)?;
    let life = &app.config.refresh;
    let session = Session {
        id: SessionId::new(app.rng.uuid_v7(now)?),
        user: user(mix(number)),
        client_id: "symbolon".into(),
        refresh: RefreshState::first(Digest::new([7; 32]), 1, now),
        idle_ttl: life.idle_ttl,
        expires_at: now.plus(life.absolute_ttl),
        persistent: true,
        transport: symbolon_domain::Transport::Cookie,
        method: symbolon_domain::SignInMethod::Password,
        device: None,
        user_agent: event.user_agent.clone(),
        address: event.address.clone(),
        created_at: now,
        last_used_at: now,
        ended: None,
    };
    let mut batch = app.store.batch();
    batch.insert_session(&session);
    if audited {
        batch.insert_audit(id, &event);
    }
    Ok(batch.commit().await?)
}

/// Microseconds for one hash of the default cost.
fn hash() -> Result<f64> {
    let params = Params::new(47_104, 1, 1, Some(32));
    let params = params.map_err(|error| anyhow::anyhow!("{error}"))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut times = Vec::new();
    for _ in 0..9 {
        let (mut out, start) = ([0; 32], clock::now());
        hasher
            .hash_password_into(b"correct horse", b"0123456789abcdef", &mut out)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        times.push(clock::since(start).as_secs_f64() * 1e6);
    }
    Ok(median(&mut times))
}

fn session_id(number: u64) -> SessionId {
    SessionId::new(Uuid::from_u64_pair(mix(number), 2))
}

fn of_user(number: u64) -> AuditFilter {
    AuditFilter {
        user: Some(user(mix(number))),
        ..AuditFilter::default()
    }
}

fn of_failures(_: u64) -> AuditFilter {
    AuditFilter {
        outcome: Some(Outcome::Failure),
        ..AuditFilter::default()
    }
}

/// Milliseconds for a page: the middle, and what 99 of 100 do not exceed.
async fn pages(app: &App, filter: fn(u64) -> AuditFilter) -> Result<[f64; 2]> {
    let mut micros = Vec::new();
    for number in 0..1_000 {
        let start = clock::now();
        page(app, &filter(number), PAGE, None).await?;
        let time: Duration = clock::since(start);
        micros.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }
    micros.sort_unstable();
    Ok([50, 99].map(|percent| load::quantile(&micros, percent).as_secs_f64() * 1e3))
}
