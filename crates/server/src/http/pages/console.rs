//! The administration console: pages over the flows that `/api/admin` calls, each behind the permission that it has there.

mod audit;
mod chart;
mod clients;
mod feed;
mod import;
mod invitations;
mod keys;
pub(in crate::http) mod list;
mod mail;
mod overview;
mod revocations;
mod roles;
mod sessions;
mod settings;
mod token;
mod users;

use std::marker::PhantomData;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use symbolon_domain::{Permissions, Refusal};

use super::super::api::admin::permitted::Needed;
use super::visitor::Seated;
use crate::app::App;
use crate::flows::actor::Actor;

/// The places of the console: each a group, a name, the path below `/console` and the permission that it takes to see it.
const PLACES: [(&str, &str, &str, &str); 13] = [
    ("watch", "overview", "/overview", "stats:read"),
    ("people", "users", "/users", "users:read"),
    ("people", "invitations", "/invitations", "users:read"),
    ("people", "sessions", "/sessions", "sessions:read"),
    ("people", "roles", "/roles", "roles:read"),
    ("apps", "clients", "/clients", "clients:read"),
    ("security", "keys", "/keys", "keys:read"),
    (
        "security",
        "revocations",
        "/revocations",
        "revocations:read",
    ),
    ("security", "audit", "/audit", "audit:read"),
    ("security", "token", "/token", "revocations:read"),
    ("system", "mail", "/mail", "stats:read"),
    ("system", "settings", "/settings", "stats:read"),
    ("system", "import", "/import", "users:write"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console", get(home))
        .route("/console/overview", get(overview::show))
        .merge(clients::routes())
        .merge(users::routes())
        .merge(invitations::routes())
        .merge(sessions::routes())
        .merge(roles::routes())
        .merge(security())
        .merge(system())
}

/// To the first place that the person may see.
async fn home(seated: Seated) -> Response {
    let mut places = PLACES.iter();
    match places.find(|(_, _, _, permission)| seated.may.allow(permission)) {
        Some((_, _, path, _)) => seated.visitor.sent_on(&format!("/console{path}")),
        None => seated.failed(Refusal::Forbidden),
    }
}

/// Keys, revocations, what happened, and tokens.
fn security() -> Router<Arc<App>> {
    Router::new()
        .route("/console/keys", get(keys::show))
        .route("/console/keys/rotate", post(keys::rotate))
        .route(
            "/console/keys/{kid}/withdraw",
            get(keys::ask).post(keys::withdraw),
        )
        .route(
            "/console/revocations",
            get(revocations::show).post(revocations::add),
        )
        .route("/console/revocations/export.csv", get(revocations::as_file))
        .route(
            "/console/revocations/export.json",
            get(revocations::as_file),
        )
        .route("/console/audit", get(audit::show))
        .route("/console/audit/verify", post(audit::verify))
        .route("/console/audit/export.csv", get(audit::as_file))
        .route("/console/audit/export.json", get(audit::as_file))
        .route("/console/audit/{line}", get(audit::line))
        .route("/console/token", get(token::show).post(token::explain))
}

/// Mail, settings and import.
fn system() -> Router<Arc<App>> {
    Router::new()
        .route("/console/import", get(import::show).post(import::take))
        .route("/console/import/start", post(import::start))
        .route("/console/import/clear", post(import::clear))
        .route("/console/import/export.csv", get(import::as_file))
        .route("/console/import/export.json", get(import::as_file))
        .route("/console/mail", get(mail::show))
        .route("/console/mail/test", post(mail::test))
        .route("/console/mail/{kind}/{lang}", get(mail::one))
        .route("/console/mail/{kind}/{lang}/preview", get(mail::preview))
        .route(
            "/console/settings",
            get(settings::show).post(settings::save),
        )
}

/// Somebody whose roles have the permission `P`. The flow that changes something asks again, in the transaction that does
/// it.
pub(in crate::http) struct Permitted<P> {
    pub(in crate::http) seated: Seated,
    permission: PhantomData<P>,
}

impl<P: Needed> FromRequest<Arc<App>> for Permitted<P> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let seated = Seated::from_request(request, app).await?;
        match seated.may.allow(P::PERMISSION) {
            true => Ok(Self {
                seated,
                permission: PhantomData,
            }),
            false => Err(seated.failed(Refusal::Forbidden)),
        }
    }
}

impl<P> Permitted<P> {
    /// Who administrates.
    pub(in crate::http) fn actor(&self) -> Actor {
        Actor::from(&self.seated.caller)
    }

    /// Whether the person may do more than see this: templates leave out what would be refused.
    pub(in crate::http) fn may(&self, permission: &str) -> bool {
        self.seated.may.allow(permission)
    }

    /// A page of the console; `at` is its place.
    pub(in crate::http) fn show(&self, at: &str, template: &str, facts: Value) -> Response {
        self.seated.show(template, context! { at, ..facts })
    }
}

/// The places that somebody may see, by groups.
pub(super) fn places(may: &Permissions) -> Vec<Value> {
    let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
    for (group, name, path, permission) in PLACES {
        if !may.allow(permission) {
            continue;
        }
        let place = context! { name, path };
        match groups.last_mut() {
            Some((last, places)) if *last == group => places.push(place),
            _ => groups.push((group, vec![place])),
        }
    }
    let group = |(name, places)| context! { name, places };
    groups.into_iter().map(group).collect()
}
