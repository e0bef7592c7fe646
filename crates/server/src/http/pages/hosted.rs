//! Pages for anybody: signing in and out here, making an account, a forgotten password, the first administrator, the
//! language. Where an application sends somebody to sign in is another matter (`http::oauth::authorize`).

mod register;
mod sign_in;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{HeaderValue, SET_COOKIE};
use minijinja::context;
use symbolon_domain::mail::Locale;

use super::super::oauth::browser_cookie as cookie;
use super::form::{self, Form};
use super::frame::Forms;
use super::visitor::{Seated, Visitor, resumed};
use crate::app::App;
use crate::flows::logout;
use crate::flows::oauth::browser::Browser;
pub(super) use sign_in::ask_to_sign_in;
pub(in crate::http) use sign_in::{ask_for_password, own_place};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in::show).post(sign_in::take))
        .route("/sign-out", get(ask_to_sign_out).post(sign_out))
        .route("/register", get(register::show).post(register::take))
        .route(
            "/setup",
            get(register::show_setup).post(register::take_setup),
        )
        .route(
            "/forgot-password",
            get(register::show_forgotten).post(register::take_forgotten),
        )
        .route("/language", post(language))
        .route("/.well-known/change-password", get(change_password))
}

/// Where there is nothing to choose.
async fn home(visitor: Visitor) -> Response {
    match &visitor.browser {
        Some(_) => visitor.sent_on("/account"),
        None => visitor.sent_on("/sign-in"),
    }
}

/// The form that somebody sent before they were signed in, to be sent again.
fn resume(visitor: &Visitor, browser: &Browser, (form, page): (&Form, &str), to: &str) -> Response {
    let token = match form::token(&visitor.app, browser, page) {
        Ok(token) => token,
        Err(error) => return visitor.failed(error),
    };
    let facts = context! { form_token => token, ..resumed(form, to) };
    visitor.show(StatusCode::OK, "resume.html", facts, Forms::Stay)
}

/// For password managers (W3C, A Well-Known URL for Changing Passwords).
async fn change_password(visitor: Visitor) -> Response {
    visitor.sent_on("/account/password")
}

async fn ask_to_sign_out(seated: Seated) -> Response {
    seated.show("leave.html", context! {})
}

async fn sign_out(State(app): State<Arc<App>>, seated: Seated) -> Response {
    if let Err(error) = logout::logout(&app, &seated.caller, seated.origin()).await {
        return seated.failed(error);
    }
    let mut response = seated
        .visitor
        .show(StatusCode::OK, "left.html", context! {}, Forms::Stay);
    if let Some(cookie) = cookie::clear(&app) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Keeps the language that somebody chose, for a year.
async fn language(visitor: Visitor) -> Response {
    let next = own_place(visitor.form.get("next")).unwrap_or("/");
    let mut response = visitor.sent_on(next);
    let Ok(locale) = visitor.form.get("lang").parse::<Locale>() else {
        return response;
    };
    let https = visitor
        .app
        .issuance()
        .is_ok_and(|one| one.issuer.starts_with("https:"));
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{LANGUAGE}={locale}; HttpOnly{secure}; SameSite=Lax; Path=/; Max-Age=31536000");
    if let Ok(cookie) = HeaderValue::try_from(text) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response.into_response()
}

/// The cookie of a chosen language.
pub(in crate::http) const LANGUAGE: &str = "symbolon-language";
