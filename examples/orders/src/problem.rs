//! Refusals in the form of the guard's own answers (RFC 9457).

use axum::{
    extract::rejection::JsonRejection,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    errors: Option<Value>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
            errors: None,
        }
    }

    pub fn not_found(detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub fn full() -> Self {
        let detail = "There is no room for more orders.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
    }

    /// One member of the body is not what it should be.
    pub fn invalid(pointer: &str, detail: &str) -> Self {
        let error = json!({ "pointer": pointer, "code": "invalid", "detail": detail });
        Self {
            errors: Some(json!([error])),
            ..Self::not_valid()
        }
    }

    fn not_valid() -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "validation_failed", "The order is not valid.")
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let status = rejection.status();
        let (code, detail) = match status {
            StatusCode::UNPROCESSABLE_ENTITY => return Self::not_valid(),
            StatusCode::PAYLOAD_TOO_LARGE => ("payload_too_large", "The body is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported_media_type", "The body must be JSON.")
            }
            _ => ("malformed_request", "The body cannot be read."),
        };
        Self::new(status, code, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:symbolon:problem:{}", self.code),
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        if let Some(errors) = self.errors {
            body["errors"] = errors;
        }
        let headers = [
            (CONTENT_TYPE, "application/problem+json"),
            (CACHE_CONTROL, "no-store"),
        ];
        let mut response = (self.status, headers, body.to_string()).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, 60.into());
        }
        response
    }
}

pub async fn no_such_page() -> Problem {
    Problem::not_found("There is nothing here.")
}

pub async fn no_such_method() -> Problem {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "method_not_allowed", "This cannot be done here.")
}
