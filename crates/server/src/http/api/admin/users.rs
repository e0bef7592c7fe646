//! `GET`, `POST /api/admin/users`; `GET`, `PUT`, `PATCH`, `DELETE /api/admin/users/{id}`; `POST` to `/password` and `/logout`
//! below it

mod body;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use symbolon_domain::{Refusal, RoleName, UserId, UserStatus};

pub(in crate::http) use self::body::AccountBody;
use self::body::{AccountChange, NewAccount, NewPassword, WholeAccount};
use super::super::super::body::{Answer, Json};
use super::super::super::problem::{Failure, Problem};
use super::creation::Creation;
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{Permitted, UsersRead, UsersWrite};
use super::version::{expected, shown, versioned};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::users::{self, Fields, Filter, New};
use crate::flows::{Error, Origin};

const PARAMETERS: [&str; 7] = [
    "email",
    "username",
    "role",
    "status",
    "createdAfter",
    "createdBefore",
    "sort",
];
/// Where a change comes from, which user it is about, and of which version.
type Request = (Origin, Path<String>, HeaderMap);

/// A page of users. Only filters and orders that an index answers can be combined.
#[utoipa::path(get, path = "/api/admin/users", operation_id = "listUsers", tag = "administration", security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before"),
        ("email" = Option<String>, Query, description = "The address begins so; ordered by `email` or `-email`"),
        ("username" = Option<String>, Query, description = "The username begins so; ordered by `username` or `-username`"),
        ("role" = Option<String>, Query, description = "Has this role; ordered by `id` or `-id`"),
        ("status" = Option<String>, Query, description = "`active` or `disabled`; ordered by `createdAt` or `-createdAt`"),
        ("createdAfter" = Option<String>, Query, description = "Made after this moment (RFC 3339); ordered as with `status`"),
        ("createdBefore" = Option<String>, Query, description = "Made before this moment (RFC 3339); ordered as with `status`"),
        ("sort" = Option<String>, Query, description = "`createdAt`, `email`, `username` or, with `role`, `id`; `-` before it for the other direction. `-createdAt` where nothing is asked for")),
    responses(
        (status = 200, body = PageBody<AccountBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<UsersRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &PARAMETERS)?;
    let filter = Filter {
        email: parameters.text("email").map(ToOwned::to_owned),
        username: parameters.text("username").map(ToOwned::to_owned),
        role: parameters.parsed("role", "the name of a role", RoleName::parse)?,
        status: parameters.parsed("status", "active or disabled", str::parse::<UserStatus>)?,
        created_after: parameters.time("createdAfter")?,
        created_before: parameters.time("createdBefore")?,
        sort: parameters.parsed(
            "sort",
            "createdAt, email, username or id, with - before it for the other direction",
            str::parse,
        )?,
    };
    let mut paging = Paging::of(&app, "users", &parameters)?;
    let page = users::list(&app, &filter, paging.limit, paging.after.take()).await?;
    Ok(paging.answer(&page, AccountBody::from)?)
}

