//! Look-ups and lists among many users.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use symbolon::{
    app::App,
    clock::Clock,
    config::{Config, Sources},
    rng::Rng,
};
use symbolon_domain::{RoleName, Timestamp, UserStatus};
use symbolon_store::{Slice, Store, UserRange};

use super::Line;
use crate::{
    clock,
    report::{Row, Section, count},
    seed::mix,
};

const LOOK_UPS: u64 = 20_000;
const PAGES: u64 = 2_000;
/// Users on a page.
const PAGE: u32 = 50;

pub fn measure(data: &Path, users: u64, section: &mut Section) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let data = data.display().to_string();
    let sources = Sources::default().with_option("server.data", Some(data));
    let opened = App::open_existing(Config::load(&sources)?, Clock::system(), Rng::system());
    let app = runtime.block_on(opened)?;
    let measured = runtime.block_on(all(&app.store, users, section));
    runtime.block_on(app.close());
    measured
}

async fn all(store: &Store, users: u64, section: &mut Section) -> Result<()> {
    let pick = |turn: u64| Line::of(mix(turn ^ 0x5eed) % users);
    let (mut by_email, mut by_name) = (Vec::new(), Vec::new());
    for turn in 0..LOOK_UPS {
        let line = pick(turn);
        let start = clock::now();
        let found = store.find_user_by_email(&line.email).await?;
        by_email.push(clock::since(start));
        ensure!(found.is_some(), "an imported user is not there");
        let start = clock::now();
        let found = store.find_user_by_username(&line.username).await?;
        by_name.push(clock::since(start));
        ensure!(found.is_some(), "an imported user is not there");
    }
    let among = format!("of {} users", count(users as f64));
    for (what, times) in [("address", by_email), ("user name", by_name)] {
        let what = format!("by {what}, {among}");
        section.push(row(what, times, Duration::from_millis(1))?);
    }
    for what in ["status, by creation", "address begins so", "role"] {
        let mut times = Vec::new();
        for turn in 0..PAGES {
            let range = range(what, &pick(turn), turn, users);
            let slice = Slice {
                descending: turn.is_multiple_of(2),
                after: None,
                limit: PAGE,
            };
            let start = clock::now();
            store.list_user_rows(&range, slice).await?;
            times.push(clock::since(start));
        }
        let what = format!("page of {PAGE}: {what}, {among}");
        section.push(row(what, times, Duration::from_millis(20))?);
    }
    Ok(())
}

/// Another place of the list at each turn.
fn range(what: &str, line: &Line, turn: u64, users: u64) -> UserRange {
    match what {
        "role" => UserRange::Role(RoleName::USER),
        "address begins so" => UserRange::Email(line.email.chars().take(8).collect()),
        _ => UserRange::Created {
            status: Some(UserStatus::Active),
            after: Timestamp::from_millis(Line::made_at(mix(turn) % users)),
            before: Timestamp::from_millis(i64::MAX),
        },
    }
}

fn row(what: String, mut times: Vec<Duration>, most: Duration) -> Result<Row> {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    let (middle, high) = (at(50).context("no times")?, at(99).context("no times")?);
    let micros = |time: Duration| count(time.as_secs_f64() * 1e6);
    let figure = format!("p50 {} µs, p99 {} µs", micros(middle), micros(high));
    let target = format!("p99 < {} ms", most.as_millis());
    Ok(Row::new(what, figure).bound(target, high < most))
}
