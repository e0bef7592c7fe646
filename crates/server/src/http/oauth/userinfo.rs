//! `GET`, `POST /oauth/userinfo`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;

use super::super::bearer::Credential;
use super::reply::{Told, json};
use crate::app::App;
use crate::flows::Origin;
use crate::flows::authenticate::check_presented;
use crate::flows::oauth::userinfo::userinfo as flow;

/// What an access token tells of its person (OpenID Connect Core 1.0 section 5.3.1). A token in the query or the body is not
/// looked for (OAuth 2.1 section 5.1.1).
pub(super) async fn userinfo(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Result<Response, Told> {
    let verified = {
        let credential = Credential::read(request.headers(), request.method(), request.uri())?;
        let now = app.clock.now();
        credential.with(&app, |presented| check_presented(&app, presented, now))?
    };
    let claims = flow(&app, &verified, &origin).await?;
    Ok(json(StatusCode::OK, &claims))
}
