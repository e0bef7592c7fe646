//! Guards that follow a server, as resources do, and note when they heed a revocation.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Url};
use symbolon_guard::{Denied, Endpoints, Event, Guard, GuardBuilder};
use tokio::runtime::Runtime;

use super::readers::Mark;
use crate::{clock, process::Server, seed::ISSUER};

/// Larger than any first snapshot here takes.
const START: Duration = Duration::from_secs(300);

/// Guards on one thread.
pub struct Guards {
    runtime: Runtime,
    guards: Vec<Guard>,
    marks: Vec<Arc<Mutex<Vec<Mark>>>>,
}

/// A guard of this server's tokens, to be set up further.
pub fn builder(server: SocketAddr, client: Client) -> Result<GuardBuilder> {
    let url = |path| Url::parse(&format!("http://{server}{path}"));
    let endpoints = Endpoints {
        jwks: url("/.well-known/jwks.json")?,
        stream: url("/api/revocations/stream")?,
        verification: None,
    };
    Ok(Guard::discover(ISSUER)
        .audience(ISSUER)
        .endpoints(endpoints)
        .client(client)
        .start_timeout(START))
}

/// What guards connect with.
pub fn client() -> Result<Client> {
    // Chosen by an earlier call already, or by none.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let policy = reqwest::redirect::Policy::none();
    Ok(Client::builder().redirect(policy).build()?)
}

/// One thread that runs guards: the core that the caller is on, where it is kept on one.
pub fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?)
}

impl Guards {
    /// Guards that have taken their first snapshot.
    pub fn start(server: &Server, count: usize) -> Result<Self> {
        let (runtime, client) = (runtime()?, client()?);
        let mut all = Self {
            runtime,
            guards: Vec::with_capacity(count),
            marks: Vec::with_capacity(count),
        };
        for _ in 0..count {
            let marks = Arc::new(Mutex::new(Vec::with_capacity(8192)));
            let noted = Arc::clone(&marks);
            let note = move |event: &Event| {
                if let Event::Applied { seq } = event {
                    let mut marks = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    marks.push((*seq, clock::now()));
                }
            };
            let builder = builder(server.address, client.clone())?.cache_capacity(100);
            let guard = all.runtime.block_on(builder.on_event(note).start())?;
            all.guards.push(guard);
            all.marks.push(marks);
        }
        Ok(all)
    }

    /// Waits until each has heeded everything up to this number.
    pub fn wait_for(&self, number: u64) -> Result<()> {
        let heeded = async {
            for guard in &self.guards {
                guard.wait_for(number).await;
            }
        };
        let in_time = async { tokio::time::timeout(Duration::from_secs(60), heeded).await };
        self.runtime.block_on(in_time).context("guards are behind")
    }

    /// Each must give this verdict on one of the tokens, all of them in turn.
    pub fn judge(&self, tokens: &[&str], refused: bool) -> Result<()> {
        for (guard, token) in self.guards.iter().zip(tokens.iter().cycle()) {
            let verdict = guard.check(token).map(|_| ());
            let expected = if refused {
                Err(Denied::Revoked)
            } else {
                Ok(())
            };
            ensure!(verdict == expected, "a guard says {verdict:?}");
        }
        Ok(())
    }

    /// What each has noted, in the order in which it came.
    pub fn into_marks(self) -> Vec<Vec<Mark>> {
        let marks = self.marks.iter();
        marks
            .map(|marks| std::mem::take(&mut *marks.lock().unwrap_or_else(PoisonError::into_inner)))
            .collect()
    }
}
