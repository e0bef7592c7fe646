//! `GET`, `POST /api/admin/clients`; `GET`, `PUT`, `PATCH`, `DELETE /api/admin/clients/{id}`; `POST` to `/secrets` and
//! `DELETE` of one below it

mod body;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use symbolon_domain::{Client, ClientDefinition, ClientId, ClientStatus, ClientType, Refusal};
use uuid::Uuid;

pub(in crate::http) use self::body::ClientBody;
use self::body::{Base, ClientChange, NewClient, NewSecretBody, WholeClient};
use super::super::super::body::{Answer, Json, missing};
use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{ClientsRead, ClientsWrite, Permitted};
use super::version::{expected, shown, versioned};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::clients::{self, Which};
use crate::flows::{Error, Origin};
use crate::rfc3339::text as rfc3339;

/// Where a change comes from, which client it is about, and of which version.
type Request = (Origin, Path<String>, HeaderMap);

/// A page of clients by id.
#[utoipa::path(get, path = "/api/admin/clients", operation_id = "listClients", tag = "administration", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before"),
        ("status" = Option<String>, Query, description = "`active` or `disabled`"),
        ("sort" = Option<String>, Query, description = "`id`, the only order")),
    responses(
        (status = 200, body = PageBody<ClientBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<ClientsRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &["status", "sort"])?;
    let status = parameters.parsed("status", "active or disabled", str::parse::<ClientStatus>)?;
    let only = |text: &str| if text == "id" { Ok(()) } else { Err(()) };
    parameters.parsed("sort", "id", only)?;
    let mut paging = Paging::of(&app, "clients", &parameters)?;
    let page = clients::page(&app, status, paging.limit, paging.after.take()).await?;
    Ok(paging.answer(&page, ClientBody::from)?)
}

