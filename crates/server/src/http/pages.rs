//! Pages: those for anybody ([`hosted`]), of the own account ([`account`]), the administration console ([`console`]), the
//! screens of signing in for other applications ([`screen`]), and those that the links in mails lead to. All of them work
//! without a script, save what cannot.
//!
//! Showing a page of a link changes nothing and looks nothing up, for programs that scan mail follow links; only sending
//! the form uses one up.

mod account;
mod asset;
pub(super) mod console;
pub(super) mod form;
pub(super) mod frame;
pub(super) mod hosted;
mod link;
pub(super) mod screen;
pub(super) mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode, Uri};
use symbolon_domain::Refusal;
use url::form_urlencoded;
use zeroize::Zeroizing;

use self::link::{Page, Told, View};
use super::body;
use super::problem::Failure;
use super::query::query;
use crate::app::App;
use crate::flows::address::{self, Confirmed};
use crate::flows::register::{Registration, register};
use crate::flows::{Error, Origin, invitations, reset, verification};

/// Longest token that is put into a form.
const MOST_TOKEN: usize = 128;

/// The routes of the pages.
pub(super) fn routes() -> Router<Arc<App>> {
    let page = |page: Page| {
        let show = move |State(app): State<Arc<App>>, origin: Origin, uri: Uri| async move {
            show(&app, page, &origin, &uri)
        };
        let take = move |State(app): State<Arc<App>>, origin: Origin, request: Request| async move {
            take(&app, page, &origin, request).await
        };
        get(show).post(take)
    };
    Router::new()
        .route(Page::Verify.path(), page(Page::Verify))
        .route(Page::Confirm.path(), page(Page::Confirm))
        .route(Page::Reset.path(), page(Page::Reset))
        .route(Page::Invitation.path(), page(Page::Invitation))
        .route("/assets/{name}", get(asset::show))
        .merge(hosted::routes())
        .merge(account::routes())
        .merge(console::routes())
}

/// Where there is nothing.
pub(super) async fn nowhere(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
) -> Response {
    told(&app, &origin, &headers, Refusal::NotFound)
}

/// Where there is something, but not by this method.
pub(super) async fn not_so(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
) -> Response {
    told(&app, &origin, &headers, Refusal::MethodNotAllowed)
}

/// A page for who looks for one, else what programs are told.
fn told(app: &App, origin: &Origin, headers: &HeaderMap, refusal: Refusal) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    match accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        true => visitor::trouble(app, origin, refusal.into()),
        false => Failure::from(refusal).into_response(),
    }
}

fn show(app: &App, page: Page, origin: &Origin, uri: &Uri) -> Result<Response, Failure> {
    let [token] = query(uri, ["token"])?;
    let token = token.unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let view = if token.is_empty() || token.len() > MOST_TOKEN || !token.bytes().all(plain) {
        View::of(page, Told::Invalid, None)
    } else {
        View::of(page, Told::Nothing, Some(&token))
    };
    Ok(view.response(app, origin, StatusCode::OK))
}

/// What a form holds.
#[derive(Default)]
struct Form {
    token: Zeroizing<String>,
    password: Zeroizing<String>,
}

async fn take(
    app: &App,
    page: Page,
    origin: &Origin,
    request: Request,
) -> Result<Response, Failure> {
    let form = read(request).await?;
    let outcome = act(app, page, origin, &form).await;
    let (told, status, again) = match outcome {
        Ok(told) => (told, StatusCode::OK, None),
        Err(Error::Refused(refusal)) => {
            let (told, again) = match &refusal {
                Refusal::Validation(errors)
                    if errors.iter().all(|error| error.pointer == "/email") =>
                {
                    (Told::BadEmail, true)
                }
                Refusal::Validation(_) => (Told::BadPassword, true),
                Refusal::Conflict(_) => (Told::BadEmail, true),
                Refusal::RateLimited { .. } | Refusal::Overloaded { .. } => (Told::Busy, true),
                _ => (Told::Invalid, false),
            };
            let status = Failure::from(refusal).into_response().status();
            (told, status, again.then_some(form.token.as_str()))
        }
        Err(fault) => return Err(Failure(fault)),
    };
    Ok(View::of(page, told, again).response(app, origin, status))
}

async fn act(app: &App, page: Page, origin: &Origin, form: &Form) -> Result<Told, Error> {
    match page {
        Page::Verify => verification::confirm(app, &form.token, origin).await?,
        Page::Confirm => {
            if address::confirm(app, &form.token, origin).await? == Confirmed::Waiting {
                return Ok(Told::Waiting);
            }
        }
        Page::Reset => reset::reset(app, &form.token, &form.password, origin).await?,
        Page::Invitation => {
            let invited = invitations::invited(app, &form.token).await?;
            let registration = Registration {
                // The address is not asked for: it is the one that the mail went to.
                email: invited.as_str().to_owned(),
                password: form.password.clone(),
                username: None,
                name: None,
                invitation: Some(form.token.clone()),
            };
            register(app, registration, origin).await?;
        }
    }
    Ok(Told::Done)
}

/// A form as browsers send it, each field once.
async fn read(request: Request) -> Result<Form, Failure> {
    if !body::is_form(request.headers()) {
        return Err(Refusal::UnsupportedMediaType.into());
    }
    let bytes = body::read(request.into_body()).await?;
    let mut form = Form::default();
    let mut seen = Vec::new();
    for (name, value) in form_urlencoded::parse(&bytes) {
        let known = ["token", "password"];
        let Some(name) = known.into_iter().find(|known| *known == name) else {
            continue;
        };
        if seen.contains(&name) {
            let sentence = format!("The field {name} is given more than once.");
            return Err(Refusal::MalformedRequest(sentence).into());
        }
        seen.push(name);
        let value = Zeroizing::new(value.into_owned());
        match name {
            "token" => form.token = value,
            _ => form.password = value,
        }
    }
    Ok(form)
}
