//! `/console/roles`, `/console/role/{name}`: what roles allow.
//!
//! One role has a path of its own, for `new` and `export.csv` are names that roles can have.

mod form;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Permissions, Refusal, Role, RoleBook, RoleName, Roles};

use super::super::super::api::admin::permitted::{RolesRead, RolesWrite};
use super::super::super::api::admin::roles::{RoleBody, known_name};
use super::super::form::Filled;
use super::super::visitor::{Seated, refused};
use super::Permitted;
use super::list::{Kind, file};
use super::users::change::version;
use crate::app::App;
use crate::flows::Error;
use crate::flows::page::Page;
use crate::flows::roles::{self, Change};
use crate::flows::users::{self, Search};
use crate::rfc3339::text as rfc3339;

const PATH: &str = "/console/roles";
const COLUMNS: [&str; 8] = [
    "name",
    "description",
    "permissions",
    "includes",
    "effectivePermissions",
    "builtin",
    "createdAt",
    "updatedAt",
];
/// Those who have a role, as far as its page names them.
const HOLDERS: u32 = 6;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(PATH, get(list))
        .route("/console/roles/export.csv", get(as_file))
        .route("/console/roles/export.json", get(as_file))
        .route("/console/roles/new", get(blank).post(create))
        .route("/console/role/{name}", get(show).post(save))
        .route("/console/role/{name}/delete", post(delete))
}

