//! `/console/clients`: the applications, one of them, a new one.
//!
//! One client has a path of its own, for `new` and `export.csv` are ids that clients can have.

mod form;
mod wizard;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use minijinja::{Value, context};
use symbolon_domain::{Client, ClientId, ClientStatus, Refusal};
use uuid::Uuid;

use super::super::super::api::admin::clients::ClientBody;
use super::super::super::api::admin::permitted::{ClientsRead, ClientsWrite, Needed};
use super::super::form::{Filled, Form};
use super::super::visitor::{Seated, refused};
use super::Permitted;
use super::list::{Kind, Listing, ROWS, file};
use crate::app::App;
use crate::flows::clients::{self, Which};
use crate::flows::{Error, roles};
use crate::rfc3339::text as rfc3339;

const PATH: &str = "/console/clients";
/// What a table of them has.
const COLUMNS: [&str; 8] = [
    "id",
    "name",
    "type",
    "status",
    "grants",
    "scopes",
    "redirectUris",
    "updatedAt",
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(PATH, get(list))
        .route("/console/clients/export.csv", get(as_file))
        .route("/console/clients/export.json", get(as_file))
        .route("/console/clients/new", get(wizard::choose))
        .route(
            "/console/clients/new/{kind}",
            get(wizard::show).post(wizard::create),
        )
        .route("/console/client/{id}", get(show).post(save))
        .route("/console/client/{id}/code", get(wizard::code))
        .route("/console/client/{id}/status", post(set_status))
        .route("/console/client/{id}/delete", post(delete))
        .route("/console/client/{id}/secrets", post(add_secret))
        .route("/console/client/{id}/secrets/delete", post(delete_secret))
}

