//! Connecting to PostgreSQL, and how each connection is set.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, PoolError, QueueMode,
    RecyclingMethod, Runtime,
};
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use super::errors::UNREACHED;
use super::signals::NOTIFY;
use super::tls::Secure;
use crate::url::{Tls, split_tls};
use crate::{OpenError, OpenOptions};

/// How long to try one host.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a task waits for a connection of the pool.
const WAIT: Duration = Duration::from_secs(2);
/// How long a new connection may take, over all hosts.
const CREATE: Duration = Duration::from_secs(10);
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);

/// Limits for each statement, so that nothing waits for ever; and durable commits, should the server be set
/// otherwise. A stricter setting (`remote_apply`) stays. Pages cost what they cost on a disk without moving parts: for one
/// with, a small table is read from end to end for every row that is looked for. A statement is planned once: its values never
/// change how it is best run, and planning it anew for an array takes longer than running it.
const SESSION: &str = "SET statement_timeout = '6s'; SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed'; SET random_page_cost = 1.1; SET plan_cache_mode = 'force_generic_plan'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Where connections go, and how they are made secure.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) secure: Secure,
}

/// How to connect to the server of a URL.
pub(super) fn target(url: &str) -> Result<Target, OpenError> {
    let (url, tls) = split_tls(url)?;
    let secure = Secure::of(&tls)?;
    // The error of the driver may quote the text, hence not ours to print.
    let mut config: Config = url
        .parse()
        .map_err(|_| {
        let wrong = "this is not a postgres:// URL that can be read: is each unusual character of the password percent-encoded?";
        OpenError::Url(wrong.into())
    })?;
    // Written in a way that only the driver reads.
    if config.get_ssl_mode() == SslMode::Require {
        return Err(OpenError::Url(
            "the name `sslmode` must not be percent-encoded in the URL: write ?sslmode=verify-full"
                .into(),
        ));
    }
    config.ssl_mode(match tls {
        Tls::Off => SslMode::Disable,
        Tls::Machine | Tls::File(_) => SslMode::Require,
    });
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(UNACKNOWLEDGED);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("symbolon");
    }
    Ok(Target { config, secure })
}

/// A pool of connections. Connects to nothing yet.
pub(super) fn pool(target: Target, options: &OpenOptions) -> Result<Pool, OpenError> {
    let fast = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let session = Arc::new(format!(
        "{SESSION}; SET lock_timeout = {}",
        options.lock_wait.as_millis().max(1)
    ));
    let set = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let session = Arc::clone(&session);
        Box::pin(async move {
            client
                .batch_execute(&session)
                .await
                .map_err(HookError::Backend)?;
            UNREACHED.store(false, Ordering::Relaxed);
            Ok(())
        })
    });
    let pool = Pool::builder(Manager::from_config(target.config, target.secure, fast))
        .max_size(options.connections.max(1))
        // The one that was used last: what it knows is still at hand, on both sides.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(CREATE))
        .recycle_timeout(Some(CONNECT))
        .post_create(set)
        .build();
    pool.map_err(OpenError::other)
}

/// Connects once, so that a server that is not there or not good enough is known at the start. Tells whether it has
/// notifications.
pub(super) async fn try_out(pool: &Pool, name: &str) -> Result<bool, OpenError> {
    let client = pool.get().await.map_err(|error| refused(name, &error))?;
    let row = client.query_one(
        "SELECT current_setting('server_encoding'), current_setting('server_version_num')",
        &[],
    );
    let row = row.await.map_err(|error| said(name, &error))?;
    let encoding: String = row.try_get(0).map_err(OpenError::other)?;
    let version: String = row.try_get(1).map_err(OpenError::other)?;
    let reason = if encoding != "UTF8" {
        format!("its encoding is {encoding} and must be UTF8")
    } else if version.parse::<u32>().is_ok_and(|number| number < 130_000) {
        "it is older than version 13".to_owned()
    } else {
        // Databases that speak PostgreSQL's protocol mostly have none.
        return Ok(client.batch_execute(NOTIFY).await.is_ok());
    };
    Err(OpenError::Server {
        server: name.to_owned(),
        reason,
    })
}

/// The sentence for a connection that could not be had.
pub(super) fn refused(name: &str, error: &PoolError) -> OpenError {
    match error {
        PoolError::Backend(error) => said(name, error),
        PoolError::Timeout(_) => OpenError::Server {
            server: name.to_owned(),
            reason: "no answer".to_owned(),
        },
        other => OpenError::Server {
            server: name.to_owned(),
            reason: other.to_string(),
        },
    }
}

/// The sentence for what the server or the network said.
pub(super) fn said(name: &str, error: &tokio_postgres::Error) -> OpenError {
    let reason = match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    };
    OpenError::Server {
        server: name.to_owned(),
        reason,
    }
}
