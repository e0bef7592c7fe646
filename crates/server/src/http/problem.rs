//! Refusals and faults as `application/problem+json` (RFC 9457), in one place.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use symbolon_domain::{FieldError, Refusal};
use utoipa::ToSchema;

use crate::flows::Error;

/// What a handler answers when it does not do what was asked. The edge renders it, for it knows the request id.
pub struct Failure(pub Error);

impl<T: Into<Error>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

/// The failure of an answer that the edge has yet to render. Extensions are cloned by type only.
#[derive(Clone)]
pub(super) struct Unrendered(std::sync::Arc<Error>);

/// Beside [`Unrendered`]: the failure is told in OAuth's words (RFC 6749 section 5.2; RFC 6750 section 3).
#[derive(Clone)]
pub(super) struct InOAuthWords;

/// The answer is to have a nonce for the next proof of possession (RFC 9449 section 8).
#[derive(Clone)]
pub(super) struct NonceNeeded;

/// Beside [`Unrendered`]: the answer is a page already.
#[derive(Clone)]
pub(super) struct OnAPage;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(&self.0);
        response
            .extensions_mut()
            .insert(Unrendered(std::sync::Arc::new(self.0)));
        response
    }
}

/// The body of every error (RFC 9457 section 3).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem<'a> {
    /// `urn:symbolon:problem:` and the code.
    #[schema(example = "urn:symbolon:problem:invalid_token")]
    r#type: String,
    /// The status in words.
    #[schema(example = "Unauthorized")]
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// A sentence for people.
    #[schema(example = "Invalid token")]
    detail: &'a str,
    /// A word for programs, stable.
    #[schema(example = "invalid_token")]
    code: &'a str,
    /// The id under which the request is logged.
    request_id: &'a str,
    /// The fields at fault, where the body was not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem<'a>>,
}

/// One field at fault.
#[derive(Serialize, ToSchema)]
pub struct FieldProblem<'a> {
    /// JSON pointer (RFC 6901) to the field.
    #[schema(example = "/email")]
    pointer: &'a str,
    /// A word for programs, stable.
    #[schema(example = "email_malformed")]
    code: &'a str,
    /// A sentence for people.
    detail: &'a str,
}

impl<'a> From<&'a FieldError> for FieldProblem<'a> {
    fn from(error: &'a FieldError) -> Self {
        Self {
            pointer: &error.pointer,
            code: error.code,
            detail: &error.detail,
        }
    }
}

/// What is told of a database that does not do its part.
const STORE_GONE: Refusal = Refusal::Overloaded {
    retry_after: Duration::from_secs(5),
};

/// Renders the failure that a handler left in `response`. Faults are told apart by the request id only.
pub(super) fn render(response: &mut Response, request_id: &str) -> Option<std::sync::Arc<Error>> {
    let Unrendered(error) = response.extensions_mut().remove()?;
    let status = response.status();
    let refusal = match &*error {
        Error::Refused(refusal) => Some(refusal),
        Error::Store(_) => Some(&STORE_GONE),
        Error::Fault { .. } => None,
    };
    let code = refusal.map_or("internal_error", Refusal::code);
    let unexplained = "Something went wrong here. Quote the request id when you report it.";
    let detail = refusal.map_or(unexplained.into(), Refusal::detail);
    let errors: &[FieldError] = match refusal {
        Some(Refusal::Validation(errors)) => errors,
        _ => &[],
    };
    let problem = Problem {
        r#type: format!("urn:symbolon:problem:{code}"),
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &detail,
        code,
        request_id,
        errors: errors.iter().map(FieldProblem::from).collect(),
    };
    let in_oauth_words = response.extensions_mut().remove::<InOAuthWords>().is_some();
    let (body, media_type) = match in_oauth_words {
        true => {
            let told = serde_json::json!({"error": oauth_code(status, code), "error_description": &*detail});
            (serde_json::to_vec(&told), "application/json")
        }
        false => (serde_json::to_vec(&problem), "application/problem+json"),
    };
    let on_a_page = response.extensions_mut().remove::<OnAPage>().is_some();
    if !on_a_page {
        *response.body_mut() = Body::from(body.unwrap_or_default());
    }
    let headers = response.headers_mut();
    if !on_a_page {
        // That of the empty body which the router saw.
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    if let Some(refusal) = refusal {
        if let Some(wait) = refusal.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if status == StatusCode::UNAUTHORIZED || *refusal == Refusal::InsufficientScope {
            headers.insert(WWW_AUTHENTICATE, challenge(refusal));
        }
    }
    Some(error)
}

/// The registered code that is nearest.
fn oauth_code(status: StatusCode, code: &str) -> &'static str {
    match (status, code) {
        (_, "insufficient_scope") => "insufficient_scope",
        (_, "invalid_dpop_proof") => "invalid_dpop_proof",
        (_, "use_dpop_nonce") => "use_dpop_nonce",
        (StatusCode::UNAUTHORIZED, _) => "invalid_token",
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _) => {
            "temporarily_unavailable"
        }
        (StatusCode::INTERNAL_SERVER_ERROR, _) => "server_error",
        _ => "invalid_request",
    }
}

