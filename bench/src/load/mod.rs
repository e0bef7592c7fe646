//! A load generator that costs less than what it measures.
//!
//! One thread, non-blocking sockets, no task per connection: an answer is read, checked and followed
//! by the next request of that connection in one turn. Each connection has one request under way
//! ("closed loop"), so the rate is what the server can do with that many callers waiting.
//!
//! On a core of its own it does not sleep: whoever sends to a socket on the same machine also wakes the core that reads from it,
//! which costs up to twice what the answer does, and no server has to wake callers that are elsewhere.

mod caller;
mod connection;
pub mod probe;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
pub use caller::Caller;
use connection::{Connection, Turn};
use mio::{Events, Interest, Poll, Token};

use crate::{
    clock, machine,
    process::{LOAD_CORE, Server},
    report::rate,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the callers say, and what they make of the answers.
pub trait Script {
    /// Appends the next request of this connection, head and body. An error ends the run.
    fn ask(&mut self, connection: usize, out: &mut Vec<u8>) -> Result<()>;

    /// Takes the answer to the last request of this connection. An error ends the run.
    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()>;
}

impl Script for Box<dyn Script> {
    fn ask(&mut self, connection: usize, out: &mut Vec<u8>) -> Result<()> {
        (**self).ask(connection, out)
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        (**self).answer(connection, answer)
    }
}

/// An answer in the buffer of its connection.
pub struct Answer<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The start of the answer, for a message.
    pub fn text(&self) -> String {
        let head = String::from_utf8_lossy(self.head);
        let body = String::from_utf8_lossy(self.body);
        let line = head.lines().next().unwrap_or_default();
        format!("{line}: {}", body.chars().take(300).collect::<String>())
    }
}

/// How hard, and for how long.
#[derive(Clone, Copy)]
pub struct Load {
    pub address: SocketAddr,
    pub connections: usize,
    pub warm_up: Duration,
    pub duration: Duration,
    /// The server's process, whose processor time is measured.
    pub pid: u32,
    /// Whether the generator looks for answers again and again, instead of being woken.
    pub sleepless: bool,
}

/// What came of it. Only answers after the warm-up are counted.
pub struct Figures {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// Share of one core that this generator used. Near 1.0 it is the bottleneck.
    pub generator_cpu: f64,
    /// Cores that the server used.
    pub server_cpu: f64,
    /// Cores that something else used meanwhile.
    pub others: f64,
}

impl Figures {
    /// Rate, latencies and where the processor time went, for the reader.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}, p50 {:.2} ms, p99 {:.2} ms, server {:.0} % of a core ({:.0} us each)",
            rate(self.per_second),
            self.p50.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3,
            self.server_cpu * 100.0,
            self.server_cpu / self.per_second * 1e6
        );
        if self.generator_cpu > 0.9 {
            let percent = self.generator_cpu * 100.0;
            text += &format!(", load generator {percent:.0} %: it is the limit");
        }
        if self.others > machine::QUIET {
            let percent = self.others * 100.0;
            text += &format!(", DISTURBED: something else used {percent:.0} % of a core");
        }
        text
    }
}

/// The run of several whose rate is the middle one.
pub fn middle(mut runs: Vec<Figures>) -> Result<Figures> {
    runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let at = runs.len() / 2;
    runs.into_iter().nth(at).context("no run")
}

impl Load {
    /// What one server is asked.
    pub fn of(server: &Server, connections: usize, duration: Duration) -> Self {
        Self {
            address: server.address,
            connections,
            warm_up: Duration::from_millis(500),
            duration,
            pid: server.pid(),
            sleepless: false,
        }
    }
}

/// Runs a script against a pinned server, from the core that is the load's.
pub fn pinned(
    server: &Server,
    connections: usize,
    duration: Duration,
    script: &mut impl Script,
) -> Result<Figures> {
    let load = Load {
        sleepless: machine::can_pin(),
        ..Load::of(server, connections, duration)
    };
    machine::on_core(LOAD_CORE, || run(load, script))
}

/// Runs a script against an address; where patience was asked for, until nothing disturbs it.
pub fn run(load: Load, script: &mut impl Script) -> Result<Figures> {
    machine::wait_until_quiet();
    let mut best = once(load, script)?;
    for _ in 0..machine::repeats() {
        if best.others < machine::QUIET {
            break;
        }
        machine::wait_until_quiet();
        let again = once(load, script)?;
        if again.others < best.others {
            best = again;
        }
    }
    Ok(best)
}

