//! `/console/revocations`: the live revocations, those that come, and new ones.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::revocation::Entry;
use symbolon_domain::{Problem, Refusal, Timestamp};

use super::super::super::api::admin::permitted::{RevocationsRead, RevocationsWrite};
use super::super::super::api::admin::revocations::{effect, target};
use super::super::form::Filled;
use super::super::visitor::refused;
use super::listing::{EXPORT_ROWS, File, FileKind, Listing, MOST_EXPORTED, ROWS};
use super::{Permitted, feed};
use crate::app::App;
use crate::flows::revocations::{self, Names};
use crate::flows::{Error, feed as flow};
use crate::rfc3339::text as rfc3339;

const PLACE: &str = "/console/revocations";
const COLUMNS: &[&str] = &[
    "seq", "kind", "key", "name", "effect", "below", "before", "until",
];

pub(super) async fn show(
    State(app): State<Arc<App>>,
    permitted: Permitted<RevocationsRead>,
) -> Response {
    page(&app, &permitted, StatusCode::OK, &Filled::default()).await
}

async fn page<P>(
    app: &App,
    permitted: &Permitted<P>,
    status: StatusCode,
    form: &Filled,
) -> Response {
    let seated = &permitted.seated;
    let found = async {
        let list = Listing::of(
            app,
            seated.form(),
            PLACE,
            if seated.visitor.is_sent { &[] } else { &["q"] },
        );
        let point = flow::point(app).await?;
        let (rows, next, is_first) = match list.text("q") {
            Some(id) => (revocations::about(app, id).await?, None, false),
            None => {
                let after = match seated.visitor.is_sent {
                    true => None,
                    false => list.after()?,
                };
                let page = revocations::latest(app, ROWS, after).await?;
                (page.items, page.next, after.is_none())
            }
        };
        let names = Names::read(app).await?;
        let rows: Vec<_> = rows.iter().map(|entry| row(entry, &names)).collect();
        let feed = feed::facts(&flow::followers(app, feed::MOST)?);
        Ok::<_, Error>(context! {
            at => "revocations",
            rows,
            list => list.facts(next.as_ref())?,
            point,
            live => is_first && !seated.visitor.is_sent,
            feed,
            most => MOST_EXPORTED,
            writes => permitted.may(revocations::WRITE),
            form => form.facts(),
        })
    };
    match found.await {
        Ok(facts) => seated.show_as(status, "console/revocations.html", facts),
        Err(error) => seated.failed(error),
    }
}

fn row(entry: &Entry, names: &Names) -> Value {
    let time = |seconds| rfc3339(Timestamp::from_seconds(seconds));
    context! {
        seq => entry.seq,
        kind => entry.kind.as_str(),
        key => symbolon_token::encoding::encode(&entry.key),
        name => names.of(entry),
        effect => entry.effect.as_str(),
        below => entry.below,
        before => entry.before.map(time),
        until => time(entry.until_s),
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

pub(super) async fn export(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    permitted: Permitted<RevocationsRead>,
) -> Response {
    let seated = &permitted.seated;
    let exported = async {
        let kind = FileKind::of(&file).ok_or(Refusal::NotFound)?;
        let list = Listing::of(&app, seated.form(), PLACE, &["q"]);
        let names = Names::read(&app).await?;
        let (mut entries, mut next) = (Vec::new(), None);
        if let Some(id) = list.text("q") {
            entries = revocations::about(&app, id).await?;
        } else {
            loop {
                let page = revocations::latest(&app, EXPORT_ROWS, next).await?;
                entries.extend(page.items);
                next = page.next;
                if next.is_none() || entries.len() >= MOST_EXPORTED {
                    break;
                }
            }
        }
        let is_cut = next.is_some() || entries.len() > MOST_EXPORTED;
        entries.truncate(MOST_EXPORTED);
        let rows = entries.iter().map(|entry| cells(entry, &names)).collect();
        let file = File {
            name: "revocations",
            columns: COLUMNS,
            rows,
            is_cut,
        };
        Ok::<_, Error>(file.response(kind))
    };
    match exported.await {
        Ok(response) => response,
        Err(error) => seated.failed(error),
    }
}

fn cells(entry: &Entry, names: &Names) -> Vec<serde_json::Value> {
    let time = |seconds| rfc3339(Timestamp::from_seconds(seconds));
    vec![
        entry.seq.into(),
        entry.kind.as_str().into(),
        symbolon_token::encoding::encode(&entry.key).into(),
        names.of(entry).into(),
        entry.effect.as_str().into(),
        entry.below.into(),
        entry.before.map(time).into(),
        time(entry.until_s).into(),
    ]
}
