//! `/account/password`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::context;
use symbolon_domain::{Problem, Refusal};

use super::super::form::Filled;
use super::super::visitor::{Seated, refused};
use super::typed;
use crate::app::App;
use crate::flows::password;

pub(super) async fn show(seated: Seated) -> Response {
    page(&seated, StatusCode::OK, &Filled::default())
}

pub(super) async fn change(State(app): State<Arc<App>>, seated: Seated) -> Response {
    let changed = async {
        let new = seated.form().get("newPassword");
        if new != seated.form().get("repeatedPassword") {
            let differs = Problem::new("password_differs", "This is not the same password.");
            return Err(Refusal::Validation(vec![differs.at("/repeatedPassword")]).into());
        }
        let current = typed(&seated, "currentPassword")?;
        password::change(&app, &seated.caller, current, new, seated.origin()).await
    };
    match changed.await {
        Ok(()) => seated.done("/account/password", "password_changed"),
        Err(error) => match refused(&seated, error) {
            Ok((status, filled)) => page(&seated, status, &filled),
            Err(response) => response,
        },
    }
}

fn page(seated: &Seated, status: StatusCode, form: &Filled) -> Response {
    let least = seated.app().settings().password.min_length;
    let facts = context! { at => "password", form => form.facts(), least };
    seated.show_as(status, "account/password.html", facts)
}
