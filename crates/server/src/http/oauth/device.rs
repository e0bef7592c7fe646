//! `GET`, `POST /device`: where a person types the code of a device (RFC 8628 section 3.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use symbolon_domain::Refusal;

use super::super::pages::screen::{
    CodeTold, DeviceCode, DeviceConfirm, Screen, SignIn, Told, Until,
};
use super::authorize::{attempt, told};
use super::browser_cookie as cookie;
use super::pages::{View, asker_of, person};
use super::visit::Visit;
use crate::app::App;
use crate::flows::Error;
use crate::flows::oauth::Failed;
use crate::flows::oauth::browser::Browser;
use crate::flows::oauth::grants::device::{self, Waiting};

/// Where the code is typed.
pub(super) const CODE: &str = "/device";
/// Where who is not signed in signs in first.
pub(super) const SIGN_IN: &str = "/device/sign-in";
/// Where the decision goes.
pub(super) const CONFIRM: &str = "/device/confirm";

/// The page for the code; the device may have put it into the link already (section 3.3.1).
pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit) -> Response {
    ask(
        &View::new(&app, &visit.origin),
        visit.field("user_code"),
        None,
    )
}

fn ask(view: &View<'_>, code: &str, told: Option<CodeTold>) -> Response {
    let screen = Screen::DeviceCode(DeviceCode {
        action: CODE,
        code,
        told,
    });
    let status = match told {
        Some(CodeTold::Busy) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::OK,
    };
    view.show(status, &screen)
}

/// The page that signs in, with the code in its hidden field.
fn ask_who(view: &View<'_>, code: &str, typed: Option<(&str, Told)>) -> Response {
    let registered = view.registered(CODE, ("user_code", code));
    let screen = Screen::SignIn(SignIn {
        action: SIGN_IN,
        interaction: code,
        identifier: typed.map_or("", |(identifier, _)| identifier),
        remember: false,
        told: typed.map(|(_, told)| told),
        link: "",
        asker: None,
        upstreams: &[],
        registered: &registered,
        leaves: false,
    });
    view.show(StatusCode::OK, &screen)
}

/// What a person types to sign in.
pub(super) async fn sign_in(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let view = View::new(&app, &visit.origin);
    let code = visit.field("interaction");
    match attempt(&app, &visit).await {
        Ok(begun) => {
            let mut response = view.sent_on(CODE, [("user_code", code)].into_iter());
            cookie::put(&app, &mut response, &begun);
            response
        }
        Err(error) => match told(&error) {
            Some(told) => ask_who(&view, code, Some((visit.field("identifier"), told))),
            None => view.failed(Failed::Other(error)),
        },
    }
}

/// The code as it was typed.
pub(super) async fn take(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let view = View::new(&app, &visit.origin);
    let typed = visit.field("user_code");
    let Some(browser) = &visit.browser else {
        return ask_who(&view, typed, None);
    };
    match device::find(&app, browser, typed, &visit.origin).await {
        Ok(Some(waiting)) => confirm(&view, browser, &waiting),
        other => not_found(&view, typed, other.err()),
    }
}

/// The page for the code again: no device waits under this one, or it could not be looked up.
fn not_found(view: &View<'_>, typed: &str, error: Option<Error>) -> Response {
    match error {
        None => ask(view, typed, Some(CodeTold::Unknown)),
        Some(Error::Refused(Refusal::RateLimited { .. })) => ask(view, typed, Some(CodeTold::Busy)),
        Some(error) => view.failed(Failed::Other(error)),
    }
}

fn confirm(view: &View<'_>, browser: &Browser, waiting: &Waiting) -> Response {
    let scopes: Vec<&str> = waiting.scopes.iter().map(|scope| scope.as_str()).collect();
    let resources: Vec<&str> = waiting.resources.iter().map(|one| one.as_str()).collect();
    let code = waiting.code();
    let screen = Screen::DeviceConfirm(DeviceConfirm {
        action: CONFIRM,
        interaction: &code,
        code: &code,
        asker: asker_of(&waiting.client),
        user: person(&browser.user),
        scopes: &scopes,
        resources: &resources,
        // The device goes on when the person signs out here.
        until: Until::Withdrawn,
    });
    view.show(StatusCode::OK, &screen)
}

/// What the person decided.
pub(super) async fn decide(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let view = View::new(&app, &visit.origin);
    let (typed, origin) = (visit.field("interaction"), &visit.origin);
    let Some(browser) = &visit.browser else {
        return ask_who(&view, typed, None);
    };
    let allowed = match visit.field("decision") {
        "allow" => true,
        "deny" => false,
        // Another account.
        _ => return ask_who(&view, typed, None),
    };
    let decided = async {
        match device::find(&app, browser, typed, origin).await? {
            Some(waiting) => device::decide(&app, browser, (&waiting, allowed), origin).await,
            None => Ok(false),
        }
    };
    match decided.await {
        Ok(true) => view.show(StatusCode::OK, &Screen::DeviceDone(allowed)),
        other => not_found(&view, typed, other.err()),
    }
}
