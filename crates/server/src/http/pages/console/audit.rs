//! `/console/audit`: what happened, and whether the log is what was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::audit::{AuditKind, Outcome};
use symbolon_domain::{FieldError, Problem, Refusal, SessionId, Timestamp, UserId};

use super::super::super::api::admin::audit::AuditBody;
use super::super::super::api::admin::permitted::AuditRead;
use super::super::form::{Filled, Form};
use super::super::visitor::refused;
use super::Permitted;
use super::list::{Kind, Listing, ROWS, file};
use crate::app::App;
use crate::flows::audit::{self, AuditFilter, AuditRow, Report};
use crate::flows::page::Page;
use crate::flows::{Error, users};
use crate::rfc3339;

/// Users by id.
type Names = BTreeMap<UserId, String>;

const PLACE: &str = "/console/audit";
const FILTER: &[&str] = &["user", "kind", "outcome", "session", "from", "to"];
const COLUMNS: [&str; 12] = [
    "seq",
    "at",
    "kind",
    "outcome",
    "actor",
    "subject",
    "session",
    "address",
    "userAgent",
    "requestId",
    "detail",
    "id",
];
/// Lines that are verified for one look.
const MOST_VERIFIED: u32 = 50_000;

pub(super) async fn show(State(app): State<Arc<App>>, permitted: Permitted<AuditRead>) -> Response {
    page(&app, &permitted, (), (StatusCode::OK, None)).await
}

pub(super) async fn verify(
    State(app): State<Arc<App>>,
    permitted: Permitted<AuditRead>,
) -> Response {
    match audit::verify_latest(&app, MOST_VERIFIED).await {
        Ok((report, after)) => {
            let facts = report_facts(&report, after);
            page(&app, &permitted, facts, (StatusCode::OK, None)).await
        }
        Err(error) => permitted.seated.failed(error),
    }
}

async fn page(
    app: &Arc<App>,
    permitted: &Permitted<AuditRead>,
    report: impl Into<Value>,
    (status, form): (StatusCode, Option<Filled>),
) -> Response {
    let seated = &permitted.seated;
    let filter = match (form.is_none(), filter(app, seated.form()).await) {
        (true, Ok(filter)) => filter,
        // What is wrong with the filter stands beside its fields; nothing is listed meanwhile.
        (true, Err(error)) => {
            return match refused(seated, error) {
                Ok((status, form)) => {
                    Box::pin(page(app, permitted, report, (status, Some(form)))).await
                }
                Err(response) => response,
            };
        }
        (false, _) => AuditFilter::default(),
    };
    let found = async {
        let mut list = Listing::of(app, PLACE, FILTER, seated.form())?;
        let page = match &form {
            None => audit::page(app, &filter, ROWS, list.after.take()).await?,
            Some(_) => Page {
                items: Vec::new(),
                next: None,
            },
        };
        let standing = audit::standing(app).await?;
        let names = names(app, permitted, &page.items).await?;
        let kinds = AuditKind::ALL.iter().map(|kind| kind.as_str());
        Ok::<_, Error>(context! {
            at => "audit",
            rows => page.items.iter().map(|line| row(line, &names)).collect::<Vec<_>>(),
            list => list.facts(&page)?,
            kinds => kinds.collect::<Vec<_>>(),
            form => form.unwrap_or_else(|| Filled::again(seated.form(), &[])).facts(),
            seq => standing.seq,
            signed => standing.signed.map(|(seq, at)| context! { seq, at => rfc3339::text(at) }),
            broken => standing.broken.map(rfc3339::text),
            report => report.into(),
            most_verified => MOST_VERIFIED,
        })
    };
    match found.await {
        Ok(facts) => seated.show_as(status, "console/audit.html", facts),
        Err(error) => seated.failed(error),
    }
}

