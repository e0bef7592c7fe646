//! What a code stands for, between the answer of the person and its exchange.

use serde::{Deserialize, Serialize};
use symbolon_domain::oauth::{AuthorizationRequest, OAuthError, OFFLINE_ACCESS, Scopes};
use symbolon_domain::{Resource, SessionId, Timestamp};
use uuid::Uuid;

use super::Failed;
use crate::flows::Error;

/// A request that a person agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frozen {
    /// Where the code went.
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) granted: Granted,
}

/// What was agreed to, by whichever way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Granted {
    pub(super) scopes: String,
    pub(super) resources: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) claims: Option<String>,
    /// Milliseconds since 1970.
    pub(super) auth_time: i64,
    /// The session of the browser where it was agreed to.
    pub(super) browser: Uuid,
    /// Whether it ends with that.
    pub(super) tied: bool,
    pub(super) jkt: Option<String>,
}

impl Frozen {
    pub(super) fn of(
        request: &AuthorizationRequest,
        scopes: &Scopes,
        (browser, auth_time): (SessionId, Timestamp),
    ) -> Self {
        let destination = &request.destination;
        Self {
            redirect_uri: destination.uri.to_string(),
            challenge: request.challenge.as_str().to_owned(),
            granted: Granted {
                scopes: scopes.to_string(),
                resources: request.resources.iter().map(Resource::to_string).collect(),
                nonce: request.nonce.clone(),
                claims: request.claims.clone(),
                auth_time: auth_time.millis(),
                browser: browser.uuid(),
                tied: !scopes.contains(OFFLINE_ACCESS),
                jkt: request.dpop_jkt.clone(),
            },
        }
    }

    pub(super) fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::fault("keeping a request")(error.into()))
    }

    pub(super) fn read(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text)
            .map_err(|error| Error::fault("reading a kept request")(error.into()))
    }
}

impl Granted {
    pub(super) fn scopes(&self) -> Result<Scopes, OAuthError> {
        Scopes::parse(&self.scopes)
    }

    pub(super) fn resources(&self) -> Result<Vec<Resource>, Failed> {
        let read = self.resources.iter().map(|text| Resource::parse(text));
        let read: Result<Vec<_>, _> = read.collect();
        read.map_err(|problem| Error::fault("reading a kept request")(problem.into()).into())
    }

    pub(super) fn browser(&self) -> SessionId {
        SessionId::new(self.browser)
    }

    pub(super) fn auth_time(&self) -> Timestamp {
        Timestamp::from_millis(self.auth_time)
    }
}
