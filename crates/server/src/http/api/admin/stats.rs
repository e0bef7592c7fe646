//! `GET /api/admin/stats`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::super::body::Answer;
use super::super::super::problem::{Failure, Problem};
use super::permitted::{Permitted, StatsRead};
use crate::app::App;
use crate::flows::stats::{self, Counted, SignIns, Stats};
use crate::rfc3339::text as rfc3339;

/// A number that was counted up to a bound.
#[derive(Serialize, ToSchema)]
struct NumberBody {
    /// How many were found.
    #[schema(example = 1234)]
    count: u32,
    /// Whether these are all; otherwise there are at least so many.
    exact: bool,
}

/// Sign-ins within some time.
#[derive(Serialize, ToSchema)]
struct SignInsBody {
    /// People who signed in.
    succeeded: NumberBody,
    /// Tries that were refused. Those that were turned away for coming too often are not among them.
    failed: NumberBody,
}

/// Users by status.
#[derive(Serialize, ToSchema)]
struct UsersBody {
    /// Who may sign in.
    active: NumberBody,
    /// Who may not.
    disabled: NumberBody,
}

/// Sign-ins lately.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignInTimesBody {
    /// The last 24 hours.
    last_day: SignInsBody,
    /// The last 7 days.
    last_week: SignInsBody,
}

/// The numbers of the service.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatsBody {
    /// When they were counted: ten seconds ago at most. RFC 3339, UTC.
    #[schema(format = DateTime)]
    counted_at: String,
    /// Users.
    users: UsersBody,
    /// Sessions that are alive.
    live_sessions: NumberBody,
    /// Sign-ins.
    sign_ins: SignInTimesBody,
    /// Revocations that can hit a living token.
    revocations: NumberBody,
    /// Keys, withdrawn ones included.
    keys: usize,
    /// Size of the database.
    database_bytes: i64,
    /// Of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// How long the process that answers has been running.
    uptime_seconds: u64,
}

impl From<Counted> for NumberBody {
    fn from(counted: Counted) -> Self {
        Self {
            count: counted.found,
            exact: !counted.more,
        }
    }
}

impl From<SignIns> for SignInsBody {
    fn from(sign_ins: SignIns) -> Self {
        Self {
            succeeded: sign_ins.succeeded.into(),
            failed: sign_ins.failed.into(),
        }
    }
}

impl From<&Stats> for StatsBody {
    fn from(stats: &Stats) -> Self {
        Self {
            counted_at: rfc3339(stats.at),
            users: UsersBody {
                active: stats.active.into(),
                disabled: stats.disabled.into(),
            },
            live_sessions: stats.sessions.into(),
            sign_ins: SignInTimesBody {
                last_day: stats.day.into(),
                last_week: stats.week.into(),
            },
            revocations: stats.revocations.into(),
            keys: stats.keys,
            database_bytes: stats.database_bytes,
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: stats.uptime.as_secs(),
        }
    }
}

/// Numbers of the service, ten seconds old at most.
#[utoipa::path(get, path = "/api/admin/stats", operation_id = "showStats", tag = "administration", security(("bearer" = [])),
    responses(
        (status = 200, body = StatsBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `stats:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<StatsRead>,
) -> Result<Response, Failure> {
    let stats = stats::stats(&app).await?;
    Ok(Answer(StatusCode::OK, StatsBody::from(&*stats)).into_response())
}
