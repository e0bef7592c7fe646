//! `/console/import`: users of a file, tried and then brought in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use minijinja::{Value, context};
use serde::Serialize;
use symbolon_domain::{Problem, Refusal, RoleName, Roles};

use super::super::super::api::admin::permitted::UsersWrite;
use super::super::super::multipart::Multipart;
use super::super::form::{self, Filled, Form, Whose};
use super::super::visitor::refused;
use super::Permitted;
use super::list::{self, Kind};
use crate::app::App;
use crate::flows::Error;
use crate::flows::import::Options;
use crate::flows::import::upload::{self, Look, Refused, Run, Seen, Wanted};
use crate::flows::page::Page;
use crate::rfc3339::text as rfc3339;
use crate::transfer::{Format, parse_hash_config};

const PLACE: &str = "/console/import";
/// Longest field beside the file.
const MOST_FIELD: usize = 16 * 1024;
/// Parts of the form before the file.
const MOST_PARTS: usize = 8;
/// Longest time that a file may take to arrive.
const LONGEST: Duration = Duration::from_secs(3600);
/// Refused users that are shown; the file of them has more.
const MOST_SHOWN: usize = 100;
const COLUMNS: [&str; 5] = ["line", "foreignId", "pointer", "code", "detail"];

pub(super) async fn show(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    page(&app, &permitted, (StatusCode::OK, &Filled::default()))
}

fn page(
    app: &App,
    permitted: &Permitted<UsersWrite>,
    (status, form): (StatusCode, &Filled),
) -> Response {
    let (state, seen) = match app.imports.look() {
        Look::Nothing => ("nothing", None),
        Look::Arriving => ("arriving", None),
        Look::Here(seen) => {
            let state = match &seen.run {
                None => "here",
                Some(Run { ended: None, .. }) => "running",
                Some(Run {
                    ended: Some(Err(_)),
                    ..
                }) => "stopped",
                Some(Run { is_dry: true, .. }) => "tried",
                Some(_) => "done",
            };
            (state, Some(seen))
        }
    };
    let facts = context! {
        at => "import",
        state,
        file => seen.as_deref().map(file),
        run => seen.as_ref().and_then(|seen| Some(run(seen.run.as_ref()?, seen.bytes))),
        formats => Format::ALL.map(Format::as_str).to_vec(),
        most => upload::MOST_BYTES >> 20,
        everything => permitted.may("*"),
        form => form.facts(),
    };
    permitted
        .seated
        .show_as(status, "console/import.html", facts)
}

fn file(seen: &Seen) -> Value {
    context! {
        name => &seen.name,
        format => seen.format.as_str(),
        bytes => seen.bytes,
        digest => &seen.digest,
        at => rfc3339(seen.at),
    }
}

fn run(run: &Run, bytes: u64) -> Value {
    let refused = run.refused.iter().take(MOST_SHOWN).map(|one| {
        context! {
            line => one.line,
            foreign_id => &one.foreign_id,
            pointer => &one.pointer,
            code => one.code,
            detail => &one.detail,
        }
    });
    context! {
        is_dry => run.is_dry,
        done => run.offset.saturating_mul(100) / bytes.max(1),
        read => run.tally.read,
        imported => run.tally.imported,
        skipped => run.tally.skipped,
        failed => run.tally.failed,
        refused => refused.collect::<Vec<_>>(),
        more => run.refused.len() > MOST_SHOWN,
        kept => upload::MOST_REFUSED,
        stopped => run.ended.as_ref().and_then(|ended| ended.as_ref().err()),
    }
}

/// Takes a file. The fields before it say whose session the form belongs to and whose file it is.
pub(super) async fn take(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    // The page, without what is sent: that is too long to be read as a form.
    asked.method = Method::GET;
    let asked = Request::from_parts(asked, Body::empty());
    let permitted = match Permitted::<UsersWrite>::from_request(asked, &app).await {
        Ok(permitted) => permitted,
        Err(response) => return response,
    };
    match Multipart::of(&parts.headers, body) {
        Ok(body) => match tokio::time::timeout(LONGEST, arrive(&app, &permitted, body)).await {
            Ok(Ok(())) => permitted.seated.visitor.sent_on(PLACE),
            Ok(Err(error)) => again(&app, &permitted, error),
            Err(_) => again(&app, &permitted, late()),
        },
        Err(refusal) => again(&app, &permitted, refusal.into()),
    }
}

fn again(app: &App, permitted: &Permitted<UsersWrite>, error: Error) -> Response {
    match refused(&permitted.seated, error) {
        Ok((status, form)) => page(app, permitted, (status, &form)),
        Err(response) => response,
    }
}