/// Make a client. A confidential one gets its secret by another call. Nobody can give it roles that they do not have.
#[utoipa::path(post, path = "/api/admin/clients", operation_id = "createClient", tag = "administration", security(("bearer" = [])), request_body = NewClient,
    responses(
        (status = 201, body = ClientBody, headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:write` is needed, and all that its roles allow; `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: there is a client of this id", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    permitted: Permitted<ClientsWrite>,
    origin: Origin,
    Json(body): Json<NewClient>,
) -> Result<Response, Failure> {
    let new = body.read()?;
    let actor = Actor::from(&permitted.caller);
    let client = clients::create(&app, actor, &new, &origin).await?;
    let place = format!("/api/admin/clients/{}", client.id);
    Ok(placed(answer(StatusCode::CREATED, &client), &place))
}

/// One client.
#[utoipa::path(get, path = "/api/admin/clients/{id}", operation_id = "showClient", tag = "administration", security(("bearer" = [])),
    params(("id" = String, Path, description = "Its `client_id`")),
    responses(
        (status = 200, body = ClientBody, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still of the version in `If-None-Match`"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<ClientsRead>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let client = clients::find(&app, &known(&id)?).await?;
    let body = ClientBody::from(&client);
    Ok(shown(&headers, client.version, body)?)
}

/// Give a client another definition. Disabled, it has no live token left; with other roles, its tokens are stale.
#[utoipa::path(put, path = "/api/admin/clients/{id}", operation_id = "replaceClient", tag = "administration", security(("bearer" = [])), request_body = WholeClient,
    params(("id" = String, Path, description = "Its `client_id`")),
    responses(
        (status = 200, body = ClientBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:write` is needed, and all that its roles allow before and after; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    permitted: Permitted<ClientsWrite>,
    request: Request,
    Json(body): Json<WholeClient>,
) -> Result<Response, Failure> {
    store(&app, &permitted, request, Body::Whole(body)).await
}

/// Change a client.
#[utoipa::path(patch, path = "/api/admin/clients/{id}", operation_id = "changeClient", tag = "administration", security(("bearer" = [])), request_body = ClientChange,
    params(("id" = String, Path, description = "Its `client_id`")),
    responses(
        (status = 200, body = ClientBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:write` is needed, and all that its roles allow before and after; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    permitted: Permitted<ClientsWrite>,
    request: Request,
    Json(body): Json<ClientChange>,
) -> Result<Response, Failure> {
    store(&app, &permitted, request, Body::Change(body)).await
}

/// Delete a client. Its tokens are dead at once.
#[utoipa::path(delete, path = "/api/admin/clients/{id}", operation_id = "deleteClient", tag = "administration", security(("bearer" = [])),
    params(("id" = String, Path, description = "Its `client_id`")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:write` is needed, and all that its roles allow; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted<ClientsWrite>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let (origin, Path(id), headers) = request;
    let (id, version) = (known(&id)?, expected(&headers)?);
    let actor = Actor::from(&permitted.caller);
    clients::delete(&app, actor, (&id, version), &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a confidential client another secret, two at most: the one in use, and the one that replaces it.
#[utoipa::path(post, path = "/api/admin/clients/{id}/secrets", operation_id = "addClientSecret", tag = "administration", security(("bearer" = [])),
    params(("id" = String, Path, description = "Its `client_id`")),
    responses(
        (status = 201, description = "The secret, shown this once", body = NewSecretBody, headers(("Location" = String, description = "Where it is deleted"), ("ETag" = String, description = "The client's version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:write` is needed, and all that the client's roles allow; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`conflict`: it has two", body = Problem),
        (status = 412, description = "`precondition_failed`: the client is not of the version in `If-Match`", body = Problem),
        (status = 422, description = "`validation_failed`: a public client has none", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn add_secret(
    State(app): State<Arc<App>>,
    permitted: Permitted<ClientsWrite>,
    request: Request,
) -> Result<Response, Failure> {
    let (origin, Path(id), headers) = request;
    let (id, version) = (known(&id)?, expected(&headers)?);
    let actor = Actor::from(&permitted.caller);
    let (client, secret) = clients::add_secret(&app, actor, (&id, version), &origin).await?;
    let kept = client.secrets.last().ok_or(Refusal::NotFound)?;
    let place = format!("/api/admin/clients/{id}/secrets/{}", kept.id);
    let body = NewSecretBody {
        id: kept.id.to_string(),
        secret: secret.expose().to_owned(),
        created_at: rfc3339(kept.created_at),
    };
    let answer = Answer(StatusCode::CREATED, body).into_response();
    let mut response = placed(versioned(answer, client.version), &place);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Delete a secret of a client. Nobody signs in with it any more; tokens that it got go on.
#[utoipa::path(delete, path = "/api/admin/clients/{id}/secrets/{secretId}", operation_id = "deleteClientSecret", tag = "administration", security(("bearer" = [])),
    params(("id" = String, Path, description = "Its `client_id`"),
        ("secretId" = Uuid, Path, description = "The id of the secret")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `clients:write` is needed, and all that the client's roles allow; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 412, description = "`precondition_failed`: the client is not of the version in `If-Match`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete_secret(
    State(app): State<Arc<App>>,
    permitted: Permitted<ClientsWrite>,
    path: Path<(String, String)>,
    request: (Origin, HeaderMap),
) -> Result<StatusCode, Failure> {
    let (Path((id, secret)), (origin, headers)) = (path, request);
    let which = Which {
        id: Uuid::parse_str(&secret).map_err(|_| Refusal::NotFound)?,
        expected: expected(&headers)?,
    };
    let actor = Actor::from(&permitted.caller);
    clients::delete_secret(&app, actor, (&known(&id)?, &which), &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a form says of a client, by the names that the fields have here: as a whole new one, or as a change.
///
/// # Errors
/// `validation_failed`, with every field at fault.
pub(in crate::http) fn definition(
    fields: &serde_json::Map<String, serde_json::Value>,
    base: Result<&ClientDefinition, ClientType>,
) -> Result<ClientDefinition, Error> {
    let text =
        serde_json::to_string(fields).map_err(|error| Error::fault("a form")(error.into()))?;
    let change: ClientChange =
        serde_json::from_str(&text).map_err(|error| Error::fault("a form")(error.into()))?;
    let mut faults = Vec::new();
    let base = match base {
        Ok(former) => Base::Former(former),
        Err(kind) => Base::New(kind),
    };
    match (change.read(base, &mut faults), faults.is_empty()) {
        (Some(definition), true) => Ok(definition),
        (None, true) => Err(Refusal::Validation(vec![missing("/name")]).into()),
        _ => Err(Refusal::Validation(faults).into()),
    }
}

/// What a client is to be, or what is to change of it.
enum Body {
    Whole(WholeClient),
    Change(ClientChange),
}

async fn store(
    app: &App,
    permitted: &Permitted<ClientsWrite>,
    (origin, Path(id), headers): Request,
    body: Body,
) -> Result<Response, Failure> {
    let former = clients::find(app, &known(&id)?).await?;
    // Fields that stay are those of this version.
    let version = expected(&headers)?.unwrap_or(former.version);
    let mut faults = Vec::new();
    let definition = match body {
        Body::Whole(whole) => {
            ClientChange::try_from(whole)?.read(Base::New(former.kind), &mut faults)
        }
        Body::Change(change) => change.read(Base::Former(&former.definition), &mut faults),
    };
    let (Some(definition), true) = (definition, faults.is_empty()) else {
        return Err(Error::from(Refusal::Validation(faults)).into());
    };
    let actor = Actor::from(&permitted.caller);
    let change = (&former.id, &definition, Some(version));
    let client = clients::change(app, actor, change, &origin).await?;
    Ok(answer(StatusCode::OK, &client))
}

fn answer(status: StatusCode, client: &Client) -> Response {
    let answer = Answer(status, ClientBody::from(client));
    versioned(answer.into_response(), client.version)
}

fn placed(mut response: Response, place: &str) -> Response {
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// What is no id of a client names none.
fn known(id: &str) -> Result<ClientId, Refusal> {
    ClientId::parse(id).map_err(|_| Refusal::NotFound)
}
