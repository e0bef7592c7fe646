//! Answers as OAuth has them: JSON, never stored (RFC 6749 sections 5.1 and 5.2).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use symbolon_domain::oauth::{ErrorCode, OAuthError};
use utoipa::ToSchema;

use super::super::problem::{BASIC, Failure, InOAuthWords, NonceNeeded};
use crate::flows::Error;
use crate::flows::oauth::Failed;

/// What an endpoint says when it does not do what was asked.
pub(super) struct Told(pub(super) Failed);

impl<T: Into<Failed>> From<T> for Told {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

/// Why a request is refused, as OAuth tells it (RFC 6749 section 5.2; RFC 6750 section 3).
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub(in crate::http) struct OAuthBody<'a> {
    #[schema(example = "invalid_request")]
    error: &'a str,
    error_description: &'a str,
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        match self.0 {
            Failed::OAuth(error) => of(&error),
            Failed::Expired => of(&OAuthError::invalid_request("The page is too old.")),
            Failed::Other(error) => {
                let mut response = Failure(error).into_response();
                response.extensions_mut().insert(InOAuthWords);
                response
            }
        }
    }
}

fn of(error: &OAuthError) -> Response {
    let status = match error.code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let body = OAuthBody {
        error: error.code.as_str(),
        error_description: &error.description,
    };
    let mut response = json(status, &body);
    if error.code == ErrorCode::UseDpopNonce {
        response.extensions_mut().insert(NonceNeeded);
    }
    if error.code == ErrorCode::InvalidClient {
        // RFC 6749 section 5.2: the scheme that a client could have used.
        let challenge = HeaderValue::from_static(BASIC);
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// An answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_vec(body) else {
        let error = Error::fault("writing an answer")("it cannot be written as JSON".into());
        return Told::from(error).into_response();
    };
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
