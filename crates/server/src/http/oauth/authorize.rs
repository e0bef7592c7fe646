//! `GET`, `POST /oauth/authorize`, and the pages that it leads to.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use symbolon_domain::oauth::{OAuthError, Parameters};
use symbolon_domain::{Identifier, Password, Refusal};

use super::super::pages::screen::Told;
use super::browser_cookie as cookie;
use super::form::{of_body, of_query};
use super::pages::{Typed, View};
use super::reply::Told as Failure;
use crate::app::App;
use crate::flows::oauth::Failed;
use crate::flows::oauth::authorize::{self as flow, Decision, Step};
use crate::flows::oauth::browser::{self, SignIn};
use crate::flows::{Error, Origin};

/// Where the page that signs in sends its form.
pub(super) const SIGN_IN: &str = "/oauth/sign-in";
/// Where the page that asks does.
pub(super) const CONSENT: &str = "/oauth/consent";

/// The authorization endpoint (OAuth 2.1 section 4.1.1).
pub(super) async fn by_get(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let view = View::new(&app, &origin);
    let begun = begin(&app, of_query(&uri), &headers, &origin).await;
    view.of(begun, None)
}

/// The same with the parameters in a form (OpenID Connect Core 1.0 section 3.1.2.1). Our cookie does not come with a form of
/// another site, so the browser is sent on with the parameters in the query.
pub(super) async fn by_post(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    match of_body(request).await {
        Ok(parameters) => view.sent_on("/oauth/authorize", parameters.pairs()),
        Err(Failure(failed)) => view.of(Err(failed), None),
    }
}

async fn begin(
    app: &App,
    parameters: Result<Parameters, OAuthError>,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<Step, Failed> {
    let parameters = parameters?;
    let browser = cookie::who(app, headers).await?;
    flow::begin(app, parameters, browser.as_ref(), origin).await
}

/// The request again, after a sign-in.
pub(super) async fn go_on(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let view = View::new(&app, &origin);
    let again = async {
        let parameters = of_query(&uri)?;
        let browser = cookie::who(&app, &headers).await?;
        let interaction = parameters.required("interaction")?;
        flow::go_on(&app, interaction, browser.as_ref(), &origin).await
    };
    view.of(again.await, None)
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
        Err(Failure(failed)) => return view.of(Err(failed), None),
    };
    match attempt(&app, &form, &headers, &origin).await {
        Ok(begun) => {
            let interaction = form.get("interaction").unwrap_or_default();
            let mut response = view.sent_on(SIGN_IN, [("interaction", interaction)].into_iter());
            cookie::put(&app, &mut response, &begun);
            response
        }
        Err(error) => {
            let Some(told) = told(&error) else {
                return view.of(Err(error.into()), None);
            };
            let interaction = form.get("interaction").unwrap_or_default();
            // The form again, whoever may be signed in: that is what was asked for.
            let step = flow::go_on(&app, interaction, None, &origin).await;
            let kept = Typed {
                identifier: form.get("identifier").unwrap_or_default(),
                remember: form.get("remember").is_some(),
                told,
            };
            view.of(step, Some(&kept))
        }
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
pub(super) async fn attempt(
    app: &App,
    form: &Parameters,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<browser::Begun, Error> {
    let wrong = |_| Refusal::InvalidCredentials;
    let identifier = Identifier::parse(form.get("identifier").unwrap_or_default());
    let password = Password::presented(form.get("password").unwrap_or_default());
    let sign_in = SignIn {
        identifier: identifier.map_err(wrong)?,
        password: password.map_err(wrong)?,
        remember: form.get("remember").is_some(),
    };
    let former = cookie::who(app, headers).await?;
    let (begun, _) = browser::begin(app, sign_in, former.as_ref(), origin).await;
    begun
}

/// What a person answers.
pub(super) async fn consent(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    let headers = request.headers().clone();
    let answered = async {
        let form = of_body(request).await.map_err(|Failure(failed)| failed)?;
        let interaction = form.required("interaction")?;
        let browser = cookie::who(&app, &headers).await?;
        let decision = match form.required("decision")? {
            "allow" => Decision::Allow,
            "deny" => Decision::Deny,
            // Another account: the form again, whoever is signed in.
            "switch" => return flow::go_on(&app, interaction, None, &origin).await,
            _ => return Err(OAuthError::invalid_request("The decision is none.").into()),
        };
        flow::decide(&app, interaction, browser.as_ref(), (decision, &origin)).await
    };
    view.of(answered.await, None)
}
