//! People's sign-in (CONTRACT section 3.1), what guards ask, and administration: one file a path.

pub(super) mod admin;
mod consents;
mod email;
mod forgotten;
mod identities;
mod login;
mod logout;
mod password;
mod profile;
mod refresh;
mod register;
mod revocations;
mod sessions;
mod setup;
mod user;
mod verify;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(register::post))
        .routes(routes!(login::post))
        .routes(routes!(setup::post))
        .routes(routes!(refresh::post, refresh::delete))
        .routes(routes!(logout::post))
        .routes(routes!(logout::post_all))
        .routes(routes!(profile::get, profile::patch, profile::delete))
        .routes(routes!(password::post))
        .routes(routes!(identities::list))
        .routes(routes!(identities::delete))
        .routes(routes!(email::change))
        .routes(routes!(email::confirm))
        .routes(routes!(email::ask))
        .routes(routes!(email::verify))
        .routes(routes!(forgotten::forgot))
        .routes(routes!(forgotten::reset))
        .routes(routes!(consents::list))
        .routes(routes!(consents::delete))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::delete))
        .routes(routes!(revocations::get))
        .routes(routes!(revocations::stream))
        .routes(routes!(verify::get))
        .merge(admin::routes())
}
