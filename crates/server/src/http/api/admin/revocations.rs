//! `GET`, `POST /api/admin/revocations`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use serde::Deserialize;
use symbolon_domain::revocation::Effect;
use symbolon_domain::{Problem as Wrong, Refusal};
use utoipa::ToSchema;

use super::super::super::body::{Json, missing};
use super::super::super::problem::{Failure, Problem};
use super::super::revocations::EntryBody;
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{Permitted, RevocationsRead, RevocationsWrite};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::revocations::{self, Target};
use crate::flows::{Error, Origin, users};

/// Longest id of a token or a client.
const MOST_BYTES: usize = 255;

/// The live revocations in the order of their numbers.
#[utoipa::path(get, path = "/api/admin/revocations", operation_id = "listLiveRevocations", tag = "administration", security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before")),
    responses(
        (status = 200, body = PageBody<EntryBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `revocations:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<RevocationsRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let paging = Paging::of(&app, "revocations", &parameters)?;
    let page = revocations::page(&app, paging.limit, paging.after).await?;
    Ok(paging.answer(&page, EntryBody::from)?)
}

/// Tokens that are to die, or to be renewed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRevocation {
    /// `session`, `user`, `token`, `client` or `all`. A key is withdrawn at `/api/admin/keys`.
    #[schema(required, nullable = false, example = "client")]
    kind: Option<String>,
    /// The token's `sid`, `sub`, `jti` or `client_id`; nothing for `all`.
    #[schema(example = "shop")]
    id: Option<String>,
    /// `revoked`, or `stale` to make clients refresh while sessions go on.
    #[serde(default)]
    #[schema(nullable = false, example = "revoked")]
    effect: Option<String>,
}

/// Kill tokens, or make them be renewed.
#[utoipa::path(post, path = "/api/admin/revocations", operation_id = "addRevocation", tag = "administration", security(("bearer" = [])), request_body = NewRevocation,
    responses(
        (status = 204, description = "No such token is accepted any more"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `revocations:write` is needed, and all that the user has; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: no such user, or no such live session", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    permitted: Permitted<RevocationsWrite>,
    origin: Origin,
    Json(body): Json<NewRevocation>,
) -> Result<StatusCode, Failure> {
    let actor = Actor::from(&permitted.caller);
    let effect = effect(body.effect.as_deref())?;
    let target = target(&app, body.kind.as_deref(), body.id.as_deref()).await?;
    revocations::add(&app, actor, target, effect, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The effect of this name; without one tokens die.
///
/// # Errors
/// `validation_failed`.
pub(in crate::http) fn effect(word: Option<&str>) -> Result<Effect, Refusal> {
    let unknown = |_| {
        wrong(
            "/effect",
            "effect_unknown",
            "An effect is revoked or stale.",
        )
    };
    word.map_or(Ok(Effect::Revoked), |word| word.parse().map_err(unknown))
}

/// Whose tokens are meant.
///
/// # Errors
/// `validation_failed`, `not_found` for a user, or a fault.
pub(in crate::http) async fn target(
    app: &App,
    kind: Option<&str>,
    id: Option<&str>,
) -> Result<Target, Error> {
    let kind = kind.ok_or_else(|| Refusal::Validation(vec![missing("/kind")]))?;
    if kind == "all" {
        return match id {
            None => Ok(Target::All),
            Some(_) => Err(wrong("/id", "unexpected", "All tokens have no id.").into()),
        };
    }
    let id = id.ok_or_else(|| Refusal::Validation(vec![missing("/id")]))?;
    // It goes into the audit log.
    if id.is_empty() || id.len() > MOST_BYTES || id.contains(char::is_control) {
        return Err(malformed_id().into());
    }
    Ok(match kind {
        "session" => Target::Session(id.parse().map_err(|_| malformed_id())?),
        "user" => {
            let id = id.parse().map_err(|_| malformed_id())?;
            Target::User(Box::new(users::show(app, id).await?.user))
        }
        "token" => Target::Token(id.to_owned()),
        "client" => Target::Client(id.to_owned()),
        _ => {
            let kinds = "A kind is session, user, token, client or all.";
            return Err(wrong("/kind", "kind_unknown", kinds).into());
        }
    })
}

fn malformed_id() -> Refusal {
    wrong("/id", "id_malformed", "This is no id of this kind.")
}

fn wrong(pointer: &str, code: &'static str, detail: &str) -> Refusal {
    Refusal::Validation(vec![Wrong::new(code, detail).at(pointer)])
}
