//! `/console/token`: a token, taken apart and judged. It comes in the body of a form alone, is not shown again as a whole
//! and is not kept.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};
use serde_json::Value as Json;
use symbolon_domain::Timestamp;
use symbolon_domain::revocation::Entry;

use super::super::super::api::admin::permitted::RevocationsRead;
use super::Permitted;
use crate::app::App;
use crate::flows::Error;
use crate::flows::explain::{self, Explanation, Finding, Text};
use crate::rfc3339::text as rfc3339;

/// Longest value that is shown.
const MOST_LETTERS: usize = 2000;
/// Letters of a list or an object that fit a line.
const SHORT: usize = 60;
/// Claims that are times, in seconds since 1970.
const TIMES: [&str; 4] = ["exp", "iat", "nbf", "auth_time"];

pub(super) async fn show(
    State(app): State<Arc<App>>,
    permitted: Permitted<RevocationsRead>,
) -> Response {
    let audience = app.issuance().map(|issuance| issuance.audience.clone());
    let facts = context! { audience => audience.unwrap_or_default(), asked => "", found => () };
    permitted.show("token", "console/token.html", facts)
}

pub(super) async fn explain(
    State(app): State<Arc<App>>,
    permitted: Permitted<RevocationsRead>,
) -> Response {
    let form = permitted.seated.form();
    let asked = form.text("audience");
    let found = async {
        let text = explain::recognize(&app, form.get("token"))?;
        let (name, token) = match text {
            Text::Signed(token) => ("signed", Some(token)),
            Text::Opaque(Some(token)) => ("opaque", Some(token)),
            Text::Opaque(None) => ("opaque_foreign", None),
            Text::Refresh(true) => ("refresh", None),
            Text::Refresh(false) => ("refresh_foreign", None),
            Text::Secret(kind) => (kind, None),
            Text::Unknown if form.text("token").is_none() => ("nothing", None),
            Text::Unknown => ("unknown", None),
        };
        let knowledge = explain::own(&app, asked.clone()).await?;
        let judged = match &token {
            Some(token) => {
                let explanation = explain::explain(&knowledge, token)?;
                Some(judged(&explanation, token))
            }
            None => None,
        };
        Ok::<_, Error>(context! {
            audience => app.issuance()?.audience.clone(),
            asked => asked.unwrap_or_default(),
            found => context! { name, judged, now => rfc3339(knowledge.now) },
        })
    };
    match found.await {
        Ok(facts) => permitted.show("token", "console/token.html", facts),
        Err(error) => permitted.seated.failed(error),
    }
}

fn judged(explanation: &Explanation, token: &str) -> Value {
    let word = |finding| match finding {
        Finding::Ok => "ok",
        Finding::Fails => "fails",
        Finding::Unknown => "unknown",
    };
    let lines = explanation.lines.iter().map(|line| {
        context! {
            what => line.what.replace(' ', "_"),
            finding => word(line.finding),
            says => &line.says,
        }
    });
    let [header, claims] = explain::members(token);
    context! {
        code => explanation.code,
        lines => lines.collect::<Vec<_>>(),
        header => header.iter().map(member).collect::<Vec<_>>(),
        claims => claims.iter().map(member).collect::<Vec<_>>(),
        hit => explanation.hit.as_ref().map(hit),
    }
}

fn member((name, value): &(String, Json)) -> Value {
    let time = value.as_i64().filter(|_| TIMES.contains(&name.as_str()));
    let text = match value {
        Json::String(text) => text.clone(),
        short @ (Json::Object(_) | Json::Array(_)) if short.to_string().len() > SHORT => {
            serde_json::to_string_pretty(short).unwrap_or_default()
        }
        other => other.to_string(),
    };
    let safe = |letter: char| match letter {
        '\n' => letter,
        control if control.is_control() => '?',
        letter => letter,
    };
    context! {
        name,
        text => text.chars().take(MOST_LETTERS).map(safe).collect::<String>(),
        long => matches!(value, Json::Object(_) | Json::Array(_)) && value.to_string().len() > SHORT,
        time => time.map(|time| rfc3339(Timestamp::from_seconds(time))),
    }
}

fn hit(entry: &Entry) -> Value {
    context! {
        seq => entry.seq,
        kind => entry.kind.as_str(),
        effect => entry.effect.as_str(),
        until => rfc3339(Timestamp::from_seconds(entry.until_s)),
    }
}
