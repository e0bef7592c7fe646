//! `GET`, `POST /oauth/userinfo`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;

use super::super::bearer::Credential;
use super::described::UserinfoAnswers;
use super::reply::{Told, json};
use crate::app::App;
use crate::flows::Origin;
use crate::flows::authenticate::check_presented;
use crate::flows::oauth::userinfo::userinfo as flow;

/// Read what an access token tells of its person (OpenID Connect Core 1.0 section 5.3.1).
#[utoipa::path(get, path = "/oauth/userinfo", operation_id = "userinfo", tag = "oauth", security(("bearer" = [])),
    responses(UserinfoAnswers))]
pub(super) async fn by_get(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Result<Response, Told> {
    userinfo(&app, &origin, request).await
}

/// The same by POST. A token in the query or the body is not looked for (OAuth 2.1 section 5.1.1).
#[utoipa::path(post, path = "/oauth/userinfo", operation_id = "userinfoByPost", tag = "oauth", security(("bearer" = [])),
    responses(UserinfoAnswers))]
pub(super) async fn by_post(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Result<Response, Told> {
    userinfo(&app, &origin, request).await
}

async fn userinfo(app: &App, origin: &Origin, request: Request) -> Result<Response, Told> {
    let verified = {
        let credential = Credential::read(request.headers(), request.method(), request.uri())?;
        let now = app.clock.now();
        credential.with(app, |presented| check_presented(app, presented, now))?
    };
    let claims = flow(app, &verified, origin).await?;
    Ok(json(StatusCode::OK, &claims))
}
