//! `/console/users/new`: invites somebody, or makes the account for them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::Refusal;
use zeroize::Zeroizing;

use super::super::super::super::api::admin::invitations::{InviteBody, parse};
use super::super::super::super::api::admin::permitted::UsersWrite;
use super::super::super::form::Filled;
use super::super::super::visitor::refused;
use super::super::Permitted;
use super::PATH;
use super::one::{authority, choices};
use crate::app::App;
use crate::flows::Error;
use crate::flows::invitations;
use crate::flows::users::{self, Fields, New};

pub(super) async fn show(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
) -> Response {
    let how = match permitted.seated.form().get("how") {
        how @ ("password" | "bare") => how,
        _ => "invite",
    };
    let blank = Filled::default().with("how", how);
    page(&app, &permitted, StatusCode::OK, &blank).await
}

async fn page(
    app: &App,
    permitted: &Permitted<UsersWrite>,
    status: StatusCode,
    form: &Filled,
) -> Response {
    match facts(app, permitted, form).await {
        Ok(facts) => permitted
            .seated
            .show_as(status, "console/user-new.html", facts),
        Err(error) => permitted.seated.failed(error),
    }
}

async fn facts(
    app: &App,
    permitted: &Permitted<UsersWrite>,
    form: &Filled,
) -> Result<Value, Error> {
    let seated = &permitted.seated;
    let authority = authority(app, seated).await?;
    let book = app.role_book().await?;
    let chosen: Vec<String> = match seated.visitor.is_sent {
        true => seated.form().all("roles").map(str::to_owned).collect(),
        false => vec!["user".to_owned()],
    };
    Ok(context! {
        at => "users",
        form => form.facts(),
        choices => choices(seated, (&book, authority.as_ref()), &chosen),
        least => app.settings().password.min_length,
    })
}

pub(super) async fn add(State(app): State<Arc<App>>, permitted: Permitted<UsersWrite>) -> Response {
    let seated = &permitted.seated;
    let added = match seated.form().get("how") {
        "invite" => invite(&app, &permitted).await,
        how => create(&app, &permitted, how).await,
    };
    match added {
        Ok((place, done)) => seated.done(&place, done),
        Err(error) => match refused(seated, error) {
            Ok((status, form)) => page(&app, &permitted, status, &form).await,
            Err(response) => response,
        },
    }
}

async fn invite(
    app: &App,
    permitted: &Permitted<UsersWrite>,
) -> Result<(String, &'static str), Error> {
    let seated = &permitted.seated;
    let form = seated.form();
    let body = InviteBody {
        email: form.text("email"),
        name: form.text("name"),
        roles: Some(form.all("roles").map(str::to_owned).collect()),
    };
    invitations::invite(app, permitted.actor(), parse(body)?, seated.origin()).await?;
    Ok(("/console/invitations".to_owned(), "invited"))
}

async fn create(
    app: &App,
    permitted: &Permitted<UsersWrite>,
    how: &str,
) -> Result<(String, &'static str), Error> {
    let seated = &permitted.seated;
    let form = seated.form();
    let password = match how {
        "password" => Some(Zeroizing::new(form.get("password").to_owned())),
        "bare" => None,
        _ => return Err(Refusal::NotFound.into()),
    };
    let new = New {
        fields: Fields {
            email: form.text("email"),
            email_verified: Some(form.has("emailVerified")),
            username: Some(form.text("username")),
            name: Some(form.text("name")),
            roles: Some(form.all("roles").map(str::to_owned).collect()),
            status: None,
        },
        password,
    };
    let user = users::add(app, permitted.actor(), &new, None, seated.origin()).await?;
    Ok((format!("{PATH}/{}", user.id), "user_added"))
}