/// The scheme of clients that show a secret (RFC 6749 section 2.3.1).
pub(super) const BASIC: &str = r#"Basic realm="symbolon", charset="UTF-8""#;

/// RFC 6750 section 3: without credentials no error is named. RFC 9449 section 7.1: the other scheme stands behind.
fn challenge(refusal: &Refusal) -> HeaderValue {
    HeaderValue::from_static(match refusal {
        Refusal::InvalidToken => {
            r#"Bearer error="invalid_token", error_description="The access token is not valid", DPoP error="invalid_token", error_description="The access token is not valid", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::TokenExpired => {
            r#"Bearer error="invalid_token", error_description="The access token expired", DPoP error="invalid_token", error_description="The access token expired", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::TokenRevoked => {
            r#"Bearer error="invalid_token", error_description="The access token was revoked", DPoP error="invalid_token", error_description="The access token was revoked", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::TokenStale => {
            r#"Bearer error="invalid_token", error_description="The access token is stale", DPoP error="invalid_token", error_description="The access token is stale", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::InsufficientScope => {
            r#"Bearer error="insufficient_scope", error_description="The token's scope does not allow this.", DPoP error="insufficient_scope", error_description="The token's scope does not allow this.", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::InvalidProof => {
            r#"Bearer, DPoP error="invalid_dpop_proof", error_description="The proof is not valid", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::ProofNonceNeeded => {
            r#"Bearer, DPoP error="use_dpop_nonce", error_description="The proof needs the nonce of this answer", algs="ES256 EdDSA RS256 PS256""#
        }
        Refusal::InvalidClient => BASIC,
        _ => r#"Bearer, DPoP algs="ES256 EdDSA RS256 PS256""#,
    })
}

fn status(error: &Error) -> StatusCode {
    let refusal = match error {
        Error::Refused(refusal) => refusal,
        Error::Store(_) => &STORE_GONE,
        Error::Fault { .. } => return StatusCode::INTERNAL_SERVER_ERROR,
    };
    match refusal {
        Refusal::MalformedRequest(_) | Refusal::InvalidLink => StatusCode::BAD_REQUEST,
        Refusal::NoToken
        | Refusal::InvalidToken
        | Refusal::TokenExpired
        | Refusal::TokenRevoked
        | Refusal::TokenStale
        | Refusal::InvalidProof
        | Refusal::ProofNonceNeeded
        | Refusal::InvalidCredentials
        | Refusal::InvalidClient
        | Refusal::NoRefreshToken
        | Refusal::InvalidRefreshToken
        | Refusal::RefreshTokenExpired
        | Refusal::RefreshTokenReused
        | Refusal::SessionRevoked => StatusCode::UNAUTHORIZED,
        Refusal::Forbidden
        | Refusal::RegistrationClosed
        | Refusal::InsufficientScope
        | Refusal::WrongPassword
        | Refusal::AccountDisabled
        | Refusal::EmailNotVerified
        | Refusal::CsrfRejected => StatusCode::FORBIDDEN,
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Refusal::Conflict(_) => StatusCode::CONFLICT,
        Refusal::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Overloaded { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}
