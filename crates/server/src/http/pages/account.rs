//! The pages of the own account: profile, password, devices, applications, what happened.

mod activity;
mod apps;
mod devices;
mod password;
mod profile;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use symbolon_domain::{Password, Problem, Refusal};

use super::visitor::Seated;
use crate::app::App;
use crate::flows::Error;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/account", get(profile::show).post(profile::save))
        .route("/account/email", post(profile::change_email))
        .route("/account/email/verification", post(profile::verify_email))
        .route("/account/delete", post(profile::delete))
        .route(
            "/account/password",
            get(password::show).post(password::change),
        )
        .route("/account/devices", get(devices::show))
        .route("/account/devices/end", post(devices::end))
        .route("/account/devices/end-others", post(devices::end_others))
        .route("/account/apps", get(apps::show))
        .route("/account/apps/withdraw", post(apps::withdraw))
        .route("/account/apps/unlink", post(apps::unlink))
        .route("/account/activity", get(activity::show))
}

/// A password that was typed again.
///
/// # Errors
/// `validation_failed` at the field.
fn typed(seated: &Seated, field: &str) -> Result<Password, Error> {
    let parsed = Password::presented(seated.form().get(field));
    let wrong = |problem: Problem| Refusal::Validation(vec![problem.at(format!("/{field}"))]);
    Ok(parsed.map_err(wrong)?)
}
