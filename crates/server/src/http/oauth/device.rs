//! `GET`, `POST /device`: where a person types the code of a device (RFC 8628 section 3.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use symbolon_domain::Refusal;
use symbolon_domain::oauth::OFFLINE_ACCESS;

use super::super::pages::screen::{
    Asker, CodeTold, DeviceCode, DeviceConfirm, Screen, SignIn, Told,
};
use super::authorize::{attempt, told};
use super::browser_cookie as cookie;
use super::form::{of_body, of_query};
use super::pages::{View, person, until};
use super::reply::Told as Failure;
use crate::app::App;
use crate::flows::oauth::Failed;
use crate::flows::oauth::browser::Browser;
use crate::flows::oauth::grants::device::{self, Waiting};
use crate::flows::{Error, Origin};

/// Where the code is typed.
pub(super) const CODE: &str = "/device";
/// Where who is not signed in signs in first.
pub(super) const SIGN_IN: &str = "/device/sign-in";
/// Where the decision goes.
pub(super) const CONFIRM: &str = "/device/confirm";

/// The page for the code; the device may have put it into the link already (section 3.3.1).
pub(super) async fn show(State(app): State<Arc<App>>, origin: Origin, uri: Uri) -> Response {
    let view = View::new(&app, &origin);
    let code = of_query(&uri).ok();
    let code = code.as_ref().and_then(|query| query.get("user_code"));
    ask(&view, code.unwrap_or_default(), None)
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

/// The code as it was typed.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    let headers = request.headers().clone();
    let form = match of_body(request).await {
        Ok(form) => form,
        Err(Failure(failed)) => return view.failed(failed),
    };
    let typed = form.get("user_code").unwrap_or_default();
    match find(&app, &headers, typed, &origin).await {
        Ok(Found::Nobody) => ask_who(&view, typed, None),
        Ok(Found::Nothing) => ask(&view, typed, Some(CodeTold::Unknown)),
        Ok(Found::Device(browser, waiting)) => confirm(&view, &browser, &waiting, typed),
        Err(Error::Refused(Refusal::RateLimited { .. })) => ask(&view, typed, Some(CodeTold::Busy)),
        Err(error) => view.failed(Failed::Other(error)),
    }
}

/// The page that signs in, with the code in its hidden field.
fn ask_who(view: &View<'_>, code: &str, typed: Option<(&str, Told)>) -> Response {
    let screen = Screen::SignIn(SignIn {
        action: SIGN_IN,
        interaction: code,
        identifier: typed.map_or("", |(identifier, _)| identifier),
        remember: false,
        told: typed.map(|(_, told)| told),
        asker: None,
        upstreams: &[],
        leaves: false,
    });
    view.show(StatusCode::OK, &screen)
}

/// What a person types to sign in.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    let headers = request.headers().clone();
    let form = match of_body(request).await {
        Ok(form) => form,
        Err(Failure(failed)) => return view.failed(failed),
    };
    let code = form.get("interaction").unwrap_or_default();
    match attempt(&app, &form, &headers, &origin).await {
        Ok(begun) => {
            let mut response = view.sent_on(CODE, [("user_code", code)].into_iter());
            cookie::put(&app, &mut response, &begun);
            response
        }
        Err(error) => match told(&error) {
            Some(told) => {
                let identifier = form.get("identifier").unwrap_or_default();
                ask_who(&view, code, Some((identifier, told)))
            }
            None => view.failed(Failed::Other(error)),
        },
    }
}

enum Found {
    /// Nobody is signed in.
    Nobody,
    /// No device waits under this code.
    Nothing,
    Device(Box<Browser>, Box<Waiting>),
}

async fn find(
    app: &App,
    headers: &HeaderMap,
    typed: &str,
    origin: &Origin,
) -> Result<Found, Error> {
    let Some(browser) = cookie::who(app, headers).await? else {
        return Ok(Found::Nobody);
    };
    Ok(match device::find(app, &browser, typed, origin).await? {
        Some(waiting) => Found::Device(Box::new(browser), Box::new(waiting)),
        None => Found::Nothing,
    })
}

fn confirm(view: &View<'_>, browser: &Browser, waiting: &Waiting, typed: &str) -> Response {
    let scopes: Vec<&str> = waiting.scopes.iter().map(|scope| scope.as_str()).collect();
    let resources: Vec<&str> = waiting.resources.iter().map(|one| one.as_str()).collect();
    let screen = Screen::DeviceConfirm(DeviceConfirm {
        action: CONFIRM,
        interaction: typed,
        code: typed,
        asker: Asker {
            name: waiting.client.definition.name.as_str(),
            host: waiting.client.id.as_str(),
            unverified: false,
        },
        user: person(&browser.user),
        scopes: &scopes,
        resources: &resources,
        until: until(waiting.scopes.contains(OFFLINE_ACCESS)),
    });
    view.show(StatusCode::OK, &screen)
}

/// What the person decided.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    let headers = request.headers().clone();
    let form = match of_body(request).await {
        Ok(form) => form,
        Err(Failure(failed)) => return view.failed(failed),
    };
    let typed = form.get("interaction").unwrap_or_default();
    let allowed = form.get("decision") == Some("allow");
    let decided = async {
        match find(&app, &headers, typed, &origin).await? {
            Found::Device(browser, waiting) => {
                device::decide(&app, &browser, (&waiting, allowed), &origin).await
            }
            _ => Ok(false),
        }
    };
    match decided.await {
        Ok(true) => view.show(StatusCode::OK, &Screen::DeviceDone(allowed)),
        Ok(false) => ask(&view, typed, Some(CodeTold::Unknown)),
        Err(error) => view.failed(Failed::Other(error)),
    }
}