/// Runs a script against an address once, whatever else runs.
pub fn once(load: Load, script: &mut impl Script) -> Result<Figures> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(load.connections);
    for at in 0..load.connections {
        let mut connection = Connection::open(load.address)?;
        let registry = poll.registry();
        registry.register(connection.source(), Token(at), Interest::READABLE)?;
        connections.push(connection);
    }
    let mut tally = Tally::new(load);
    for (at, connection) in connections.iter_mut().enumerate() {
        connection.ask(|out| script.ask(at, out))?;
        tally.asked(at);
    }
    let mut events = Events::with_capacity(load.connections.max(1));
    // At the end every answer is waited for, so that no script misses what its server did.
    let mut waiting = load.connections;
    while waiting > 0 {
        tally.wait(&mut poll, &mut events)?;
        for event in &events {
            let at = event.token().0;
            let connection = connections.get_mut(at).context("unknown connection")?;
            // Readiness is told once for what arrives: a whole answer leaves nothing behind, and
            // the answer to the next request is told anew.
            let turn = connection.read(|answer| {
                tally.answered(at);
                script.answer(at, answer)
            })?;
            match turn {
                Turn::Waiting => {}
                Turn::Answered if tally.over => waiting -= 1,
                Turn::Answered => {
                    connection.ask(|out| script.ask(at, out))?;
                    tally.asked(at);
                }
            }
        }
    }
    tally.figures()
}

/// Counts and times, without a system call but the clock.
struct Tally {
    start: Instant,
    /// When counting began, and the processor time used until then.
    counting: Option<(Instant, f64, f64, f64)>,
    pid: u32,
    end: Instant,
    warm: Instant,
    asked: Vec<Instant>,
    latencies: Vec<u32>,
    over: bool,
    sleepless: bool,
    /// How long there was nothing to do but to look.
    looking: Duration,
}

impl Tally {
    fn new(load: Load) -> Self {
        let start = clock::now();
        Self {
            start,
            counting: None,
            pid: load.pid,
            warm: start + load.warm_up,
            end: start + load.warm_up + load.duration,
            asked: vec![start; load.connections],
            latencies: Vec::with_capacity(1 << 20),
            over: false,
            sleepless: load.sleepless,
            looking: Duration::ZERO,
        }
    }

    /// Until there are answers.
    fn wait(&mut self, poll: &mut Poll, events: &mut Events) -> Result<()> {
        let pause = match self.sleepless {
            true => Duration::ZERO,
            false => PATIENCE,
        };
        let from = clock::now();
        poll.poll(events, Some(pause))?;
        while events.is_empty() {
            let looked = clock::since(from);
            if looked >= PATIENCE {
                bail!("no answer for a minute");
            }
            poll.poll(events, Some(pause))?;
            if self.sleepless && self.counting.is_some() && !events.is_empty() {
                self.looking += looked;
            }
        }
        Ok(())
    }

    fn asked(&mut self, at: usize) {
        if let Some(asked) = self.asked.get_mut(at) {
            *asked = clock::now();
        }
    }

    fn answered(&mut self, at: usize) {
        let now = clock::now();
        if self.counting.is_none() {
            if now < self.warm {
                return;
            }
            let own = machine::cpu_seconds(std::process::id());
            let server = machine::cpu_seconds(self.pid);
            self.counting = Some((now, own, server, machine::busy_seconds()));
            return;
        }
        if now > self.end {
            self.over = true;
            return;
        }
        let asked = self.asked.get(at).copied().unwrap_or(self.start);
        let micros = now.saturating_duration_since(asked).as_micros();
        self.latencies
            .push(u32::try_from(micros).unwrap_or(u32::MAX));
    }

    fn figures(mut self) -> Result<Figures> {
        let (from, own, server, busy) = self.counting.context("ended before its warm-up did")?;
        let seconds = self.end.saturating_duration_since(from).as_secs_f64();
        let own = machine::cpu_seconds(std::process::id()) - own;
        let server = machine::cpu_seconds(self.pid) - server;
        let looking = self.looking.as_secs_f64();
        let busy = machine::busy_seconds() - busy;
        self.latencies.sort_unstable();
        Ok(Figures {
            per_second: self.latencies.len() as f64 / seconds,
            p50: quantile(&self.latencies, 50),
            p99: quantile(&self.latencies, 99),
            generator_cpu: (own - looking).max(0.0) / seconds,
            server_cpu: server / seconds,
            others: (busy - own - server) / seconds,
        })
    }
}

/// The value that `percent` of the sorted values do not exceed.
pub fn quantile(sorted_micros: &[u32], percent: usize) -> Duration {
    let at = sorted_micros.len() * percent / 100;
    let value = sorted_micros.get(at).or(sorted_micros.last());
    Duration::from_micros(value.copied().unwrap_or_default().into())
}
