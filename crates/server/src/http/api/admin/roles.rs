//! `GET`, `POST /api/admin/roles`; `GET`, `PUT`, `PATCH`, `DELETE /api/admin/roles/{name}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use symbolon_domain::{FieldError, Permissions, Problem as Wrong, Refusal, Role, RoleName, Roles};
use utoipa::ToSchema;

use super::super::super::body::{Answer, Json, missing};
use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, only_page};
use super::parameters::Parameters;
use super::permitted::{Permitted, RolesRead, RolesWrite};
use super::version::{expected, shown, versioned};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::roles::{self, Change, Definition};
use crate::flows::{Error, Origin};
use crate::rfc3339::text as rfc3339;

/// Where a change comes from, which role it is about, and of which version.
type Request = (Origin, Path<String>, HeaderMap);

/// A role: a named set of permissions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct RoleBody {
    /// Its name, as tokens carry it.
    #[schema(example = "clerk")]
    name: String,
    /// What it is for.
    #[schema(example = "Takes orders")]
    description: String,
    /// What it allows by itself; `*` is every permission.
    #[schema(example = json!(["orders:read", "orders:write"]))]
    permissions: Vec<String>,
    /// The roles that it brings along.
    includes: Vec<String>,
    /// What it allows together with all that it includes.
    effective_permissions: Vec<String>,
    /// Whether it came with the program and stays as it is.
    builtin: bool,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl RoleBody {
    pub(in crate::http) async fn of(app: &App, role: &Role) -> Result<Self, Error> {
        let mut effective = role.permissions.clone();
        effective.add(&app.role_book().await?.effective(&role.includes).permissions);
        Ok(Self {
            name: role.name.to_string(),
            description: role.description.clone(),
            permissions: owned(&role.permissions),
            includes: role.includes.to_strings(),
            effective_permissions: owned(&effective),
            builtin: role.builtin,
            created_at: rfc3339(role.created_at),
            updated_at: rfc3339(role.updated_at),
        })
    }
}

fn owned(permissions: &Permissions) -> Vec<String> {
    permissions.names().into_iter().map(str::to_owned).collect()
}

/// A new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    /// 1 to 64 of `a`-`z`, `0`-`9`, `.`, `_`, `:` and `-`.
    #[schema(required, nullable = false, example = "clerk")]
    name: Option<String>,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// What it allows by itself.
    #[serde(default)]
    #[schema(example = json!(["orders:read"]))]
    permissions: Vec<String>,
    /// The roles that it brings along.
    #[serde(default)]
    includes: Vec<String>,
}

/// A role's whole definition.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleDefinition {
    /// What it is for.
    #[schema(required, nullable = false)]
    description: Option<String>,
    /// What it allows by itself.
    #[schema(required, nullable = false, example = json!(["orders:read"]))]
    permissions: Option<Vec<String>>,
    /// The roles that it brings along.
    #[schema(required, nullable = false)]
    includes: Option<Vec<String>>,
}

/// What to change of a role. A field that is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleChange {
    /// What it is for.
    description: Option<String>,
    /// What it allows by itself.
    permissions: Option<Vec<String>>,
    /// The roles that it brings along.
    includes: Option<Vec<String>>,
}

