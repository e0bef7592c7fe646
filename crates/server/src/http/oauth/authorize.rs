//! `GET`, `POST /oauth/authorize`, and the pages that it leads to.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use symbolon_domain::oauth::OAuthError;
use symbolon_domain::{Identifier, Password, Refusal};

use super::super::pages::screen::Told;
use super::browser_cookie as cookie;
use super::described::{AuthorizationForm, PageFaults};
use super::pages::{Typed, View};
use super::visit::Visit;
use crate::app::App;
use crate::flows::oauth::Failed;
use crate::flows::oauth::authorize::{self as flow, Decision};
use crate::flows::oauth::browser::{self, SignIn};
use crate::flows::upstream::{self, Offer};
use crate::flows::{Error, Origin};

/// Where the page that signs in sends its form.
pub(super) const SIGN_IN: &str = "/oauth/sign-in";
/// Where the page that asks does.
pub(super) const CONSENT: &str = "/oauth/consent";

/// Send a person here to sign in and agree (OAuth 2.1 section 4.1.1).
#[utoipa::path(get, path = "/oauth/authorize", operation_id = "authorize", tag = "oauth", security(()), params(AuthorizationForm),
    responses(
        (status = 200, description = "A page for the person, or a form with the answer", body = String, content_type = "text/html"),
        (status = 303, description = "The answer, on its way to the client"),
        PageFaults))]
pub(super) async fn by_get(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let browser = visit.browser.as_ref();
    let step = flow::begin(&app, visit.parameters, browser, &visit.origin).await;
    View::new(&app, &visit.origin).of(step, None)
}

/// The same with the parameters in a form (OpenID Connect Core 1.0 section 3.1.2.1).
///
/// Our cookie does not come with a form of another site, so the browser is sent on with the parameters in the query.
#[utoipa::path(post, path = "/oauth/authorize", operation_id = "authorizeByPost", tag = "oauth", security(()),
    request_body(content = AuthorizationForm, description = "The request", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the same address with a query"),
        PageFaults))]
pub(super) async fn by_post(State(app): State<Arc<App>>, visit: Visit) -> Response {
    View::new(&app, &visit.origin).sent_on("/oauth/authorize", visit.parameters.pairs())
}

/// The request again, after a sign-in.
pub(super) async fn go_on(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let (interaction, browser) = (visit.field("interaction"), visit.browser.as_ref());
    let step = flow::go_on(&app, interaction, browser, &visit.origin).await;
    View::new(&app, &visit.origin).of(step, None)
}

/// What a person types to sign in.
pub(super) async fn sign_in(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let view = View::new(&app, &visit.origin);
    let interaction = visit.field("interaction");
    let offer = match offer(&app, visit.field("link")) {
        Ok(offer) => offer,
        Err(failed) => return view.failed(failed),
    };
    let error = match attempt(&app, &visit).await {
        Ok(begun) => {
            if let Some(offer) = offer {
                link(&app, &begun, &offer, &visit.origin).await;
            }
            let mut response = view.sent_on(SIGN_IN, [("interaction", interaction)].into_iter());
            cookie::put(&app, &mut response, &begun);
            return response;
        }
        Err(error) => error,
    };
    let Some(told) = told(&error) else {
        return view.of(Err(error.into()), None);
    };
    // The form again, whoever may be signed in: that is what was asked for.
    let step = flow::go_on(&app, interaction, None, &visit.origin).await;
    let typed = Typed {
        identifier: visit.field("identifier"),
        remember: visit.parameters.get("remember").is_some(),
        told: Some(told),
        link: visit.field("link"),
    };
    view.of(step, Some(&typed))
}

/// The identity of another provider that the form carries, if it does.
fn offer(app: &App, sealed: &str) -> Result<Option<Offer>, Failed> {
    match sealed {
        "" => Ok(None),
        sealed => Ok(Some(Offer::open(app, sealed)?.ok_or(Failed::Expired)?)),
    }
}

/// Links it to the account of who has just signed in. They are signed in, whatever comes of it.
async fn link(app: &App, begun: &browser::Begun, offer: &Offer, origin: &Origin) {
    let user = begun.browser.user.id;
    match upstream::link(app, user, offer, origin).await {
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "an identity was not linked"),
    }
}

/// What is said beside the form; nothing for a fault.
pub(super) fn told(error: &Error) -> Option<Told> {
    let Error::Refused(refusal) = error else {
        return None;
    };
    Some(match refusal {
        Refusal::AccountDisabled => Told::Disabled,
        Refusal::EmailNotVerified => Told::Unconfirmed,
        Refusal::RateLimited { .. } | Refusal::Overloaded { .. } => Told::Busy,
        _ => Told::WrongCredentials,
    })
}

/// Signs in with what a form holds.
pub(super) async fn attempt(app: &App, visit: &Visit) -> Result<browser::Begun, Error> {
    let wrong = |_| Refusal::InvalidCredentials;
    let sign_in = SignIn {
        identifier: Identifier::parse(visit.field("identifier")).map_err(wrong)?,
        password: Password::presented(visit.field("password")).map_err(wrong)?,
        remember: visit.parameters.get("remember").is_some(),
    };
    browser::begin(app, sign_in, visit.browser.as_ref(), &visit.origin).await
}

/// What a person answers.
pub(super) async fn consent(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let (interaction, origin) = (visit.field("interaction"), &visit.origin);
    let decision = match visit.field("decision") {
        "allow" => Some(Decision::Allow),
        "deny" => Some(Decision::Deny),
        "switch" => None,
        _ => {
            let none = OAuthError::invalid_request("The decision is none.");
            return View::new(&app, origin).failed(none.into());
        }
    };
    let step = match decision {
        Some(decision) => {
            let browser = visit.browser.as_ref();
            flow::decide(&app, interaction, browser, (decision, origin)).await
        }
        // Another account: the form again, whoever is signed in.
        None => flow::go_on(&app, interaction, None, origin).await,
    };
    View::new(&app, origin).of(step, None)
}
