//! `GET`, `POST /api/admin/invitations`; `DELETE /api/admin/invitations/{id}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use symbolon_domain::{DisplayName, Email, FieldError, Problem as Fault, Refusal, RoleName, Roles};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::super::body::{Answer, Json, missing};
use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{Permitted, UsersRead, UsersWrite};
use crate::app::App;
use crate::flows::Origin;
use crate::flows::actor::Actor;
use crate::flows::invitations::{self, Invitation, Invite};
use crate::rfc3339;

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct InviteBody {
    /// E-mail address.
    #[schema(required, nullable = false, example = "ada@example.com")]
    pub(in crate::http) email: Option<String>,
    /// The name that the account begins with.
    #[schema(example = "Ada Lovelace")]
    pub(in crate::http) name: Option<String>,
    /// The roles that the account gets; `user`, if absent.
    #[schema(example = json!(["user"]))]
    pub(in crate::http) roles: Option<Vec<String>>,
}

/// An invitation that waits to be accepted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct InvitationBody {
    /// UUIDv7.
    id: Uuid,
    /// E-mail address.
    email: String,
    /// The name that the account begins with.
    name: Option<String>,
    /// The roles that the account gets.
    roles: Vec<String>,
    /// Who invited; `null` for the command line.
    inviter: Option<Uuid>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<&Invitation> for InvitationBody {
    fn from(invitation: &Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email.as_str().to_owned(),
            name: invitation
                .name
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            roles: invitation.roles.to_strings(),
            inviter: invitation.inviter.map(|inviter| inviter.uuid()),
            created_at: rfc3339::text(invitation.created_at),
            expires_at: rfc3339::text(invitation.expires_at),
        }
    }
}

/// The invitations that wait, the latest first.
#[utoipa::path(get, path = "/api/admin/invitations", operation_id = "listInvitations", tag = "administration", security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before")),
    responses(
        (status = 200, body = PageBody<InvitationBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<UsersRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let paging = Paging::of(&app, "invitations", &parameters)?;
    let page = invitations::list(&app, paging.limit, paging.after).await?;
    Ok(paging.answer(&page, InvitationBody::from)?)
}

/// Invite somebody by mail. A former invitation of the address is void.
#[utoipa::path(post, path = "/api/admin/invitations", operation_id = "invite", tag = "administration", security(("bearer" = [])), request_body = InviteBody,
    responses(
        (status = 201, description = "The mail is on its way", body = InvitationBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the roles allow; `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: the address has an account", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    origin: Origin,
    Json(body): Json<InviteBody>,
) -> Result<Answer<InvitationBody>, Failure> {
    let actor = Actor::from(&permitted.caller);
    let invitation = invitations::invite(&app, actor, parse(body)?, &origin).await?;
    Ok(Answer(
        StatusCode::CREATED,
        InvitationBody::from(&invitation),
    ))
}

/// Withdraw an invitation.
#[utoipa::path(delete, path = "/api/admin/invitations/{id}", operation_id = "withdrawInvitation", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The invitation's id")),
    responses(
        (status = 204, description = "Its link is void"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `users:write` is needed, and all that the roles allow; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted<UsersWrite>,
    origin: Origin,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = Uuid::try_parse(&id).map_err(|_| Refusal::NotFound)?;
    invitations::withdraw(&app, Actor::from(&permitted.caller), id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(in crate::http) fn parse(body: InviteBody) -> Result<Invite, Refusal> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut keep = |pointer: &str, fault: Fault| errors.push(fault.at(pointer));
    let email = body.email.as_deref().map(Email::parse).transpose();
    let email = email.map_err(|fault| keep("/email", fault)).unwrap_or(None);
    let name = body.name.as_deref().map(DisplayName::parse).transpose();
    let name = name.map_err(|fault| keep("/name", fault)).unwrap_or(None);
    let given = body.roles.unwrap_or_else(|| vec!["user".to_owned()]);
    let roles = given.iter().map(|role| RoleName::parse(role));
    let roles: Option<Vec<_>> = roles
        .collect::<Result<_, _>>()
        .map_err(|fault| keep("/roles", fault))
        .ok();
    if body.email.is_none() {
        errors.push(missing("/email"));
    }
    match (email, roles, errors.is_empty()) {
        (Some(email), Some(roles), true) => Ok(Invite {
            email,
            name,
            roles: Roles::new(roles),
        }),
        _ => Err(Refusal::Validation(errors)),
    }
}