async fn list(State(app): State<Arc<App>>, permitted: Permitted<RolesRead>) -> Response {
    match roles::book(&app).await {
        Ok(book) => {
            let facts = context! {
                rows => book.iter().map(|role| row(&book, role)).collect::<Vec<_>>(),
                may_write => permitted.may(roles::WRITE),
            };
            permitted.show("roles", "console/roles.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}

fn row(book: &RoleBook, role: &Role) -> Value {
    let alone = Roles::new(vec![role.name.clone()]);
    let all = book.effective(&alone).permissions;
    context! {
        name => role.name.to_string(),
        description => &role.description,
        permissions => owned(&role.permissions),
        includes => role.includes.to_strings(),
        effective => owned(&all),
        builtin => role.builtin,
        version => role.version,
        created => rfc3339(role.created_at),
        updated => rfc3339(role.updated_at),
    }
}

fn owned(permissions: &Permissions) -> Vec<String> {
    permissions.names().into_iter().map(str::to_owned).collect()
}

async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    permitted: Permitted<RolesRead>,
) -> Response {
    let shown = Shown::default();
    page(&app, &permitted.seated, &name, &shown).await
}

/// The page of a role: its form and what was refused of it, or of its end.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    form: Option<Filled>,
    trouble: Filled,
}

async fn page(app: &App, seated: &Seated, name: &str, shown: &Shown) -> Response {
    match facts(app, seated, name, shown).await {
        Ok(facts) => seated.show_as(shown.status, "console/role.html", facts),
        Err(error) => seated.failed(error),
    }
}

async fn facts(app: &App, seated: &Seated, name: &str, shown: &Shown) -> Result<Value, Error> {
    // What was refused of a change is no way to see what one may not.
    if !seated.may.allow(roles::READ) {
        return Err(Refusal::Forbidden.into());
    }
    let (book, role) = roles::find(app, &known_name(name)?).await?;
    let holders = match seated.may.allow(users::READ) {
        true => Some(holders(app, &role.name).await?),
        false => None,
    };
    let bringing = book.bringing(&role.name);
    let others = bringing.iter().filter(|other| **other != role.name);
    let may = form::may(app, seated).await?;
    let changes = may.as_ref().filter(|authority| {
        let alone = Roles::new(vec![role.name.clone()]);
        !role.builtin && authority.may_grant(&alone).is_ok()
    });
    let chosen = match &shown.form {
        Some(_) => form::Chosen::sent(seated.form()),
        None => form::Chosen::stored(&role),
    };
    let stored = || Filled::default().with("description", role.description.as_str());
    Ok(context! {
        at => "roles",
        role => row(&book, &role),
        included_by => others.map(ToString::to_string).collect::<Vec<_>>(),
        holders,
        changes => changes.is_some(),
        form => shown.form.as_ref().map_or_else(|| stored().facts(), Filled::facts),
        trouble => shown.trouble.facts(),
        ..form::facts(&book, &chosen, Some(&role.name)),
    })
}

async fn holders(app: &App, name: &RoleName) -> Result<Value, Error> {
    let search = Search {
        role: Some(name.clone()),
        ..Search::default()
    };
    let page = users::search(app, &search, HOLDERS, None).await?;
    let each = page.items.iter().map(|row| {
        context! { id => row.user.id.to_string(), email => row.user.email.as_str() }
    });
    Ok(context! { rows => each.collect::<Vec<_>>(), more => page.next.is_some() })
}

async fn save(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    permitted: Permitted<RolesWrite>,
) -> Response {
    let seated = &permitted.seated;
    let saved = async {
        let definition = form::Chosen::sent(seated.form()).read()?;
        let change = Change {
            description: Some(seated.form().get("description").trim().to_owned()),
            permissions: Some(definition.0),
            includes: Some(definition.1),
        };
        let which = (&known_name(&name)?, &change, version(seated.form())?);
        roles::change(&app, permitted.actor(), which, seated.origin()).await
    };
    let error = match saved.await {
        Ok(role) => return seated.done(&format!("/console/role/{}", role.name), "role_saved"),
        Err(error) => error,
    };
    match refused(seated, error) {
        Ok((status, filled)) => {
            let shown = Shown {
                status,
                form: Some(filled),
                ..Shown::default()
            };
            page(&app, seated, &name, &shown).await
        }
        Err(response) => response,
    }
}

async fn delete(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    permitted: Permitted<RolesWrite>,
) -> Response {
    let seated = &permitted.seated;
    let deleted = async {
        let which = (&known_name(&name)?, version(seated.form())?);
        roles::delete(&app, permitted.actor(), which, seated.origin()).await
    };
    let error = match deleted.await {
        Ok(()) => return seated.done(PATH, "role_deleted"),
        Err(error) => error,
    };
    match refused(seated, error) {
        Ok((status, trouble)) => {
            let shown = Shown {
                status,
                trouble,
                ..Shown::default()
            };
            page(&app, seated, &name, &shown).await
        }
        Err(response) => response,
    }
}

async fn blank(State(app): State<Arc<App>>, permitted: Permitted<RolesWrite>) -> Response {
    let (form, chosen) = (Filled::default(), form::Chosen::default());
    new(&app, &permitted, StatusCode::OK, (&form, &chosen)).await
}

async fn new(
    app: &App,
    permitted: &Permitted<RolesWrite>,
    status: StatusCode,
    (form, chosen): (&Filled, &form::Chosen),
) -> Response {
    match roles::book(app).await {
        Ok(book) => {
            let facts = context! {
                at => "roles",
                form => form.facts(),
                ..form::facts(&book, chosen, None),
            };
            permitted
                .seated
                .show_as(status, "console/role-new.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}

async fn create(State(app): State<Arc<App>>, permitted: Permitted<RolesWrite>) -> Response {
    let seated = &permitted.seated;
    let chosen = form::Chosen::sent(seated.form());
    let created = async {
        let definition = chosen.define(seated.form())?;
        roles::create(&app, permitted.actor(), &definition, seated.origin()).await
    };
    let error = match created.await {
        Ok(role) => return seated.done(&format!("/console/role/{}", role.name), "role_added"),
        Err(error) => error,
    };
    match refused(seated, error) {
        Ok((status, form)) => new(&app, &permitted, status, (&form, &chosen)).await,
        Err(response) => response,
    }
}

/// All of them as a file.
async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<RolesRead>,
) -> Response {
    let read = move |_, _: Option<()>| {
        let app = Arc::clone(&app);
        async move {
            let mut items = Vec::new();
            for role in roles::book(&app).await?.iter() {
                items.push(RoleBody::of(&app, role).await?);
            }
            Ok(Page { items, next: None })
        }
    };
    let file = file(kind, "roles", &COLUMNS, read).await;
    file.unwrap_or_else(|error| permitted.seated.failed(error))
}
