//! The doors of OAuth 2.1 and OpenID Connect.

mod authorize;
pub(super) mod browser_cookie;
mod described;
mod device;
pub(super) mod form;
mod logout;
mod pages;
mod reply;
mod token;
pub(super) mod upstream;
mod userinfo;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::described::UserinfoBody;
pub(super) use self::reply::OAuthBody;
use crate::app::App;

/// What asks by credentials of its own, never by a cookie: pages of other origins may call it.
const BY_CREDENTIALS: [&str; 7] = [
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/oauth/par",
    "/oauth/device",
    "/oauth/register",
];

/// Where a request of another site's page is what is meant: nothing is done for it before the person has answered.
pub(super) fn takes_cross_site(path: &str) -> bool {
    path == "/oauth/authorize" || path == "/oauth/logout" || BY_CREDENTIALS.contains(&path)
}

/// The endpoints.
pub(super) fn endpoints() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(authorize::by_get, authorize::by_post))
        .routes(routes!(token::token))
        .routes(routes!(token::introspect))
        .routes(routes!(token::revoke))
        .routes(routes!(token::push))
        .routes(routes!(token::device))
        .routes(routes!(userinfo::by_get, userinfo::by_post))
        .routes(routes!(logout::by_get, logout::by_post))
}

/// The pages that they lead to, which are for people and not described.
pub(super) fn screens() -> Router<Arc<App>> {
    Router::new()
        .route(
            authorize::SIGN_IN,
            get(authorize::go_on).post(authorize::sign_in),
        )
        .route(authorize::CONSENT, post(authorize::consent))
        .route("/oauth/upstream/{name}", post(upstream::leave))
        .route("/oauth/upstream/{name}/callback", get(upstream::come_back))
        .route(logout::CONFIRM, post(logout::confirm))
        .route(device::CODE, get(device::show).post(device::take))
        .route(device::SIGN_IN, post(device::sign_in))
        .route(device::CONFIRM, post(device::decide))
}
