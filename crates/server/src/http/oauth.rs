//! The doors of OAuth 2.1 and OpenID Connect.

mod authorize;
mod browser_cookie;
mod device;
mod form;
mod logout;
mod pages;
mod reply;
mod token;
mod upstream;
mod userinfo;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

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

/// The routes.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/oauth/authorize",
            get(authorize::by_get).post(authorize::by_post),
        )
        .route(
            authorize::SIGN_IN,
            get(authorize::go_on).post(authorize::sign_in),
        )
        .route(authorize::CONSENT, post(authorize::consent))
        .route("/oauth/upstream/{name}", post(upstream::leave))
        .route("/oauth/upstream/{name}/callback", get(upstream::come_back))
        .route("/oauth/token", post(token::token))
        .route("/oauth/introspect", post(token::introspect))
        .route("/oauth/revoke", post(token::revoke))
        .route("/oauth/par", post(token::push))
        .route("/oauth/device", post(token::device))
        .route(
            "/oauth/userinfo",
            get(userinfo::userinfo).post(userinfo::userinfo),
        )
        .route("/oauth/logout", get(logout::by_get).post(logout::by_post))
        .route(logout::CONFIRM, post(logout::confirm))
        .route(device::CODE, get(device::show).post(device::take))
        .route(device::SIGN_IN, post(device::sign_in))
        .route(device::CONFIRM, post(device::decide))
}
