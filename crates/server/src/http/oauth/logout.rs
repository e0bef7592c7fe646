//! `GET`, `POST /oauth/logout` (OpenID Connect RP-Initiated Logout 1.0)

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;
use symbolon_domain::oauth::OAuthError;

use super::super::pages::screen::{Screen, SignOut, SignedOut};
use super::browser_cookie as cookie;
use super::described::{LogoutForm, PageFaults};
use super::pages::{View, asker_of, person, redirect, with_query};
use super::visit::Visit;
use crate::app::App;
use crate::flows::oauth::browser::Browser;
use crate::flows::oauth::end_session::{self, Ending};

/// Where the page that asks sends its form.
pub(super) const CONFIRM: &str = "/oauth/logout/confirm";

/// Send a person here to be signed out (OpenID Connect RP-Initiated Logout 1.0 section 2).
#[utoipa::path(get, path = "/oauth/logout", operation_id = "rpInitiatedLogout", tag = "oauth", security(()), params(LogoutForm),
    responses(
        (status = 200, description = "A page for the person: asking, or done", body = String, content_type = "text/html"),
        (status = 303, description = "Signed out, and back to the client"),
        PageFaults))]
pub(super) async fn by_get(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let view = View::new(&app, &visit.origin);
    let browser = visit.browser.as_ref();
    match end_session::begin(&app, visit.parameters, browser, &visit.origin).await {
        Ok(ending) => render(&app, &view, &ending, browser),
        Err(failed) => view.failed(failed),
    }
}

/// The same with the parameters in a form.
///
/// The browser is sent on, for our cookie does not come with a form of another site.
#[utoipa::path(post, path = "/oauth/logout", operation_id = "rpInitiatedLogoutByPost", tag = "oauth", security(()),
    request_body(content = LogoutForm, description = "The request", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the same address with a query"),
        PageFaults))]
pub(super) async fn by_post(State(app): State<Arc<App>>, visit: Visit) -> Response {
    View::new(&app, &visit.origin).sent_on("/oauth/logout", visit.parameters.pairs())
}

/// What the person answers.
pub(super) async fn confirm(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let view = View::new(&app, &visit.origin);
    let (interaction, browser) = (visit.field("interaction"), visit.browser.as_ref());
    match visit.field("decision") {
        "allow" => {}
        "deny" => return signed_out(&view, false, None),
        _ => {
            let none = OAuthError::invalid_request("The decision is none.");
            return view.failed(none.into());
        }
    }
    match end_session::confirm(&app, interaction, browser, &visit.origin).await {
        Ok(ending) => render(&app, &view, &ending, browser),
        Err(failed) => view.failed(failed),
    }
}

fn signed_out(view: &View<'_>, signed_out: bool, back: Option<&str>) -> Response {
    let screen = Screen::SignedOut(SignedOut { signed_out, back });
    view.show(StatusCode::OK, &screen)
}

fn render(app: &App, view: &View<'_>, ending: &Ending, browser: Option<&Browser>) -> Response {
    let (back, trusted) = match ending {
        Ending::Ask {
            client,
            interaction,
        } => {
            let screen = Screen::SignOut(SignOut {
                action: CONFIRM,
                interaction,
                asker: client.as_deref().map(asker_of),
                user: browser.map(|browser| person(&browser.user)),
                leaves: true,
            });
            return view.show(StatusCode::OK, &screen);
        }
        Ending::Done { back, trusted } => (back, *trusted),
    };
    let back = back.as_ref().map(|(uri, state)| {
        let state = state.as_deref().map(|state| ("state", state));
        with_query(uri.as_str(), state.into_iter())
    });
    let mut response = match &back {
        Some(back) if trusted => redirect(back),
        back => signed_out(view, true, back.as_deref()),
    };
    if let Some(cookie) = cookie::clear(app) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
