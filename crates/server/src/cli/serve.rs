//! `symbolon serve`

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use futures_util::stream::{Stream, unfold};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Common, Failed, load, output};
use crate::app::{App, make_folder};
use crate::clock::Clock;
use crate::config::Config;
use crate::flows::setup;
use crate::http::serve::{serve, serve_metrics};
use crate::jobs::Jobs;
use crate::logging;
use crate::nodes;
use crate::rng::Rng;

/// Run the server.
#[derive(Args)]
pub(super) struct Serve {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Redis or Valkey by which nodes count together who guesses: redis://… or rediss://…
    #[arg(long, value_name = "URL")]
    cache: Option<String>,
    /// Public URL of this server [default: the address of the first start]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

impl Serve {
    pub(super) fn run(self, common: &Common) -> Result<(), Failed> {
        let sources = common
            .sources()
            .with_option("server.listen", self.listen)
            .with_option("cache.url", self.cache)
            .with_option("server.issuer", self.issuer);
        let config = load(&sources)?;
        logging::start(&config.log)
            .map_err(|error| Failed::said("bad_settings", error.to_string()))?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(run(config))
    }
}

async fn run(config: Config) -> Result<(), Failed> {
    let listener = listen(config.server.listen).await?;
    let metrics = match config.metrics.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    // Before the store is opened: a signal from here on ends the process in order.
    let stop = stop_signals()?;
    let app = App::open(config, Clock::system(), Rng::system()).await?;
    let ended = serve_until(&app, listener, metrics, stop).await;
    // After a start that failed as well: it leaves the folder as it was.
    app.close().await;
    ended
}

/// Serves until it is told to stop.
async fn serve_until(
    app: &Arc<App>,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    stop: impl Stream<Item = ()> + Send + 'static,
) -> Result<(), Failed> {
    let bound = listener.local_addr()?;
    app.open_keys(Some(bound)).await?;
    offer_setup(app, bound).await?;
    // Where the database and the master key are elsewhere, nothing has made it yet.
    if app.mark.is_kept()
        && let Err(error) = make_folder(&app.config.server.data)
    {
        tracing::warn!(%error, "a restored backup may not be noticed");
    }
    let talk = nodes::start(app)?;
    let mut jobs = Jobs::start(app).await?;
    if let Some(talk) = talk {
        jobs.spawn(talk);
    }
    if let Some(listener) = metrics {
        jobs.spawn(serve_metrics(Arc::clone(app), listener));
    }
    let serving = tokio::spawn(serve(Arc::clone(app), listener, stop));
    output::raw(&format!(
        "listening on http://{bound}\n\
         open http://{bound}/ to sign in, http://{bound}/console to administrate, http://{bound}/api/docs for the API\n"
    ))?;
    let ended = serving.await;
    // Before the end of the audit log is signed: it may write to it.
    app.settle().await;
    jobs.stop(app).await;
    ended.map_err(|error| Failed::said("fault", format!("the server stopped: {error}")))
}

/// Says on standard error how to make the first administrator, where there is none. It is no line of the log: whoever
/// collects logs is not to make administrators.
async fn offer_setup(app: &App, bound: SocketAddr) -> Result<(), Failed> {
    let Some(token) = setup::prepare(app).await? else {
        return Ok(());
    };
    output::notice(&format!(
        "no administrator yet: within the hour, open http://{bound}/setup and give the token {} \
         (or: symbolon user add you@example.com --role admin); a token that was printed before is void",
        token.as_str()
    ));
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failed> {
    TcpListener::bind(address).await.map_err(|error| {
        Failed::said(
            "cannot_listen",
            format!("cannot listen on {address}: {error}"),
        )
    })
}

/// Every SIGTERM and SIGINT.
fn stop_signals() -> Result<impl Stream<Item = ()>, Failed> {
    let signals = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(unfold(signals, async |(mut terminate, mut interrupt)| {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Some(((), (terminate, interrupt)))
    }))
}
