//! Administration (CONTRACT section 3.2): one file a path, and what its lists have in common.
//!
//! Each route asks for one permission ([`permitted`]), a list is read in pages ([`page`]) and takes the parameters that it
//! knows and no others ([`parameters`]), a change is meant for one version ([`version`]), and a creation happens once
//! ([`creation`]).

pub(in crate::http) mod audit;
pub(in crate::http) mod clients;
mod consents;
mod creation;
pub(in crate::http) mod invitations;
mod keys;
pub(super) mod page;
pub(super) mod parameters;
pub(in crate::http) mod permitted;
pub(in crate::http) mod revocations;
pub(in crate::http) mod roles;
pub(in crate::http) mod sessions;
mod stats;
pub(in crate::http) mod users;
mod version;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(audit::list))
        .routes(routes!(audit::show))
        .routes(routes!(clients::list, clients::create))
        .routes(routes!(
            clients::show,
            clients::replace,
            clients::patch,
            clients::delete
        ))
        .routes(routes!(clients::add_secret))
        .routes(routes!(clients::delete_secret))
        .routes(routes!(keys::list, keys::rotate))
        .routes(routes!(keys::show, keys::withdraw))
        .routes(routes!(revocations::list, revocations::add))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::show, sessions::delete))
        .routes(routes!(stats::show))
        .routes(routes!(invitations::list, invitations::create))
        .routes(routes!(invitations::delete))
        .routes(routes!(roles::list, roles::create))
        .routes(routes!(
            roles::show,
            roles::replace,
            roles::patch,
            roles::delete
        ))
        .routes(routes!(users::list, users::create))
        .routes(routes!(
            users::show,
            users::replace,
            users::patch,
            users::delete
        ))
        .routes(routes!(users::set_password))
        .routes(routes!(users::sign_out))
        .routes(routes!(consents::list))
        .routes(routes!(consents::delete))
}
