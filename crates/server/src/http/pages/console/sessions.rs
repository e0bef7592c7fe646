//! `/console/sessions`: who is signed in, on what.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Life, Refusal, Session, SessionId, Timestamp, UserId};

use super::super::super::api::admin::permitted::{Needed, SessionsRead, SessionsWrite};
use super::super::super::api::admin::sessions::SignInBody;
use super::super::form::{Filled, Form};
use super::super::visitor::refused;
use super::Permitted;
use super::list::{Kind, Listing, ROWS, file};
use crate::app::App;
use crate::flows::login::OWN_CLIENT;
use crate::flows::page::Page;
use crate::flows::sessions::{self, Filter};
use crate::flows::{Error, users};
use crate::mail::Device;
use crate::rfc3339::text as rfc3339;

const PATH: &str = "/console/sessions";
/// What chooses them.
const CHOSEN: [&str; 2] = ["user", "state"];
const COLUMNS: [&str; 12] = [
    "id",
    "user",
    "clientId",
    "state",
    "device",
    "userAgent",
    "address",
    "createdAt",
    "lastUsedAt",
    "expiresAt",
    "endedAt",
    "endReason",
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(PATH, get(list))
        .route("/console/sessions/export.csv", get(as_file))
        .route("/console/sessions/export.json", get(as_file))
        .route("/console/sessions/{id}/end", post(end))
}

async fn list(State(app): State<Arc<App>>, permitted: Permitted<SessionsRead>) -> Response {
    page(&app, &permitted, StatusCode::OK, &Filled::default()).await
}

async fn page<P: Needed>(
    app: &Arc<App>,
    permitted: &Permitted<P>,
    status: StatusCode,
    trouble: &Filled,
) -> Response {
    let form = permitted.seated.form();
    let found = async {
        // What was refused of an end is no way to see what one may not.
        if !permitted.may(sessions::READ) {
            return Err(Refusal::Forbidden.into());
        }
        let mut listing = Listing::of(app, PATH, &CHOSEN, form)?;
        let page = match filter(app, form).await? {
            Some(filter) => sessions::page(app, filter, ROWS, listing.after.take()).await?,
            None => nothing(),
        };
        // Who may not see users sees their ids.
        let names = match permitted.may(users::READ) {
            true => users::names(app, page.items.iter().map(|one| one.user)).await?,
            false => BTreeMap::new(),
        };
        let now = app.clock.now();
        let rows = page.items.iter().map(|session| {
            context! {
                user => session.user.to_string(),
                email => names.get(&session.user),
                current => session.id == permitted.seated.caller.session,
                ..row(session, now)
            }
        });
        Ok::<_, Error>(context! {
            at => "sessions",
            form => Filled::again(form, &[]).facts(),
            list => listing.facts(&page)?,
            rows => rows.collect::<Vec<_>>(),
            trouble => trouble.facts(),
            may_see_users => permitted.may(users::READ),
            may_end => permitted.may(sessions::WRITE),
        })
    };
    match found.await {
        Ok(facts) => permitted
            .seated
            .show_as(status, "console/sessions.html", facts),
        Err(error) => permitted.seated.failed(error),
    }
}

/// Which sessions are wanted; none where there is no such user.
async fn filter(app: &App, form: &Form) -> Result<Option<Filter>, Error> {
    let dead = form.get("state") == "all";
    let Some(reference) = form.text("user") else {
        return Ok(Some(Filter { user: None, dead }));
    };
    // Of a user who is gone there may be sessions still.
    let user = match reference.parse::<UserId>() {
        Ok(id) => id,
        Err(_) => match users::find(app, &reference).await {
            Ok(user) => user.id,
            Err(Error::Refused(Refusal::NotFound)) => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    Ok(Some(Filter {
        user: Some(user),
        dead,
    }))
}

fn nothing<T, P>() -> Page<T, P> {
    Page {
        items: Vec::new(),
        next: None,
    }
}

/// What pages say of a session.
pub(super) fn row(session: &Session, now: Timestamp) -> Value {
    let known = Device::of(session.user_agent.as_deref(), session.address.as_deref());
    context! {
        id => session.id.to_string(),
        state => match session.life(now) {
            Life::Live => "live",
            Life::IdleExpired | Life::AbsoluteExpired => "expired",
            Life::Ended(_) => "ended",
        },
        device => &session.device,
        browser => known.program(),
        system => known.system(),
        user_agent => &session.user_agent,
        address => &session.address,
        client => (session.client_id != OWN_CLIENT).then_some(&session.client_id),
        created => rfc3339(session.created_at),
        used => rfc3339(session.last_used_at),
        expires => rfc3339(session.idle_expires_at()),
        ended => session.ended.map(|ended| rfc3339(ended.at)),
        reason => session.ended.map(|ended| ended.reason.as_str()),
    }
}

async fn end(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<SessionsWrite>,
) -> Response {
    let seated = &permitted.seated;
    let ended = async {
        let id = id.parse::<SessionId>().map_err(|_| Refusal::NotFound)?;
        let actor = (permitted.actor(), sessions::WRITE);
        users::revoke_session(&app, actor, id, seated.origin()).await
    };
    match ended.await {
        // One that has ended meanwhile is as it was wanted.
        Ok(()) | Err(Error::Refused(Refusal::NotFound)) => seated.done(PATH, "session_ended"),
        Err(error) => match refused(seated, error) {
            Ok((status, trouble)) => page(&app, &permitted, status, &trouble).await,
            Err(response) => response,
        },
    }
}

/// All of them as a file.
async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<SessionsRead>,
) -> Response {
    let seated = &permitted.seated;
    let wanted = match filter(&app, seated.form()).await {
        Ok(wanted) => wanted,
        Err(error) => return seated.failed(error),
    };
    let now = app.clock.now();
    let read = move |rows, after| {
        let app = Arc::clone(&app);
        async move {
            let page = match wanted {
                Some(filter) => sessions::page(&app, filter, rows, after).await?,
                None => nothing(),
            };
            Ok(page.map(|session| SignInBody::of(&session, now)))
        }
    };
    let file = file(kind, "sessions", &COLUMNS, read).await;
    file.unwrap_or_else(|error| permitted.seated.failed(error))
}