fn late() -> Error {
    Refusal::MalformedRequest("The file took longer than an hour to arrive.".to_owned()).into()
}

async fn arrive(
    app: &Arc<App>,
    permitted: &Permitted<UsersWrite>,
    mut body: Multipart,
) -> Result<(), Error> {
    let wrong = |pointer: &str, code: &'static str| {
        let problem = Problem::new(code, "Choose a file and say whose it is.");
        Refusal::Validation(vec![problem.at(pointer)])
    };
    let (mut is_ours, mut format, mut parts) = (false, None, 0);
    while let Some(part) = body.next().await? {
        match (part.name.as_str(), part.file) {
            (form::TOKEN, None) => {
                let token = body.text(MOST_FIELD).await?;
                let browser = &permitted.seated.browser;
                is_ours = form::whose(app, browser, &token)? == Whose::Ours;
            }
            ("format", None) => format = body.text(MOST_FIELD).await?.parse::<Format>().ok(),
            ("file", Some(name)) => {
                if !is_ours {
                    return Err(wrong("/file", "stale_form").into());
                }
                let format = format.ok_or_else(|| wrong("/format", "format_unknown"))?;
                let mut arrival = upload::begin(app, permitted.actor()).await?;
                let mut is_empty = true;
                while let Some(piece) = body.piece().await? {
                    is_empty = false;
                    arrival.write(&piece)?;
                }
                if is_empty {
                    return Err(wrong("/file", "missing").into());
                }
                return arrival.end(&name, format).await;
            }
            // One that is none of ours is bounded as well, and there are few.
            _ => drop(body.text(MOST_FIELD).await?),
        }
        parts += 1;
        if parts > MOST_PARTS {
            return Err(Refusal::PayloadTooLarge.into());
        }
    }
    Err(wrong("/file", "missing").into())
}

/// Tries the file, or imports it as it was tried.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let seated = &permitted.seated;
    let form = seated.form();
    let started = async {
        let tried = form.has("dry").then(|| options(form));
        let firebase = match form.text("hash_config") {
            None => None,
            Some(text) => Some(parse_hash_config(&text).map_err(|error| {
                let problem = Problem::new("hash_config", error.to_string());
                Refusal::Validation(vec![problem.at("/hash_config")])
            })?),
        };
        let wanted = Wanted {
            looked_at: form.get("digest"),
            tried,
            firebase,
        };
        upload::run(&app, permitted.actor(), wanted, seated.origin()).await
    };
    match started.await {
        Ok(()) => seated.visitor.sent_on(PLACE),
        Err(error) => again(&app, &permitted, error),
    }
}

fn options(form: &Form) -> Options {
    Options {
        roles: Roles::new(vec![RoleName::USER]),
        ignore_roles: !form.has("take_roles"),
        ignore_ids: false,
        allow_admin: form.has("allow_admin"),
        conflict_fails: form.has("conflict_fails"),
        drop_hashes: form.has("drop_hashes"),
        plain_passwords: form.has("plain_passwords"),
        resume: false,
        dry_run: true,
    }
}

pub(super) async fn clear(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let looked_at = permitted.seated.form().get("digest");
    match upload::clear(&app, permitted.actor(), looked_at).await {
        Ok(()) => permitted.seated.visitor.sent_on(PLACE),
        Err(error) => again(&app, &permitted, error),
    }
}

/// Who was refused, as a file.
pub(super) async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let run = match app.imports.look() {
        Look::Here(seen) => seen.run,
        _ => None,
    };
    let Some(run) = run else {
        return permitted.seated.failed(Refusal::NotFound);
    };
    let mut rows = Some(run.refused.iter().map(Row::from).collect::<Vec<_>>());
    let read = move |_, _: Option<()>| {
        let items = rows.take().unwrap_or_default();
        async move { Ok(Page { items, next: None }) }
    };
    let file = list::file(kind, "refused", &COLUMNS, read).await;
    file.unwrap_or_else(|error| permitted.seated.failed(error))
}

/// Somebody who was refused, in a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    line: u64,
    foreign_id: Option<String>,
    pointer: String,
    code: &'static str,
    detail: String,
}

impl From<&Refused> for Row {
    fn from(one: &Refused) -> Self {
        Self {
            line: one.line,
            foreign_id: one.foreign_id.clone(),
            pointer: one.pointer.clone(),
            code: one.code,
            detail: one.detail.clone(),
        }
    }
}
