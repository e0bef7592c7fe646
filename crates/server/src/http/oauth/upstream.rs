//! `POST /oauth/upstream/{name}` and `GET /oauth/upstream/{name}/callback`: signing in at another provider.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, SET_COOKIE};
use symbolon_domain::oauth::OAuthError;
use symbolon_domain::upstream::Arrival;

use super::super::cookies;
use super::super::pages::hosted;
use super::super::pages::screen::{Fault, Screen, Trouble};
use super::super::pages::visitor::Visitor;
use super::authorize::SIGN_IN;
use super::browser_cookie as cookie;
use super::pages::{Typed, View, redirect};
use super::visit::Visit;
use crate::app::App;
use crate::flows::Error;
use crate::flows::oauth::authorize::{go_on, must_sign_in_anew};
use crate::flows::oauth::browser::{self, Known};
use crate::flows::upstream::{
    Goal, LIFE, Landed, NotLanded, Offered, Returned, begin, choices, land,
};

/// Where the button of each provider leads, and what stands on it.
pub(in crate::http) fn actions(app: &App) -> Vec<(String, &str)> {
    let all = choices(app);
    all.map(|(name, label)| (format!("/oauth/upstream/{name}"), label))
        .collect()
}

/// Sends the browser to a provider, and the request of an application along with it.
pub(super) async fn leave(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    visit: Visit,
) -> Response {
    let view = View::new(&app, &visit.origin);
    let goal = Goal {
        anew: must_sign_in_anew(&app, visit.field("interaction")),
        carried: visit.field("interaction").to_owned(),
    };
    match begin(&app, &name, goal).await {
        Ok(begun) => {
            let mut response = redirect(&begun.location);
            let age = format!("; Max-Age={}", LIFE.as_secs());
            put(&app, &mut response, &begun.cookie, &age);
            response
        }
        Err(error) => refused(&view, error),
    }
}

/// Where providers send the browser back to.
pub(super) async fn come_back(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    visit: Visit,
) -> Response {
    let view = View::new(&app, &visit.origin);
    let landed = arrive(&app, &name, &visit).await;
    let mut response = match landed {
        Ok((landed, begun)) => {
            let carried = landed.carried.as_str();
            let mut response = match is_own(carried) {
                true => view.sent_on(carried, std::iter::empty()),
                false => view.sent_on(SIGN_IN, [("interaction", carried)].into_iter()),
            };
            cookie::put(&app, &mut response, &begun);
            response
        }
        Err(NotLanded::Taken(offered)) if is_own(&offered.carried) => {
            let visitor = Visitor::of_page(&app, visit.origin.clone());
            hosted::ask_for_password(&visitor, &offered)
        }
        Err(NotLanded::Taken(offered)) => ask_for_password(&app, &view, &offered).await,
        Err(error) => refused(&view, error),
    };
    // It is good once.
    put(&app, &mut response, "", "; Max-Age=0");
    response
}

/// Whether what a browser carried is a place of ours, and no request of an application.
fn is_own(carried: &str) -> bool {
    hosted::own_place(carried).is_some()
}

async fn arrive(
    app: &App,
    name: &str,
    visit: &Visit,
) -> Result<(Landed, browser::Begun), NotLanded> {
    let (parameters, origin) = (&visit.parameters, &visit.origin);
    let bound = cookies::named(&visit.headers, cookie_name(app)?.0);
    let bound = bound.map_err(|_| NotLanded::Unbound)?;
    let returned = Returned {
        state: parameters.get("state"),
        code: parameters.get("code"),
        error: parameters.get("error"),
        iss: parameters.get("iss"),
    };
    let landed = land(app, (name, bound), &returned, origin).await?;
    let known = Known {
        user: landed.user.clone(),
        method: landed.method,
        identity: Some(&landed.identity),
    };
    let begun = browser::begin_known(app, known, visit.browser.as_ref(), origin).await?;
    Ok((landed, begun))
}

/// The form that signs in, with the identity in it: a page of this very answer, and of no link (flows/upstream/linking.rs).
async fn ask_for_password(app: &App, view: &View<'_>, offered: &Offered) -> Response {
    let step = go_on(app, &offered.carried, None, view.origin()).await;
    let typed = Typed {
        identifier: &offered.email,
        remember: false,
        told: None,
        link: &offered.offer,
    };
    view.of(step, Some(&typed))
}

/// Why nobody came, on a page.
fn refused(view: &View<'_>, error: NotLanded) -> Response {
    let (trouble, code, detail) = match error {
        NotLanded::Other(error) => return view.failed(error.into()),
        NotLanded::Unknown => {
            let unknown = OAuthError::invalid_request("There is no such provider.");
            return view.failed(unknown.into());
        }
        NotLanded::Unbound => (
            Trouble::Expired,
            "invalid_request",
            "This browser did not begin to sign in there, or it was too long ago.",
        ),
        NotLanded::Denied => (
            Trouble::Request,
            "access_denied",
            "The provider lets nobody in: the sign-in there did not come to its end.",
        ),
        NotLanded::Untrusted(reason) => {
            tracing::warn!(reason, "the answer of another provider is refused");
            let sentence = "What the provider says does not hold.";
            (Trouble::Request, "invalid_grant", sentence)
        }
        NotLanded::Unreachable => (
            Trouble::Busy,
            "temporarily_unavailable",
            "The provider does not answer.",
        ),
        NotLanded::Taken(_) => (Trouble::Request, "access_denied", why(Arrival::Taken)),
        NotLanded::Refused(arrival) => (Trouble::Request, "access_denied", why(arrival)),
    };
    let screen = Screen::Fault(Fault {
        trouble,
        code,
        detail,
    });
    let status = match trouble {
        Trouble::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    view.show(status, &screen)
}

const fn why(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Disabled => "The account is disabled.",
        Arrival::Closed => "There is no account for this identity, and nobody can make one.",
        Arrival::Taken => "There is an account with this address.",
        Arrival::NoAddress => "The provider tells no address to make an account with.",
        Arrival::Unverified => "The provider does not say that the address is confirmed.",
        Arrival::SignIn | Arrival::Register => "The sign-in did not come to its end.",
    }
}

fn put(app: &App, response: &mut Response, value: &str, age: &str) {
    let Ok((name, secure)) = cookie_name(app) else {
        return;
    };
    let text = format!("{name}={value}; HttpOnly{secure}; SameSite=Lax; Path=/{age}");
    if let Ok(mut header) = HeaderValue::try_from(text) {
        header.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, header);
    }
}

fn cookie_name(app: &App) -> Result<(&'static str, &'static str), Error> {
    Ok(match app.issuance()?.issuer.starts_with("https:") {
        true => ("__Host-symbolon-upstream", "; Secure"),
        false => ("symbolon-upstream", ""),
    })
}