/// Make an account for somebody.
#[utoipa::path(post, path = "/api/admin/users", operation_id = "createUser", tag = "administration", security(("bearer" = [])), request_body = NewAccount,
    params(("Idempotency-Key" = Option<String>, Header, description = "Asked again with the same key within 24 hours, nothing more is made")),
    responses(
        (status = 201, body = AccountBody, headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the roles allow; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: what was made under this `Idempotency-Key` is gone", body = Problem),
        (status = 409, description = "`conflict`: the address or the name is taken", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`; `idempotency_key_reused` for a key that came with another body", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    origin: Origin,
    creation: Creation<NewAccount>,
) -> Result<Response, Failure> {
    let actor = Actor::from(&permitted.caller);
    let once = creation.once(&app, actor, "user")?;
    let new = New::from(creation.body);
    let user = users::add(&app, actor, &new, once.as_ref(), &origin).await?;
    let row = users::show(&app, user.id).await?;
    let answer = Answer(StatusCode::CREATED, AccountBody::from(&row));
    let mut response = versioned(answer.into_response(), row.user.version);
    if let Ok(place) = HeaderValue::from_str(&format!("/api/admin/users/{}", user.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// One user.
#[utoipa::path(get, path = "/api/admin/users/{id}", operation_id = "showUser", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 200, body = AccountBody, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still of the version in `If-None-Match`"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<UsersRead>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let row = users::show(&app, known_id(&id)?).await?;
    Ok(shown(&headers, row.user.version, AccountBody::from(&row))?)
}

/// Set everything of a user that can be set.
///
/// Other roles make access tokens stale; `disabled` ends every session and token.
#[utoipa::path(put, path = "/api/admin/users/{id}", operation_id = "replaceUser", tag = "administration", security(("bearer" = [])), request_body = WholeAccount,
    params(("id" = Uuid, Path, description = "The user's id"),
        ("If-Match" = Option<String>, Header, description = "The version that is meant, as `ETag` had it")),
    responses(
        (status = 200, body = AccountBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the user has and is to have; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`conflict`: the address or the name is taken; the last administrator stays", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    request: Request,
    Json(body): Json<WholeAccount>,
) -> Result<Response, Failure> {
    store(&app, &permitted, request, &body.try_into()?).await
}

/// Change a user.
///
/// Other roles make access tokens stale; `disabled` ends every session and token.
#[utoipa::path(patch, path = "/api/admin/users/{id}", operation_id = "changeUser", tag = "administration", security(("bearer" = [])), request_body = AccountChange,
    params(("id" = Uuid, Path, description = "The user's id"),
        ("If-Match" = Option<String>, Header, description = "The version that is meant, as `ETag` had it")),
    responses(
        (status = 200, body = AccountBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the user has and is to have; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`conflict`: the address or the name is taken; the last administrator stays", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    request: Request,
    Json(body): Json<AccountChange>,
) -> Result<Response, Failure> {
    store(&app, &permitted, request, &body.into()).await
}

/// Delete a user with every session and token.
#[utoipa::path(delete, path = "/api/admin/users/{id}", operation_id = "deleteUser", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id"),
        ("If-Match" = Option<String>, Header, description = "The version that is meant, as `ETag` had it")),
    responses(
        (status = 204, description = "The account and every token of it are gone"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the user has; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`conflict`: the last administrator stays", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let (origin, Path(id), headers) = request;
    let which = (known_id(&id)?, expected(&headers)?);
    users::delete(&app, Actor::from(&permitted.caller), which, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a user's password. Every session of the user ends.
#[utoipa::path(post, path = "/api/admin/users/{id}/password", operation_id = "setUserPassword", tag = "administration", security(("bearer" = [])), request_body = NewPassword,
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "It is set, and every token of the user is dead"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the user has; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    origin: Origin,
    Path(id): Path<String>,
    Json(body): Json<NewPassword>,
) -> Result<StatusCode, Failure> {
    let password = body.text()?;
    let user = users::show(&app, known_id(&id)?).await?.user;
    let actor = Actor::from(&permitted.caller);
    users::set_password(&app, actor, user, &password, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End every session of a user.
#[utoipa::path(post, path = "/api/admin/users/{id}/logout", operation_id = "signUserOut", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "Every token of the user is dead"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the user has; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    origin: Origin,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let user = users::show(&app, known_id(&id)?).await?.user;
    let actor = (Actor::from(&permitted.caller), users::WRITE);
    users::revoke_sessions(&app, actor, user, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn store(
    app: &App,
    permitted: &Permitted<UsersWrite>,
    (origin, Path(id), headers): Request,
    fields: &Fields,
) -> Result<Response, Failure> {
    let change = (known_id(&id)?, &fields.parse()?, expected(&headers)?);
    let row = users::edit(app, Actor::from(&permitted.caller), change, &origin).await?;
    let answer = Answer(StatusCode::OK, AccountBody::from(&row));
    Ok(versioned(answer.into_response(), row.user.version))
}

/// What is no id is nobody's.
pub(super) fn known_id(id: &str) -> Result<UserId, Error> {
    Ok(id.parse().map_err(|_| Refusal::NotFound)?)
}
