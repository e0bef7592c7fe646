//! One use case a file. Every flow reads load → decide → apply: it loads through the store, lets `domain`
//! decide, and commits what was decided in one transaction. HTTP, command line and pages are doors to these.

pub mod access_token;
pub mod activity;
pub mod actor;
pub mod address;
pub mod apply;
pub mod audit;
pub mod authenticate;
pub mod backup;
pub mod clients;
mod consequences;
pub mod doctor;
pub mod dpop;
pub mod explain;
pub mod export;
pub mod feed;
pub mod import;
pub mod invitations;
pub mod keys;
pub mod login;
pub mod logout;
pub mod oauth;
pub mod once;
pub mod opaque;
pub mod outbox;
pub mod page;
pub mod password;
pub mod profile;
mod proof;
pub mod refresh;
pub mod register;
pub mod relocate;
pub mod reset;
pub mod revocations;
pub mod roles;
pub mod schema;
pub mod sessions;
pub mod setup;
pub mod sign;
pub mod stats;
pub mod upstream;
pub mod users;
pub mod verification;
pub mod verify;

use std::net::IpAddr;

use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::mail::Locale;
use symbolon_domain::{Refusal, SessionId, Timestamp, UserId};

use crate::app::App;
use crate::hashing::HashError;
use crate::throttle::RateLimited;

/// How often a flow decides again when what it had loaded was changed under its hands.
/// Each round loses only to a commit that succeeded, so the last round is reached by an attack at most.
pub(crate) const ROUNDS: usize = 8;

/// Where a request came from, as far as it can be known: kept with sessions and in the audit log.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The client's address, seen through trusted proxies only.
    pub address: Option<IpAddr>,
    /// The `User-Agent`, printable and at most 256 characters.
    pub user_agent: Option<String>,
    /// The id under which the request is logged.
    pub request_id: Option<String>,
    /// The language that answers are wanted in; English where nothing was said.
    pub locale: Locale,
}

impl Origin {
    fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// An audit event of this request; the caller fills in whom it concerns.
    fn event(&self, kind: AuditKind, at: Timestamp) -> AuditEvent {
        AuditEvent {
            at,
            kind,
            actor: None,
            subject: None,
            session: None,
            address: self.address_text(),
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
            detail: None,
        }
    }

    /// An audit event of a user who acts on the own account.
    fn own_event(
        &self,
        kind: AuditKind,
        at: Timestamp,
        user: UserId,
        session: Option<SessionId>,
    ) -> AuditEvent {
        AuditEvent {
            actor: Some(user),
            subject: Some(user),
            session,
            ..self.event(kind, at)
        }
    }
}

/// Why a flow did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A reason that the caller may know.
    #[error("{}", .0.code())]
    Refused(Refusal),
    /// The database does not do its part: logged like a fault, told as `overloaded`, for it may come back.
    #[error("store")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something is broken here: logged once where it is handled, told to nobody.
    #[error("{context}")]
    Fault {
        /// What was being done.
        context: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A fault with what was being done.
    pub fn fault(
        context: &'static str,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::Fault { context, source }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<symbolon_store::Error> for Error {
    fn from(error: symbolon_store::Error) -> Self {
        use symbolon_store::Error as Store;
        match error {
            Store::Conflict(field) => Self::Refused(Refusal::Conflict(field)),
            Store::Stale | Store::Busy => Self::Refused(overloaded()),
            Store::Fault(source) => Self::Store(source),
        }
    }
}

impl From<RateLimited> for Error {
    fn from(limited: RateLimited) -> Self {
        Self::Refused(Refusal::RateLimited {
            retry_after: limited.retry_after,
        })
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded { retry_after } => {
                Self::Refused(Refusal::Overloaded { retry_after })
            }
            HashError::Fault(source) => Self::Fault {
                context: "password hashing",
                source,
            },
        }
    }
}

/// The answer when a wait has reached its bound.
pub(crate) fn overloaded() -> Refusal {
    Refusal::Overloaded {
        retry_after: std::time::Duration::from_secs(1),
    }
}

/// True when the batch lost against another commit and the flow should load and decide again.
pub(crate) fn lost_race(result: &Result<(), symbolon_store::Error>) -> bool {
    matches!(result, Err(symbolon_store::Error::Stale))
}

/// True when another has done the same in between: it lost against that commit, or what it made is there already.
pub(crate) fn was_forestalled(result: &Result<(), symbolon_store::Error>) -> bool {
    lost_race(result) || matches!(result, Err(symbolon_store::Error::Conflict(_)))
}

/// A fresh id for an audit row.
pub(crate) fn audit_id(app: &App, now: Timestamp) -> Result<uuid::Uuid, Error> {
    app.rng.uuid_v7(now).map_err(|error| Error::Fault {
        context: "random source",
        source: error.into(),
    })
}

/// The store answers, and the server is not about to end.
///
/// # Errors
/// `overloaded` otherwise, whatever the reason: a balancer that asks is to come back.
pub async fn ready(app: &App) -> Result<(), Error> {
    if app.is_draining() {
        return Err(overloaded().into());
    }
    app.store.ping().await.map_err(|error| {
        tracing::warn!(%error, "not ready: the store does not answer");
        overloaded().into()
    })
}
