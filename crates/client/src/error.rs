//! What can go wrong, apart by what a caller can do about it.

use std::{fmt, time::Duration};

use thiserror::Error;

use crate::{presence::SignedOutReason, store::StoreError};

/// Why a call did not do what was asked.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The server said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// There is no answer, or none that can be understood.
    #[error("{0}")]
    Network(NetworkError),
    /// Nobody is signed in, and somebody must sign in before this can be done.
    #[error("nobody is signed in: {reason}")]
    SignedOut {
        /// Since when: what ended the session.
        reason: SignedOutReason,
        /// What the server said, where it was the server that ended it.
        refusal: Option<Box<Refusal>>,
    },
    /// The refresh token could not be read, or could not be kept. In the latter case it is kept in memory, and the next
    /// call tries again; until then no access token is handed out.
    #[error("{0}")]
    Storage(StoreError),
    /// The request is for an origin that was not named with
    /// [`ClientBuilder::resource`](crate::ClientBuilder::resource). Nothing was sent.
    #[error("{origin} may not see the access token")]
    ForeignOrigin {
        /// Scheme, host and port.
        origin: String,
    },
    /// The request itself is at fault, such as by an address that cannot be read. Nothing was sent.
    #[error("not a request that can be sent: {0}")]
    Request(String),
    /// The runtime that did the work was shut down.
    #[error("the work was broken off")]
    Interrupted,
}

impl Error {
    /// Whether the same may succeed later: no connection, no answer, 408, 429 or 5xx. It never means that somebody was
    /// signed out.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_transient(),
            Self::Network(error) => *error != NetworkError::Redirected,
            Self::Interrupted => true,
            _ => false,
        }
    }

    /// What the server said, where it said something.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::SignedOut { refusal, .. } => refusal.as_deref(),
            _ => None,
        }
    }

    /// The server's word for it, such as `invalid_credentials`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let refusal = self.refusal().map(|refusal| refusal.code.as_str());
        refusal.filter(|code| !code.is_empty())
    }

    /// How long the server asks callers to stay away.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }
}

/// A problem document of the server (RFC 9457), or what is known of another answer that is no success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// A word for programs, stable, such as `invalid_credentials`; empty where something between here and the server
    /// has answered in its place.
    pub code: String,
    /// A sentence for people; may be empty.
    pub detail: String,
    /// The fields at fault, with `validation_failed`.
    pub fields: Vec<FieldError>,
    /// The id under which the server has logged the request.
    pub request_id: Option<String>,
    /// After how long to ask again (RFC 9110 section 10.2.3), where the answer says it in seconds.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code.as_str() {
            "" => write!(f, "the server answered with status {}", self.status)?,
            code => write!(f, "{} ({code})", self.detail)?,
        }
        for field in &self.fields {
            write!(f, "; {}: {}", field.pointer, field.detail)?;
        }
        Ok(())
    }
}

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[non_exhaustive]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field, such as `/email`.
    #[serde(default)]
    pub pointer: String,
    /// A word for programs, stable, such as `email_malformed`.
    #[serde(default)]
    pub code: String,
    /// A sentence for people.
    #[serde(default)]
    pub detail: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// No connection, or it broke before the whole answer was there.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server of sign-ins sent the client elsewhere, where it does not go.
    #[error("the answer is a redirect, which is not followed")]
    Redirected,
    /// A success whose body is not what it should be.
    #[error("the answer is not what it should be: {0}")]
    Malformed(String),
}

/// Why a client cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An address is not `https`, or not plain.
    #[error("{address}: {reason}")]
    Address {
        /// As it was given.
        address: String,
        /// A sentence.
        reason: String,
    },
    /// The connections cannot be set up.
    #[error("connections cannot be set up: {0}")]
    Connections(String),
}
