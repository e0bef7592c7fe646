//! `/console/revocations`: the live revocations, those that come, and new ones.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use serde::Serialize;
use symbolon_domain::revocation::Entry;
use symbolon_domain::{Problem, Refusal, Timestamp};

use super::super::super::api::admin::permitted::{RevocationsRead, RevocationsWrite};
use super::super::super::api::admin::revocations::{effect, target};
use super::super::form::{Filled, Form};
use super::super::visitor::refused;
use super::list::{Kind, Listing, ROWS, file};
use super::{Permitted, feed};
use crate::app::App;
use crate::flows::page::Page;
use crate::flows::revocations::{self, Names};
use crate::flows::{Error, feed as flow};
use crate::rfc3339::text as rfc3339;

const PLACE: &str = "/console/revocations";
const COLUMNS: [&str; 8] = [
    "seq", "kind", "key", "name", "effect", "below", "before", "until",
];

pub(super) async fn show(
    State(app): State<Arc<App>>,
    permitted: Permitted<RevocationsRead>,
) -> Response {
    page(&app, &permitted, StatusCode::OK, &Filled::default()).await
}

async fn page<P>(
    app: &Arc<App>,
    permitted: &Permitted<P>,
    status: StatusCode,
    form: &Filled,
) -> Response {
    let seated = &permitted.seated;
    let is_sent = seated.visitor.is_sent;
    let found = async {
        // What was refused of an addition is no way to see what one may not.
        if !permitted.may(revocations::READ) {
            return Err(Refusal::Forbidden.into());
        }
        // The fields of an addition choose nothing.
        let asked = if is_sent {
            &Form::default()
        } else {
            seated.form()
        };
        let mut list = Listing::of(app, PLACE, &["q"], asked)?;
        let after = list.after.take();
        let is_first = after.is_none() && !asked.has("q") && !is_sent;
        let found = entries(app, asked.text("q").as_deref(), ROWS, after).await?;
        let names = Names::read(app).await?;
        let rows = found
            .items
            .iter()
            .map(|entry| Row::of(entry, &names).facts());
        Ok::<_, Error>(context! {
            at => "revocations",
            rows => rows.collect::<Vec<_>>(),
            list => list.facts(&found)?,
            point => flow::point(app).await?,
            live => is_first,
            feed => feed::facts(&flow::followers(app, feed::MOST)?),
            writes => permitted.may(revocations::WRITE),
            form => form.facts(),
        })
    };
    match found.await {
        Ok(facts) => seated.show_as(status, "console/revocations.html", facts),
        Err(error) => seated.failed(error),
    }
}

/// Those about an id, or a page of all, the latest first.
async fn entries(
    app: &App,
    about: Option<&str>,
    rows: u32,
    after: Option<i64>,
) -> Result<Page<Entry, i64>, Error> {
    match about {
        Some(id) => Ok(Page {
            items: revocations::about(app, id).await?,
            next: None,
        }),
        None => revocations::latest(app, rows, after).await,
    }
}

/// A line, on a page as in a file.
#[derive(Serialize)]
struct Row {
    seq: i64,
    kind: &'static str,
    key: String,
    name: Option<String>,
    effect: &'static str,
    below: Option<i64>,
    before: Option<String>,
    until: String,
}

impl Row {
    fn of(entry: &Entry, names: &Names) -> Self {
        let time = |seconds| rfc3339(Timestamp::from_seconds(seconds));
        Self {
            seq: entry.seq,
            kind: entry.kind.as_str(),
            key: symbolon_token::encoding::encode(&entry.key),
            name: names.of(entry).map(ToOwned::to_owned),
            effect: entry.effect.as_str(),
            below: entry.below,
            before: entry.before.map(time),
            until: time(entry.until_s),
        }
    }

    fn facts(self) -> Value {
        context! {
            seq => self.seq,
            kind => self.kind,
            key => self.key,
            name => self.name,
            effect => self.effect,
            below => self.below,
            before => self.before,
            until => self.until,
        }
    }
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    permitted: Permitted<RevocationsWrite>,
) -> Response {
    let seated = &permitted.seated;
    let form = seated.form();
    let added = async {
        let (kind, id) = (form.text("kind"), form.text("id"));
        let effect = effect(form.text("effect").as_deref())?;
        let target = target(&app, kind.as_deref(), id.as_deref()).await?;
        if !form.has("sure") {
            let missing = Problem::new("not_sure", "Say that you are sure.");
            return Err(Refusal::Validation(vec![missing.at("/sure")]).into());
        }
        revocations::add(&app, permitted.actor(), target, effect, seated.origin()).await
    };
    let error = match added.await {
        Ok(()) => return seated.done(PLACE, "revoked"),
        Err(error) => error,
    };
    match refused(seated, error) {
        Ok((status, form)) => page(&app, &permitted, status, &form).await,
        Err(response) => response,
    }
}

/// Those that are asked for, as a file.
pub(super) async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<RevocationsRead>,
) -> Response {
    let seated = &permitted.seated;
    let names = match Names::read(&app).await {
        Ok(names) => Arc::new(names),
        Err(error) => return seated.failed(error),
    };
    let about = seated.form().text("q");
    let read = move |rows, after| {
        let (app, names, about) = (Arc::clone(&app), Arc::clone(&names), about.clone());
        async move {
            let page = entries(&app, about.as_deref(), rows, after).await?;
            Ok(page.map(|entry| Row::of(&entry, &names)))
        }
    };
    let file = file(kind, "revocations", &COLUMNS, read).await;
    file.unwrap_or_else(|error| seated.failed(error))
}
