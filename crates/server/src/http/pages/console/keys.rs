//! `/console/keys`: the keys, what each does, and who has heard of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Problem, Refusal, Timestamp};

use super::super::super::api::admin::permitted::{KeysRead, KeysWrite};
use super::super::form::Filled;
use super::super::visitor::refused;
use super::{Permitted, feed};
use crate::app::App;
use crate::flows::feed::Followers;
use crate::flows::keys::{self, Announced, KeyStatus, Reach};
use crate::flows::{Error, stats};
use crate::rfc3339::text as rfc3339;

const PLACE: &str = "/console/keys";
/// Followers that are asked whether they have heard of a key.
const MOST: usize = 10_000;

pub(super) async fn show(State(app): State<Arc<App>>, permitted: Permitted<KeysRead>) -> Response {
    let found = async {
        Ok::<_, Error>((
            keys::list(&app).await?,
            crate::flows::feed::followers(&app, MOST)?,
        ))
    };
    match found.await {
        Ok((keys, followers)) => {
            let now = app.clock.now();
            let mut rows: Vec<_> = keys.iter().collect();
            rows.sort_by_key(|key| (order(key.part), std::cmp::Reverse(key.row.created_at)));
            let rows: Vec<_> = rows.iter().map(|key| row(key, &followers, now)).collect();
            let facts = context! {
                rows,
                feed => feed::facts(&followers),
                writes => permitted.may(keys::WRITE),
                lead => keys::PUBLISH_LEAD.as_secs() / 60,
            };
            permitted.show("keys", "console/keys.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}

/// What is at work comes first.
fn order(part: &str) -> usize {
    let parts = ["signing", "published", "retired", "deriving", "expired"];
    parts
        .iter()
        .position(|known| *known == part)
        .unwrap_or(parts.len())
}

fn row(key: &KeyStatus, followers: &Followers, now: Timestamp) -> Value {
    let KeyStatus { row, part } = key;
    context! {
        kid => &row.kid,
        purpose => &row.purpose,
        algorithm => &row.algorithm,
        part => *part,
        created => rfc3339(row.created_at),
        activate => rfc3339(row.activate_at),
        retire => row.retire_at.map(rfc3339),
        expires => row.expires_at.map(rfc3339),
        reach => announced(key).map(|announced| reach(announced, followers, now)),
        withdrawable => row.purpose != "refresh" && *part != "withdrawn",
    }
}

/// How guards hear of what the key does. They know nothing of one that derives refresh tokens, and need not know of one
/// that is gone by itself.
fn announced(key: &KeyStatus) -> Option<Announced> {
    match (key.row.purpose.as_str(), key.part) {
        ("sign", "published" | "signing" | "retired") => {
            Some(Announced::InKeySet(key.row.created_at))
        }
        (_, "withdrawn") => key.row.expires_at.map(Announced::InFeed),
        _ => None,
    }
}

fn reach(announced: Announced, followers: &Followers, now: Timestamp) -> Value {
    let lags: Vec<_> = followers.told.iter().map(|one| one.lag).collect();
    match keys::reach(announced, now, &lags) {
        Reach::Spreading(until) => context! { name => "spreading", until => rfc3339(until) },
        Reach::Unheard(count) => context! { name => "unheard", count },
        Reach::Everywhere => context! { name => "everywhere" },
    }
}

pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    permitted: Permitted<KeysWrite>,
) -> Response {
    let seated = &permitted.seated;
    let rotated = async {
        let master = &app.issuance()?.master;
        let at_once = seated.form().has("now");
        keys::rotate(&app, permitted.actor(), master, at_once, seated.origin()).await
    };
    match rotated.await {
        Ok(_) => seated.done(PLACE, "key_rotated"),
        Err(error) => seated.failed(error),
    }
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Path(kid): Path<String>,
    permitted: Permitted<KeysWrite>,
) -> Response {
    sure(&app, &permitted, &kid, (StatusCode::OK, &Filled::default())).await
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Path(kid): Path<String>,
    permitted: Permitted<KeysWrite>,
) -> Response {
    let seated = &permitted.seated;
    if !seated.form().has("sure") {
        let missing = Problem::new("not_sure", "Say that you are sure.").at("/sure");
        let missing = Refusal::Validation(vec![missing]);
        return match refused(seated, missing.into()) {
            Ok((status, form)) => sure(&app, &permitted, &kid, (status, &form)).await,
            Err(response) => response,
        };
    }
    let withdrawn = async {
        let master = &app.issuance()?.master;
        keys::withdraw(&app, permitted.actor(), master, &kid, seated.origin()).await
    };
    match withdrawn.await {
        Ok(()) => seated.done(PLACE, "key_withdrawn"),
        Err(error) => seated.failed(error),
    }
}

/// What it means, and whether that is wanted.
async fn sure(
    app: &App,
    permitted: &Permitted<KeysWrite>,
    kid: &str,
    (status, form): (StatusCode, &Filled),
) -> Response {
    let found = async {
        let mut keys = keys::list(app).await?.into_iter();
        let key = keys.find(|key| key.row.kid == kid && key.row.purpose != "refresh");
        let key = key
            .filter(|key| key.part != "withdrawn")
            .ok_or(Refusal::NotFound)?;
        Ok::<_, Error>((key, stats::stats(app).await?.sessions))
    };
    match found.await {
        Ok((key, sessions)) => {
            let facts = context! {
                at => "keys",
                kid => &key.row.kid,
                purpose => &key.row.purpose,
                algorithm => &key.row.algorithm,
                part => key.part,
                sessions => sessions.found,
                more => sessions.more,
                form => form.facts(),
            };
            permitted
                .seated
                .show_as(status, "console/key-withdraw.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}
