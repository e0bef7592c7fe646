//! `/console/settings`: what is in force and why; those that the database keeps can be changed.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};

use super::super::super::api::admin::permitted::StatsRead;
use super::super::form::Filled;
use super::super::visitor::refused;
use super::Permitted;
use crate::app::App;
use crate::config::{Described, Shown, UpstreamConfig, UpstreamKind, described};
use crate::flows::Error;
use crate::flows::apply;

const PLACE: &str = "/console/settings";
/// What it takes to change one.
const EVERYTHING: &str = "*";

pub(super) async fn show(State(app): State<Arc<App>>, permitted: Permitted<StatsRead>) -> Response {
    page(&app, &permitted, StatusCode::OK, &Filled::default())
}

pub(super) async fn save(State(app): State<Arc<App>>, permitted: Permitted<StatsRead>) -> Response {
    let seated = &permitted.seated;
    let form = seated.form();
    let is_default = form.has("default");
    // An empty text is a value, too: that of a list with nothing in it.
    let value = (!is_default).then(|| form.get("value").trim());
    let change = (form.get("name"), value);
    match apply::set(&app, permitted.actor(), change, seated.origin()).await {
        Ok(()) if is_default => seated.done(PLACE, "setting_default"),
        Ok(()) => seated.done(PLACE, "setting_saved"),
        Err(error @ Error::Refused(symbolon_domain::Refusal::Validation(_))) => {
            match refused(seated, error) {
                Ok((status, form)) => page(&app, &permitted, status, &form),
                Err(response) => response,
            }
        }
        Err(error) => seated.failed(error),
    }
}

fn page(
    app: &App,
    permitted: &Permitted<StatsRead>,
    status: StatusCode,
    form: &Filled,
) -> Response {
    let seated = &permitted.seated;
    let sent = seated.visitor.is_sent;
    let wanted = match sent {
        true => String::new(),
        false => seated.form().get("q").trim().to_lowercase(),
    };
    let settings = app.settings();
    let mut sections: Vec<(&str, Vec<Value>)> = Vec::new();
    for about in described() {
        let mut all = settings.show().iter();
        let Some(shown) = all.find(|shown| shown.name == about.name) else {
            continue;
        };
        let found = [about.name, about.does]
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted));
        let section = about
            .name
            .split_once('.')
            .map_or("", |(section, _)| section);
        if !found {
            continue;
        }
        let row = row(app, shown, &about);
        match sections.last_mut() {
            Some((last, rows)) if *last == section => rows.push(row),
            _ => sections.push((section, vec![row])),
        }
    }
    let section = |(name, rows)| context! { name, rows };
    let facts = context! {
        at => "settings",
        q => wanted,
        sections => sections.into_iter().map(section).collect::<Vec<_>>(),
        upstreams => app.config.upstreams.iter().map(upstream).collect::<Vec<_>>(),
        writes => permitted.may(EVERYTHING),
        open => if sent { seated.form().get("name") } else { "" },
        form => form.facts(),
    };
    seated.show_as(status, "console/settings.html", facts)
}

fn row(app: &App, shown: &Shown, about: &Described) -> Value {
    // What follows from other things where it is not set.
    let issuance = app.issuance().ok();
    let derived = issuance.and_then(|issuance| match shown.name {
        "server.issuer" => Some(&issuance.issuer),
        "tokens.audience" => Some(&issuance.audience),
        _ => None,
    });
    let value = derived.filter(|_| shown.value.is_empty());
    let is_open = ["default", "database"].contains(&shown.source.as_str());
    context! {
        name => shown.name,
        id => shown.name.replace('.', "-"),
        value => value.unwrap_or(&shown.value),
        source => &shown.source,
        does => about.does,
        takes => about.takes,
        default => about.default,
        variable => &about.variable,
        stored => about.is_stored,
        open => is_open,
        kept => shown.source == "database",
    }
}

/// Without its secret.
fn upstream(upstream: &UpstreamConfig) -> Value {
    context! {
        name => &upstream.name,
        label => &upstream.label,
        issuer => &upstream.issuer,
        client => &upstream.client_id,
        scopes => upstream.scopes.join(" "),
        kind => match upstream.kind {
            UpstreamKind::OpenId { .. } => "openid",
            UpstreamKind::Profile(_) => "profile",
        },
    }
}
