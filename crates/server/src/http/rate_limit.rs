//! `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): what a client may try before it must wait.

use std::fmt::Write as _;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{HeaderName, HeaderValue};

use super::problem::Failure;
use crate::flows::Error;
use crate::throttle::Quota;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The answer or refusal, with what is left of the limits. None of either header where nothing is limited.
pub(super) fn told(result: Result<Response, Error>, quotas: &[Quota]) -> Response {
    let mut response = result.unwrap_or_else(|error| Failure(error).into_response());
    for (name, text) in [(POLICY, policy(quotas)), (LIMIT, limit(quotas))] {
        if let (Ok(value), false) = (HeaderValue::from_str(&text), quotas.is_empty()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// `"network";q=60;w=60, "account";q=5`
fn policy(quotas: &[Quota]) -> String {
    let mut text = String::new();
    for quota in quotas {
        let comma = if text.is_empty() { "" } else { ", " };
        let _infallible = write!(text, "{comma}\"{}\";q={}", quota.policy, quota.limit);
        if let Some(window) = quota.window {
            let _infallible = write!(text, ";w={}", seconds(window));
        }
    }
    text
}

/// `"account";r=2`: the one that is nearest, so that what others on the network do shows only where it matters.
fn limit(quotas: &[Quota]) -> String {
    let mut text = String::new();
    if let Some(quota) = quotas.iter().min_by_key(|quota| quota.remaining) {
        let _infallible = write!(text, "\"{}\";r={}", quota.policy, quota.remaining);
        if let Some(reset) = quota.reset {
            let _infallible = write!(text, ";t={}", seconds(reset));
        }
    }
    text
}

fn seconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}
