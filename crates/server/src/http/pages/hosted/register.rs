//! `/register`, `/setup`, `/forgot-password`: before somebody can sign in.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Email, Identifier, Password, Refusal};
use zeroize::Zeroizing;

use super::super::super::oauth::browser_cookie as cookie;
use super::super::form::{Filled, Form};
use super::super::frame::{Forms, refusing};
use super::super::visitor::Visitor;
use super::sign_in::{ends, own_place};
use crate::app::App;
use crate::config::{RegistrationMode, Verification};
use crate::flows::oauth::browser::{self, SignIn};
use crate::flows::register::{Registration, register};
use crate::flows::{Error, reset, setup};

pub(in crate::http) async fn show(visitor: Visitor) -> Response {
    page(&visitor, StatusCode::OK, &Filled::again(&visitor.form, &[]))
}

pub(in crate::http) async fn take(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    match register(&app, registration(&visitor.form), &visitor.origin).await {
        Ok(_) if app.settings().registration.verification == Verification::Required => {
            let facts = context! { section => "registered", email => visitor.form.get("email") };
            visitor.show(StatusCode::OK, "said.html", facts, Forms::Stay)
        }
        Ok(_) => sign_in(&app, &visitor).await,
        Err(error) => again(&visitor, error, page),
    }
}

fn registration(form: &Form) -> Registration {
    Registration {
        email: form.get("email").trim().to_owned(),
        password: Zeroizing::new(form.get("password").to_owned()),
        username: form.text("username"),
        name: form.text("name"),
        invitation: None,
    }
}

/// Who has just chosen a password need not type it again.
async fn sign_in(app: &App, visitor: &Visitor) -> Response {
    let next = own_place(visitor.form.get("next")).unwrap_or("/account");
    let wrong = |_| Error::from(Refusal::InvalidCredentials);
    let sign_in = async {
        let sign_in = SignIn {
            identifier: Identifier::parse(visitor.form.get("email").trim()).map_err(wrong)?,
            password: Password::presented(visitor.form.get("password")).map_err(wrong)?,
            remember: false,
        };
        browser::begin(app, sign_in, visitor.browser.as_ref(), &visitor.origin).await
    };
    match sign_in.await {
        Ok(begun) => {
            let mut response = visitor.sent_on(next);
            cookie::put(app, &mut response, &begun);
            response
        }
        // The account is there all the same.
        Err(_) => visitor.sent_on("/sign-in"),
    }
}

fn page(visitor: &Visitor, status: StatusCode, form: &Filled) -> Response {
    let settings = visitor.app.settings();
    let is_open = settings.registration.mode == RegistrationMode::Open;
    let next = own_place(visitor.form.get("next")).unwrap_or_default();
    let facts = context! {
        form => form.facts(),
        is_open,
        least => settings.password.min_length,
        next,
    };
    visitor.show(status, "register.html", facts, ends(next))
}

/// The form again, with what is wrong beside its fields.
fn again(
    visitor: &Visitor,
    error: Error,
    page: impl FnOnce(&Visitor, StatusCode, &Filled) -> Response,
) -> Response {
    let Error::Refused(refusal) = &error else {
        return visitor.failed(error);
    };
    let refusal = refusal.clone();
    let filled = visitor
        .frame()
        .and_then(|frame| Filled::again(&visitor.form, &[]).refused(&frame, error));
    match filled {
        Ok(filled) => refusing(&refusal, |status| page(visitor, status, &filled)),
        Err(error) => visitor.failed(error),
    }
}

pub(in crate::http) async fn show_setup(visitor: Visitor) -> Response {
    setup_page(&visitor, StatusCode::OK, &Filled::again(&visitor.form, &[]))
}

pub(in crate::http) async fn take_setup(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let (token, registration) = (
        visitor.form.get("token").trim(),
        registration(&visitor.form),
    );
    match setup::setup(&app, token, &registration, &visitor.origin).await {
        Ok(_) => sign_in(&app, &visitor).await,
        Err(error) => again(&visitor, error, setup_page),
    }
}

fn setup_page(visitor: &Visitor, status: StatusCode, form: &Filled) -> Response {
    let least = visitor.app.settings().password.min_length;
    let facts = context! { form => form.facts(), least, next => "/console" };
    visitor.show(status, "setup.html", facts, Forms::Stay)
}

pub(in crate::http) async fn show_forgotten(visitor: Visitor) -> Response {
    forgotten_page(&visitor, StatusCode::OK, &Filled::again(&visitor.form, &[]))
}

pub(in crate::http) async fn take_forgotten(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Response {
    let typed = visitor.form.get("email").trim();
    let asked = async {
        let email = Email::parse(typed)
            .map_err(|problem| Refusal::Validation(vec![problem.at("/email")]))?;
        reset::ask(&app, &email, &visitor.origin).await
    };
    match asked.await {
        Ok(()) => {
            let facts = context! { section => "forgotten_sent", email => typed };
            visitor.show(StatusCode::OK, "said.html", facts, Forms::Stay)
        }
        Err(error) => again(&visitor, error, forgotten_page),
    }
}

fn forgotten_page(visitor: &Visitor, status: StatusCode, form: &Filled) -> Response {
    let facts: Value = context! { form => form.facts() };
    visitor.show(status, "forgotten.html", facts, Forms::Stay)
}
