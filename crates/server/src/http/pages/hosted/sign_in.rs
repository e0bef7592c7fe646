//! `GET`, `POST /sign-in`: signing in at our own pages.
//!
//! 1. `next` is where the person wanted to be: a place of ours, or the account.
//! 2. Whoever sent a form without being signed in finds it again behind the sign-in: its fields travel with this one,
//!    under names that begin with `again.`.
//! 3. Another provider carries the place instead of an application's request (`http::oauth::upstream`).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Identifier, Password, Refusal};

use super::super::super::oauth::{browser_cookie as cookie, upstream};
use super::super::form::{self, Form, Whose};
use super::super::frame::{Forms, refusing};
use super::super::visitor::Visitor;
use crate::app::App;
use crate::config::RegistrationMode;
use crate::flows::oauth::browser::{self, SignIn};
use crate::flows::upstream::{Offer, Offered};
use crate::flows::{Error, upstream as linking};

const PREFIX: &str = "again.";
/// Longest place that is gone back to.
const MOST_PLACE: usize = 4_000;

/// A place of ours: a path and a query, no other server, nothing that a header cannot hold.
pub(in crate::http) fn own_place(text: &str) -> Option<&str> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let own = text.starts_with('/') && !text.starts_with("//");
    (plain && own && text.len() <= MOST_PLACE).then_some(text)
}

pub(in crate::http) async fn show(visitor: Visitor) -> Response {
    if visitor.browser.is_some() {
        return visitor.sent_on(own_place(visitor.form.get("next")).unwrap_or("/account"));
    }
    let carried = carried_by_query(&visitor.form);
    page(&visitor, StatusCode::OK, &carried, None)
}

/// For whoever is not signed in and wants to be somewhere. Step 2.
pub(in crate::http) fn ask_to_sign_in(visitor: &Visitor) -> Response {
    if !visitor.is_sent {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("next", &visitor.here)
            .finish();
        return visitor.sent_on(&format!("/sign-in?{query}"));
    }
    let token = visitor.form.get(form::TOKEN);
    let mut carried = Carried {
        next: form::page_of(token),
        ..Carried::default()
    };
    // What was only asked is asked again on its page.
    if !visitor.form.has(form::ASKED) && own_place(&visitor.here).is_some() {
        let fields = visitor.form.shown();
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        carried.again = fields.collect();
        carried.to = visitor.here.clone();
        carried.of = token.to_owned();
    }
    page(visitor, StatusCode::UNAUTHORIZED, &carried, None)
}

/// The page for who came from another provider with an address that has an account here already.
pub(in crate::http) fn ask_for_password(visitor: &Visitor, offered: &Offered) -> Response {
    let carried = Carried {
        next: offered.carried.clone(),
        link: offered.offer.clone(),
        identifier: offered.email.clone(),
        ..Carried::default()
    };
    page(visitor, StatusCode::OK, &carried, None)
}

/// What travels with the form.
#[derive(Default)]
struct Carried {
    /// The page that somebody wanted, or that the form was on.
    next: String,
    /// The fields of the form that somebody sent.
    again: Vec<(String, String)>,
    /// Where it went; empty where there is none.
    to: String,
    /// Its token, which says whose it is.
    of: String,
    link: String,
    identifier: String,
}

fn carried_by_query(form: &Form) -> Carried {
    Carried {
        next: own_place(form.get("next")).unwrap_or_default().to_owned(),
        ..Carried::default()
    }
}

fn carried_by_form(form: &Form) -> Carried {
    let again = form.shown().filter_map(|(name, value)| {
        let name = name.strip_prefix(PREFIX)?;
        Some((name.to_owned(), value.to_owned()))
    });
    Carried {
        next: own_place(form.get("next")).unwrap_or_default().to_owned(),
        again: again.collect(),
        to: own_place(form.get("to")).unwrap_or_default().to_owned(),
        of: form.get("of").to_owned(),
        link: form.get("link").to_owned(),
        identifier: form.get("identifier").to_owned(),
    }
}

pub(in crate::http) async fn take(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let carried = carried_by_form(&visitor.form);
    match attempt(&app, &visitor, &carried).await {
        Ok(begun) => {
            let place = match carried.next.as_str() {
                "" => "/account",
                next => next,
            };
            let own = form::whose(&app, &begun.browser, &carried.of);
            let is_own = own.is_ok_and(|whose| whose != Whose::Foreign);
            let mut response = match carried.to.as_str() {
                to if is_own && !to.is_empty() => {
                    let form = Form::from_pairs(carried.again);
                    super::resume(&visitor, &begun.browser, (&form, place), to)
                }
                _ => visitor.sent_on(place),
            };
            cookie::put(&app, &mut response, &begun);
            response
        }
        Err(error) => refused(&visitor, &carried, error),
    }
}

async fn attempt(app: &App, visitor: &Visitor, carried: &Carried) -> Result<browser::Begun, Error> {
    let wrong = |_| Refusal::InvalidCredentials;
    let sign_in = SignIn {
        identifier: Identifier::parse(visitor.form.get("identifier")).map_err(wrong)?,
        password: Password::presented(visitor.form.get("password")).map_err(wrong)?,
        remember: visitor.form.has("remember"),
    };
    let offer = match carried.link.as_str() {
        "" => None,
        sealed => Offer::open(app, sealed)?,
    };
    let begun = browser::begin(app, sign_in, visitor.browser.as_ref(), &visitor.origin).await?;
    if let Some(offer) = offer {
        let linked = linking::link(app, begun.browser.user.id, &offer, &visitor.origin).await;
        if let Err(error) = linked {
            tracing::warn!(%error, "an identity was not linked");
        }
    }
    Ok(begun)
}

fn refused(visitor: &Visitor, carried: &Carried, error: Error) -> Response {
    let Error::Refused(refusal) = &error else {
        return visitor.failed(error);
    };
    let told = match refusal {
        Refusal::InvalidCredentials => "wrong_credentials",
        Refusal::AccountDisabled => "disabled",
        Refusal::EmailNotVerified => "unconfirmed",
        Refusal::RateLimited { .. } | Refusal::Overloaded { .. } => "busy",
        _ => return visitor.failed(error),
    };
    refusing(refusal, |status| page(visitor, status, carried, Some(told)))
}

/// Where a form ends that goes on to `next`: behind a request of an application, at that.
pub(super) fn ends(next: &str) -> Forms {
    match next.starts_with("/oauth/") {
        true => Forms::Leave,
        false => Forms::Stay,
    }
}

fn page(visitor: &Visitor, status: StatusCode, carried: &Carried, told: Option<&str>) -> Response {
    let app = &visitor.app;
    let actions = upstream::actions(app);
    let upstreams = actions
        .iter()
        .map(|(action, name)| context! { action, name => *name });
    let again = carried.again.iter().map(|(name, value)| {
        context! { name => format!("{PREFIX}{name}"), value }
    });
    let fields: Vec<Value> = again.collect();
    let facts = context! {
        told => told.unwrap_or_default(),
        at_fields => told == Some("wrong_credentials"),
        identifier => &carried.identifier,
        remember => visitor.form.has("remember"),
        next => &carried.next,
        link => &carried.link,
        to => &carried.to,
        of => &carried.of,
        fields,
        upstreams => upstreams.collect::<Vec<_>>(),
        can_register => app.settings().registration.mode == RegistrationMode::Open,
    };
    let forms = match actions.is_empty() {
        true => ends(&carried.next),
        false => Forms::Leave,
    };
    visitor.show(status, "enter.html", facts, forms)
}