/// Every role by name. There are 200 at most: one page holds them.
#[utoipa::path(get, path = "/api/admin/roles", operation_id = "listRoles", tag = "administration", security(("bearer" = [])),
    responses(
        (status = 200, body = PageBody<RoleBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `roles:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<RolesRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let mut items = Vec::new();
    for role in app.role_book().await?.iter() {
        items.push(RoleBody::of(&app, role).await?);
    }
    Ok(only_page(&parameters, items)?)
}

/// Make a role. Nobody can put into it what they do not have.
#[utoipa::path(post, path = "/api/admin/roles", operation_id = "createRole", tag = "administration", security(("bearer" = [])), request_body = NewRole,
    responses(
        (status = 201, body = RoleBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `roles:write` is needed, and all that the role is to allow; `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: there is a role of this name", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    permitted: Permitted<RolesWrite>,
    origin: Origin,
    Json(body): Json<NewRole>,
) -> Result<Response, Failure> {
    let mut faults = Vec::new();
    let name = match &body.name {
        Some(name) => RoleName::parse(name).map_err(|problem| problem.at("/name")),
        None => Err(missing("/name")),
    };
    let name = name.map_err(|fault| faults.push(fault)).ok();
    let permissions = permissions(&body.permissions, &mut faults);
    let includes = includes(&body.includes, &mut faults);
    let (Some(name), true) = (name, faults.is_empty()) else {
        return Err(Refusal::Validation(faults).into());
    };
    let definition = Definition {
        name,
        description: body.description,
        permissions,
        includes,
    };
    let actor = Actor::from(&permitted.caller);
    let role = roles::create(&app, actor, &definition, &origin).await?;
    let answer = Answer(StatusCode::CREATED, RoleBody::of(&app, &role).await?);
    let mut response = versioned(answer.into_response(), role.version);
    if let Ok(place) = HeaderValue::from_str(&format!("/api/admin/roles/{}", role.name)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// One role.
#[utoipa::path(get, path = "/api/admin/roles/{name}", operation_id = "showRole", tag = "administration", security(("bearer" = [])),
    params(("name" = String, Path, description = "The role's name")),
    responses(
        (status = 200, body = RoleBody),
        (status = 304, description = "It is still of the version in `If-None-Match`"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `roles:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<RolesRead>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let role = find(&app, &name).await?;
    let body = RoleBody::of(&app, &role).await?;
    Ok(shown(&headers, role.version, body)?)
}

/// Give a role another definition. Whoever has it is told by its next access token, at once.
#[utoipa::path(put, path = "/api/admin/roles/{name}", operation_id = "replaceRole", tag = "administration", security(("bearer" = [])), request_body = RoleDefinition,
    params(("name" = String, Path, description = "The role's name")),
    responses(
        (status = 200, body = RoleBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `roles:write` is needed, and all that the role allows before and after; built-in roles stay as they are; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    permitted: Permitted<RolesWrite>,
    request: Request,
    Json(body): Json<RoleDefinition>,
) -> Result<Response, Failure> {
    let (origin, Path(name), headers) = request;
    let absent = [
        (body.description.is_none(), "/description"),
        (body.permissions.is_none(), "/permissions"),
        (body.includes.is_none(), "/includes"),
    ];
    let faults: Vec<_> = absent
        .iter()
        .filter(|(absent, _)| *absent)
        .map(|(_, pointer)| missing(pointer))
        .collect();
    if !faults.is_empty() {
        return Err(Refusal::Validation(faults).into());
    }
    let change = RoleChange {
        description: body.description,
        permissions: body.permissions,
        includes: body.includes,
    };
    store(&app, &permitted, (&name, &headers, change), &origin).await
}

/// Change a role.
#[utoipa::path(patch, path = "/api/admin/roles/{name}", operation_id = "changeRole", tag = "administration", security(("bearer" = [])), request_body = RoleChange,
    params(("name" = String, Path, description = "The role's name")),
    responses(
        (status = 200, body = RoleBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `roles:write` is needed, and all that the role allows before and after; built-in roles stay as they are; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    permitted: Permitted<RolesWrite>,
    request: Request,
    Json(body): Json<RoleChange>,
) -> Result<Response, Failure> {
    let (origin, Path(name), headers) = request;
    store(&app, &permitted, (&name, &headers, body), &origin).await
}

/// Delete a role that nobody has and no role includes.
#[utoipa::path(delete, path = "/api/admin/roles/{name}", operation_id = "deleteRole", tag = "administration", security(("bearer" = [])),
    params(("name" = String, Path, description = "The role's name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `roles:write` is needed, and all that the role allows; built-in roles stay; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 409, description = "`conflict`: it is still in use", body = Problem),
        (status = 412, description = "`precondition_failed`: it is not of the version in `If-Match`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted<RolesWrite>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let (origin, Path(name), headers) = request;
    let name = known_name(&name)?;
    let version = expected(&headers)?;
    let actor = Actor::from(&permitted.caller);
    roles::delete(&app, actor, (&name, version), &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn store(
    app: &App,
    permitted: &Permitted<RolesWrite>,
    (name, headers, change): (&str, &HeaderMap, RoleChange),
    origin: &Origin,
) -> Result<Response, Failure> {
    let name = known_name(name)?;
    let mut faults = Vec::new();
    let change = Change {
        description: change.description,
        permissions: change
            .permissions
            .map(|names| permissions(&names, &mut faults)),
        includes: change.includes.map(|names| includes(&names, &mut faults)),
    };
    if !faults.is_empty() {
        return Err(Refusal::Validation(faults).into());
    }
    let version = expected(headers)?;
    let actor = Actor::from(&permitted.caller);
    let role = roles::change(app, actor, (&name, &change, version), origin).await?;
    let answer = Answer(StatusCode::OK, RoleBody::of(app, &role).await?);
    Ok(versioned(answer.into_response(), role.version))
}

async fn find(app: &App, name: &str) -> Result<Role, Error> {
    let name = known_name(name)?;
    let book = app.role_book().await?;
    Ok(book.find(&name).ok_or(Refusal::NotFound)?.clone())
}

/// What is no name of a role names none.
pub(in crate::http) fn known_name(name: &str) -> Result<RoleName, Refusal> {
    RoleName::parse(name).map_err(|_| Refusal::NotFound)
}

pub(in crate::http) fn permissions(names: &[String], faults: &mut Vec<FieldError>) -> Permissions {
    let names = each(names, "/permissions", faults, |name| {
        Permissions::from_names([name]).map(|_| name.to_owned())
    });
    // Each was read just now.
    Permissions::from_names(names.iter().map(String::as_str)).unwrap_or_default()
}

pub(in crate::http) fn includes(names: &[String], faults: &mut Vec<FieldError>) -> Roles {
    Roles::new(each(names, "/includes", faults, RoleName::parse))
}

fn each<T>(
    names: &[String],
    pointer: &str,
    faults: &mut Vec<FieldError>,
    read: impl Fn(&str) -> Result<T, Wrong>,
) -> Vec<T> {
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match read(name) {
            Ok(one) => found.push(one),
            Err(problem) => faults.push(problem.at(format!("{pointer}/{index}"))),
        }
    }
    found
}
