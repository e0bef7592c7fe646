//! `/account`: who one is here, the address, the end of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;
use minijinja::context;
use symbolon_domain::{Email, Refusal};

use super::super::super::oauth::browser_cookie as cookie;
use super::super::form::Filled;
use super::super::frame::Forms;
use super::super::visitor::{Seated, refused};
use super::typed;
use crate::app::App;
use crate::flows::profile::{self, Change};
use crate::flows::{Error, address, verification};
use crate::rfc3339::text as rfc3339;

/// The forms of the page: each as it stands there.
#[derive(Default)]
struct Shown {
    profile: Option<Filled>,
    email: Filled,
    delete: Filled,
}

pub(super) async fn show(seated: Seated) -> Response {
    page(&seated, StatusCode::OK, &Shown::default())
}

fn page(seated: &Seated, status: StatusCode, forms: &Shown) -> Response {
    let user = &seated.browser.user;
    let stored = || {
        Filled::default()
            .with("name", user.name.as_ref().map_or("", |name| name.as_str()))
            .with(
                "username",
                user.username.as_ref().map_or("", |name| name.as_str()),
            )
    };
    let facts = context! {
        at => "profile",
        profile => forms.profile.as_ref().map_or_else(|| stored().facts(), Filled::facts),
        email_form => forms.email.facts(),
        delete_form => forms.delete.facts(),
        email => user.email.as_str(),
        verified => user.email_verified,
        created => rfc3339(user.created_at),
    };
    seated.show_as(status, "account/profile.html", facts)
}

pub(super) async fn save(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let change = Change {
        name: Some(seated.form().text("name")),
        username: Some(seated.form().text("username")),
    };
    match profile::change(&app, &seated.caller, &change, seated.origin()).await {
        Ok(_) => seated.done("/account", "profile_saved"),
        Err(error) => with(&seated, error, |profile| Shown {
            profile: Some(profile),
            ..Shown::default()
        }),
    }
}

pub(super) async fn change_email(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let asked = async {
        let email = Email::parse(seated.form().get("email").trim());
        let email = email.map_err(|problem| Refusal::Validation(vec![problem.at("/email")]))?;
        let password = typed(&seated, "password")?;
        address::ask(&app, &seated.caller, (email, password), seated.origin()).await
    };
    match asked.await {
        Ok(()) => seated.done("/account", "email_asked"),
        Err(error) => with(&seated, error, |email| Shown {
            email,
            ..Shown::default()
        }),
    }
}

pub(super) async fn verify_email(State(app): State<Arc<App>>, seated: Seated) -> Response {
    match verification::ask(&app, &seated.caller, seated.origin()).await {
        Ok(()) => seated.done("/account", "verification_sent"),
        Err(error) => seated.failed(error),
    }
}

pub(super) async fn delete(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let deleted = async {
        let password = typed(&seated, "password")?;
        profile::delete(&app, &seated.caller, password, seated.origin()).await
    };
    match deleted.await {
        Ok(()) => {
            let facts = context! { section => "deleted", email => "" };
            let visitor = &seated.visitor;
            let mut response = visitor.show(StatusCode::OK, "said.html", facts, Forms::Stay);
            if let Some(cookie) = cookie::clear(&app) {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => with(&seated, error, |delete| Shown {
            delete,
            ..Shown::default()
        }),
    }
}

fn with(seated: &Seated, error: Error, place: impl FnOnce(Filled) -> Shown) -> Response {
    match refused(seated, error) {
        Ok((status, filled)) => page(seated, status, &place(filled)),
        Err(response) => response,
    }
}