async fn list(State(app): State<Arc<App>>, permitted: Permitted<ClientsRead>) -> Response {
    let form = permitted.seated.form();
    let found = async {
        let status = status(form)?;
        let listing = Listing::of(&app, PATH, &["status"], form)?;
        let page = clients::page(&app, status, ROWS, listing.after.clone()).await?;
        let list = listing.facts(&page)?;
        Ok::<_, Error>((page.items, list))
    };
    match found.await {
        Ok((rows, list)) => {
            let facts = context! {
                rows => rows.iter().map(row).collect::<Vec<_>>(),
                status => form.get("status"),
                list,
                may_write => permitted.may(ClientsWrite::PERMISSION),
            };
            permitted.show("clients", "console/clients.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}

/// The status that is asked for, if one is.
fn status(form: &Form) -> Result<Option<ClientStatus>, Error> {
    let word = form.text("status");
    let status = word.map(|word| word.parse::<ClientStatus>());
    Ok(status.transpose().map_err(|_| Refusal::NotFound)?)
}

/// All of them as a file.
async fn as_file(
    State(app): State<Arc<App>>,
    kind: Kind,
    permitted: Permitted<ClientsRead>,
) -> Response {
    let status = match status(permitted.seated.form()) {
        Ok(status) => status,
        Err(error) => return permitted.seated.failed(error),
    };
    let read = move |rows, after| {
        let app = Arc::clone(&app);
        async move {
            let page = clients::page(&app, status, rows, after).await?;
            Ok(page.map(|client| ClientBody::from(&client)))
        }
    };
    let file = file(kind, "clients", &COLUMNS, read).await;
    file.unwrap_or_else(|error| permitted.seated.failed(error))
}

fn row(client: &Client) -> Value {
    let definition = &client.definition;
    context! {
        id => client.id.as_str(),
        name => definition.name.as_str(),
        kind => client.kind.as_str(),
        grants => definition.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        active => definition.status == ClientStatus::Active,
        updated => rfc3339(client.updated_at),
    }
}

async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsRead>,
) -> Response {
    let may_write = permitted.may(ClientsWrite::PERMISSION);
    one(&app, &permitted.seated, (&id, may_write), Shown::default()).await
}

/// What the page of one client says beside what the client is.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    form: Option<Filled>,
    /// A new secret, which is shown this once.
    secret: Option<String>,
    /// The version that whoever sent the form has seen.
    version: Option<i64>,
}

async fn one(app: &App, seated: &Seated, (id, may_write): (&str, bool), shown: Shown) -> Response {
    let found = async {
        let client = clients::find(app, &known(id)?).await?;
        Ok::<_, Error>((client, roles::book(app).await?))
    };
    let (client, book) = match found.await {
        Ok(found) => found,
        Err(error) => return seated.failed(error),
    };
    let form = shown.form.unwrap_or_else(|| form::of(&client));
    let secrets = client.secrets.iter().map(|secret| {
        context! { id => secret.id.to_string(), created => rfc3339(secret.created_at) }
    });
    let facts = context! {
        at => "clients",
        client => row(&client),
        confidential => client.kind == symbolon_domain::ClientType::Confidential,
        created => rfc3339(client.created_at),
        version => shown.version.unwrap_or(client.version),
        form => form.facts(),
        secrets => secrets.collect::<Vec<_>>(),
        secret => shown.secret,
        may_write,
        roles => book.iter().map(|role| role.name.as_str().to_owned()).collect::<Vec<_>>(),
        kinds => wizard::frameworks_of(&client),
    };
    seated.show_as(shown.status, "console/client.html", facts)
}

async fn save(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    let (seated, actor) = (&permitted.seated, permitted.actor());
    let saved = async {
        let id = known(&id)?;
        let former = clients::find(&app, &id).await?;
        let definition = form::read(seated.form(), &former)?;
        // What stood on the page: what somebody else has changed meanwhile is not undone.
        let change = (&id, &definition, Some(seen(seated)));
        clients::change(&app, actor, change, seated.origin()).await
    };
    match saved.await {
        Ok(_) => seated.done(&format!("/console/client/{id}"), "client_saved"),
        Err(error) => again(&app, seated, &id, error).await,
    }
}

/// The version of the client that stood on the page; one that no client has, where none can be read.
fn seen(seated: &Seated) -> i64 {
    seated.form().get("version").parse().unwrap_or_default()
}

async fn again(app: &App, seated: &Seated, id: &str, error: Error) -> Response {
    match refused(seated, error) {
        Ok((status, form)) => {
            let shown = Shown {
                status,
                form: Some(form),
                version: Some(seen(seated)),
                ..Shown::default()
            };
            one(app, seated, (id, true), shown).await
        }
        Err(response) => response,
    }
}

async fn set_status(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    let (seated, actor) = (&permitted.seated, permitted.actor());
    let Ok(status) = seated.form().get("status").parse::<ClientStatus>() else {
        return seated.failed(Refusal::MalformedRequest(
            "A client is active or disabled.".to_owned(),
        ));
    };
    let changed = async {
        let id = known(&id)?;
        clients::set_status(&app, actor, (&id, status, None), seated.origin()).await
    };
    let done = match status {
        ClientStatus::Active => "client_enabled",
        ClientStatus::Disabled => "client_disabled",
    };
    match changed.await {
        Ok(_) => seated.done(&format!("/console/client/{id}"), done),
        Err(error) => again_as_is(&app, seated, &id, error).await,
    }
}

async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    let (seated, actor) = (&permitted.seated, permitted.actor());
    let deleted = async {
        let id = known(&id)?;
        clients::delete(&app, actor, (&id, None), seated.origin()).await
    };
    match deleted.await {
        Ok(()) => seated.done("/console/clients", "client_deleted"),
        Err(error) => seated.failed(error),
    }
}

async fn add_secret(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    let (seated, actor) = (&permitted.seated, permitted.actor());
    let added = async {
        let id = known(&id)?;
        // That of the page: sent twice, the form makes one secret.
        let seen = Some(seen(seated));
        clients::add_secret(&app, actor, (&id, seen), seated.origin()).await
    };
    match added.await {
        Ok((_, secret)) => {
            let shown = Shown {
                secret: Some(secret.expose().to_owned()),
                ..Shown::default()
            };
            one(&app, seated, (&id, true), shown).await
        }
        Err(error) => again_as_is(&app, seated, &id, error).await,
    }
}

async fn delete_secret(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    let (seated, actor) = (&permitted.seated, permitted.actor());
    let deleted = async {
        let which = Which {
            id: Uuid::parse_str(seated.form().get("secret")).map_err(|_| Refusal::NotFound)?,
            expected: None,
        };
        clients::delete_secret(&app, actor, (&known(&id)?, &which), seated.origin()).await
    };
    match deleted.await {
        Ok(()) => seated.done(&format!("/console/client/{id}"), "client_secret_deleted"),
        Err(error) => again_as_is(&app, seated, &id, error).await,
    }
}

/// The page with what is wrong, and the client as it is: the form that was sent is another one.
async fn again_as_is(app: &App, seated: &Seated, id: &str, error: Error) -> Response {
    let former = match known(id) {
        Ok(id) => clients::find(app, &id).await,
        Err(error) => Err(error.into()),
    };
    match (refused(seated, error), former) {
        (Ok((status, faulty)), Ok(client)) => {
            let shown = Shown {
                status,
                form: Some(form::of(&client).with_faults_of(faulty)),
                ..Shown::default()
            };
            one(app, seated, (id, true), shown).await
        }
        (Err(response), _) => response,
        (_, Err(error)) => seated.failed(error),
    }
}

/// What is no id of a client names none.
fn known(id: &str) -> Result<ClientId, Refusal> {
    ClientId::parse(id).map_err(|_| Refusal::NotFound)
}
