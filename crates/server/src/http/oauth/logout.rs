//! `GET`, `POST /oauth/logout` (OpenID Connect RP-Initiated Logout 1.0)

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode, Uri};
use symbolon_domain::oauth::OAuthError;

use super::super::pages::screen::{Asker, Screen, SignOut, SignedOut};
use super::browser_cookie as cookie;
use super::form::{of_body, of_query};
use super::pages::{View, person, redirect, with_query};
use super::reply::Told as Failure;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::oauth::Failed;
use crate::flows::oauth::browser::Browser;
use crate::flows::oauth::end_session::{self, Ending};

/// Where the page that asks sends its form.
pub(super) const CONFIRM: &str = "/oauth/logout/confirm";

/// The end session endpoint.
pub(super) async fn by_get(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let view = View::new(&app, &origin);
    let ended = async {
        let browser = cookie::who(&app, &headers).await?;
        let parameters = of_query(&uri)?;
        let ending = end_session::begin(&app, parameters, browser.as_ref(), &origin).await?;
        Ok((ending, browser))
    };
    render(&app, &view, ended.await)
}

/// The same with the parameters in a form; the browser is sent on, for our cookie does not come with a form of another site.
pub(super) async fn by_post(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    match of_body(request).await {
        Ok(parameters) => view.sent_on("/oauth/logout", parameters.pairs()),
        Err(Failure(failed)) => view.failed(failed),
    }
}

/// What the person answers.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Response {
    let view = View::new(&app, &origin);
    let headers = request.headers().clone();
    let answered = async {
        let form = of_body(request).await.map_err(|Failure(failed)| failed)?;
        let browser = cookie::who(&app, &headers).await?;
        match form.required("decision")? {
            "allow" => {}
            "deny" => return Ok((None, browser)),
            _ => return Err(OAuthError::invalid_request("The decision is none.").into()),
        }
        let interaction = form.required("interaction")?;
        let ending = end_session::confirm(&app, interaction, browser.as_ref(), &origin).await?;
        Ok((Some(ending), browser))
    };
    match answered.await {
        Ok((Some(ending), browser)) => render(&app, &view, Ok((ending, browser))),
        Ok((None, _)) => {
            let stays = SignedOut {
                signed_out: false,
                back: None,
            };
            view.show(StatusCode::OK, &Screen::SignedOut(stays))
        }
        Err(failed) => view.failed(failed),
    }
}

fn render(
    app: &App,
    view: &View<'_>,
    ended: Result<(Ending, Option<Browser>), Failed>,
) -> Response {
    match ended {
        Ok((
            Ending::Ask {
                client,
                interaction,
            },
            browser,
        )) => {
            let asker = client.as_ref().map(|client| Asker {
                name: client.definition.name.as_str(),
                host: client.id.as_str(),
                unverified: false,
            });
            let screen = Screen::SignOut(SignOut {
                action: CONFIRM,
                interaction: &interaction,
                asker,
                user: browser.as_ref().map(|browser| person(&browser.user)),
                leaves: true,
            });
            view.show(StatusCode::OK, &screen)
        }
        Ok((Ending::Done { back, trusted }, _)) => {
            let back = back.map(|(uri, state)| {
                let state = state.as_deref().map(|state| ("state", state));
                with_query(uri.as_str(), state.into_iter())
            });
            let mut response = match &back {
                Some(back) if trusted => redirect(back),
                back => view.show(
                    StatusCode::OK,
                    &Screen::SignedOut(SignedOut {
                        signed_out: true,
                        back: back.as_deref(),
                    }),
                ),
            };
            if let Some(cookie) = cookie::clear(app) {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        Err(failed) => view.failed(failed),
    }
}
