//! `GET /console`: how things are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};

use super::super::super::api::admin::permitted::{Needed, RevocationsRead, StatsRead};
use super::chart::{Point, bars, line};
use super::{Permitted, feed};
use crate::app::App;
use crate::flows::Error;
use crate::flows::feed::followers;
use crate::flows::stats::{self, Counted, Hour, Stats};
use crate::rfc3339::text as rfc3339;

/// Hours of the short view.
const DAY: u32 = 24;
/// Hours of the long view, which shows days.
const MONTH: u32 = 30 * 24;

pub(super) async fn show(State(app): State<Arc<App>>, permitted: Permitted<StatsRead>) -> Response {
    let long = permitted.seated.form().get("span") == "month";
    let found = async {
        let hours = stats::hours(&app, if long { MONTH } else { DAY }).await?;
        Ok::<_, Error>((stats::stats(&app).await?, hours))
    };
    let (stats, mut hours) = match found.await {
        Ok(found) => found,
        Err(error) => return permitted.seated.failed(error),
    };
    // The last hour is not over, and may not have been counted yet: it ends, so far, with what the tile says.
    if let Some(last) = hours.last_mut() {
        let live = i64::from(stats.sessions.found);
        last.counts.insert("sessions".to_owned(), live);
    }
    let follows = permitted.may(RevocationsRead::PERMISSION);
    let followers = follows.then(|| followers(&app, feed::MOST)).transpose();
    let followers = match followers {
        Ok(followers) => followers,
        Err(error) => return permitted.seated.failed(error),
    };
    let facts = context! {
        tiles => tiles(&stats),
        charts => charts(&hours, long),
        long,
        followers => followers.as_ref().map(feed::facts),
        database => stats.database_bytes,
        uptime => stats.uptime.as_secs(),
        keys => stats.keys,
        at_time => rfc3339(stats.at),
    };
    permitted.show("overview", "console/overview.html", facts)
}

fn tiles(stats: &Stats) -> Vec<Value> {
    vec![
        tile("users", stats.active),
        tile("sessions", stats.sessions),
        tile("sign_ins", stats.day.succeeded),
        tile("refusals", stats.day.failed),
        tile("revocations", stats.revocations),
    ]
}

/// A number, and whether there are more than were counted.
fn tile(name: &str, counted: Counted) -> Value {
    context! { name, value => counted.found, more => counted.more }
}

fn charts(hours: &[Hour], long: bool) -> Vec<Value> {
    let row = |name: &str, lasting: bool| match long {
        true => by_day(hours, name, lasting),
        false => hours
            .iter()
            .map(|hour| point(hour, hour.counts.get(name).copied()))
            .collect(),
    };
    let happened = ["sign_ins", "refusals", "revocations"].map(|name| {
        context! { name, bars => true, bad => name == "refusals", ..bars(&row(name, false)) }
    });
    let mut charts = happened.to_vec();
    charts.push(context! { name => "sessions", bars => false, ..line(&row("sessions", true)) });
    charts
}

/// Sums of 24 hours; of what lasts, the last number.
fn by_day(hours: &[Hour], name: &str, lasting: bool) -> Vec<Point> {
    let day = |hours: &[Hour]| {
        let mut values = hours
            .iter()
            .filter_map(|hour| hour.counts.get(name).copied());
        let value = match lasting {
            true => values.next_back(),
            false => values.reduce(|sum, value| sum + value),
        };
        hours.first().map(|hour| point(hour, value))
    };
    hours.chunks(DAY as usize).filter_map(day).collect()
}

fn point(hour: &Hour, value: Option<i64>) -> Point {
    Point {
        at: rfc3339(hour.began),
        value,
    }
}
