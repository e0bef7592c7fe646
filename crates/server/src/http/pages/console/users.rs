//! `/console/users`: who has an account.

mod add;
pub(in crate::http) mod change;
mod one;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use symbolon_domain::{Refusal, RoleName, UserId, UserStatus};

use super::super::super::api::admin::permitted::UsersRead;
use super::super::super::api::admin::users::AccountBody;
use super::super::form::{Filled, Form};
use super::Permitted;
use super::list::{Kind, Listing, ROWS, file};
use crate::app::App;
use crate::flows::users::{self, Search, UserRow};
use crate::flows::{Error, export, roles};
use crate::rfc3339::text as rfc3339;

const PATH: &str = "/console/users";
/// What chooses and orders them.
const CHOSEN: [&str; 5] = ["q", "role", "status", "verified", "sort"];
/// What a file for spreadsheets has of each.
const COLUMNS: [&str; 10] = [
    "id",
    "email",
    "emailVerified",
    "username",
    "name",
    "roles",
    "status",
    "lastLoginAt",
    "createdAt",
    "updatedAt",
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(PATH, get(list))
        .route("/console/users/export.csv", get(as_file))
        .route("/console/users/export.json", get(as_file))
        .route("/console/users/new", get(add::show).post(add::add))
        .route("/console/users/{id}", get(one::show).post(change::save))
        .route("/console/users/{id}/verified", post(change::verified))
        .route("/console/users/{id}/roles", post(change::roles))
        .route("/console/users/{id}/status", post(change::status))
        .route("/console/users/{id}/password", post(change::password))
        .route("/console/users/{id}/sign-out", post(change::sign_out))
        .route("/console/users/{id}/end-session", post(change::end_session))
        .route("/console/users/{id}/withdraw", post(change::withdraw))
        .route("/console/users/{id}/delete", post(change::delete))
}

async fn list(State(app): State<Arc<App>>, permitted: Permitted<UsersRead>) -> Response {
    let form = permitted.seated.form();
    let found = async {
        let mut listing = Listing::of(&app, PATH, &CHOSEN, form)?;
        let search = search(form);
        let page = users::search(&app, &search, ROWS, listing.after.take()).await?;
        let book = app.role_book().await?;
        let sees_roles = permitted.may(roles::READ);
        let (by_email, by_creation) = search.sorts();
        Ok::<_, Error>(context! {
            form => Filled::again(form, &[]).facts(),
            list => listing.facts(&page)?,
            rows => page.items.iter().map(row).collect::<Vec<_>>(),
            roles => book.iter().filter(|_| sees_roles).map(|role| role.name.to_string()).collect::<Vec<_>>(),
            sorts => context! {
                email => listing.sorted(by_email, "email", "-createdAt"),
                created => listing.sorted(by_creation, "createdAt", "-createdAt"),
            },
            may_write => permitted.may(users::WRITE),
        })
    };
    match found.await {
        Ok(facts) => permitted.show("users", "console/users.html", facts),
        Err(error) => permitted.seated.failed(error),
    }
}

/// What is no role, status or order chooses nothing.
fn search(form: &Form) -> Search {
    Search {
        text: form.text("q"),
        role: RoleName::parse(form.get("role")).ok(),
        status: form.get("status").parse::<UserStatus>().ok(),
        verified: form.get("verified").parse::<bool>().ok(),
        sort: form.get("sort").parse().ok(),
    }
}

fn row(row: &UserRow) -> Value {
    let user = &row.user;
    context! {
        id => user.id.to_string(),
        email => user.email.as_str(),
        name => user.name.as_ref().map(|name| name.as_str()),
        username => user.username.as_ref().map(|name| name.as_str()),
        roles => user.roles.to_strings(),
        active => user.is_active(),
        verified => user.email_verified,
        last_login => row.last_login_at.map(rfc3339),
        created => rfc3339(user.created_at),
    }
}

/// All of them as a file.
async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<UsersRead>,
) -> Response {
    let seated = &permitted.seated;
    let wanted = search(seated.form());
    if let Err(error) = export::note(&app, (Some(seated.caller.user), false), seated.origin()).await
    {
        return seated.failed(error);
    }
    let read = move |rows, after| {
        let (app, wanted) = (Arc::clone(&app), wanted.clone());
        async move {
            let page = users::search(&app, &wanted, rows, after).await?;
            Ok(page.map(|row| AccountBody::from(&row)))
        }
    };
    let file = file(kind, "users", &COLUMNS, read).await;
    file.unwrap_or_else(|error| permitted.seated.failed(error))
}

/// What is no id is nobody's.
fn known_id(id: &str) -> Result<UserId, Error> {
    Ok(id.parse().map_err(|_| Refusal::NotFound)?)
}
