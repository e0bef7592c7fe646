//! What a guard shows where the feed is not for everybody.

use std::fmt;

use reqwest::RequestBuilder;
use url::form_urlencoded::byte_serialize;

/// The id and the secret of an OAuth client, each encoded as in a form (RFC 6749 section 2.3.1).
#[derive(Clone)]
pub(crate) struct FeedCredentials {
    id: String,
    secret: String,
}

impl FeedCredentials {
    pub(crate) fn new(id: &str, secret: &str) -> Self {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect();
        Self {
            id: encoded(id),
            secret: encoded(secret),
        }
    }

    pub(crate) fn are_whole(&self) -> bool {
        !self.id.is_empty() && !self.secret.is_empty()
    }

    /// The request with them.
    pub(crate) fn shown_by(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.id, Some(&self.secret))
    }
}

impl fmt::Debug for FeedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedCredentials")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