/// What the fields choose. A user may be named by id, address or username.
///
/// # Errors
/// `validation_failed` at the fields, or a fault.
async fn filter(app: &App, form: &Form) -> Result<AuditFilter, Error> {
    let mut wrong = Vec::new();
    let user = match form.text("user") {
        None => None,
        Some(text) => match (text.parse(), users::find(app, &text).await) {
            // Of somebody who is gone there are lines still.
            (Ok(id), _) => Some(id),
            (_, Ok(user)) => Some(user.id),
            (_, Err(Error::Refused(_))) => {
                wrong.push(Problem::new("user_unknown", "There is no such user.").at("/user"));
                None
            }
            (_, Err(error)) => return Err(error),
        },
    };
    let filter = AuditFilter {
        user,
        actor: None,
        session: parsed(form, "session", &mut wrong, |text| {
            text.parse::<SessionId>().ok()
        }),
        kind: parsed(form, "kind", &mut wrong, |text| {
            text.parse::<AuditKind>().ok()
        }),
        outcome: parsed(form, "outcome", &mut wrong, |text| {
            text.parse::<Outcome>().ok()
        }),
        from: parsed(form, "from", &mut wrong, time),
        to: parsed(form, "to", &mut wrong, time),
    };
    match wrong.is_empty() {
        true => Ok(filter),
        false => Err(Refusal::Validation(wrong).into()),
    }
}

fn parsed<T>(
    form: &Form,
    name: &str,
    wrong: &mut Vec<FieldError>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = form.text(name)?;
    let found = parse(&text);
    if found.is_none() {
        wrong.push(Problem::new("unreadable", "This cannot be read.").at(format!("/{name}")));
    }
    found
}

/// As browsers write a day and a time, in UTC; or as RFC 3339 has it.
fn time(text: &str) -> Option<Timestamp> {
    let forms = [
        text.to_owned(),
        format!("{text}Z"),
        format!("{text}:00Z"),
        format!("{text}T00:00:00Z"),
    ];
    forms.iter().find_map(|text| rfc3339::parse(text).ok())
}

/// The addresses of the users, for whoever may see users.
async fn names(
    app: &App,
    permitted: &Permitted<AuditRead>,
    rows: &[AuditRow],
) -> Result<Names, Error> {
    match permitted.may(users::READ) {
        true => audit::addresses(app, rows).await,
        false => Ok(Names::new()),
    }
}

fn row(row: &AuditRow, names: &Names) -> Value {
    let event = &row.event;
    let name = |id: Option<UserId>| names.get(&id?);
    context! {
        id => row.id.to_string(),
        seq => row.seq,
        at_time => rfc3339::text(event.at),
        kind => event.kind.as_str(),
        failed => event.kind.outcome() == Outcome::Failure,
        actor => event.actor.map(|id| id.to_string()),
        subject => event.subject.map(|id| id.to_string()),
        actor_name => name(event.actor),
        subject_name => name(event.subject),
        session => event.session.map(|id| id.to_string()),
        address => &event.address,
        user_agent => &event.user_agent,
        request => &event.request_id,
        detail => &event.detail,
    }
}

fn report_facts(report: &Report, after: Option<i64>) -> Value {
    let finding = report.finding.as_ref();
    context! {
        rows => report.rows,
        after,
        checkpoints => report.checkpoints.count,
        code => finding.map(|finding| finding.code()),
        said => finding.map(ToString::to_string),
        head => report.head.map(|head| head.to_string()),
    }
}

/// One line.
pub(super) async fn line(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<AuditRead>,
) -> Response {
    let found = async {
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        let found = audit::find(&app, id).await?;
        let names = names(&app, &permitted, std::slice::from_ref(&found)).await?;
        Ok::<_, Error>(row(&found, &names))
    };
    match found.await {
        Ok(found) => permitted.show(
            "audit",
            "console/audit-line.html",
            context! { row => found },
        ),
        Err(error) => permitted.seated.failed(error),
    }
}

/// The lines that the filter chooses, as a file.
pub(super) async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<AuditRead>,
) -> Response {
    let seated = &permitted.seated;
    let filter = match filter(&app, seated.form()).await {
        Ok(filter) => filter,
        Err(error) => return seated.failed(error),
    };
    let read = move |rows, after| {
        let app = Arc::clone(&app);
        async move {
            let page = audit::page(&app, &filter, rows, after).await?;
            Ok(page.map(|line| AuditBody::from(&line)))
        }
    };
    let file = file(kind, "audit", &COLUMNS, read).await;
    file.unwrap_or_else(|error| seated.failed(error))
}
