//! Whether the time of an answer tells that there is an account (SECURITY row L8).

mod statistics;

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{
    Run, clock,
    load::Caller,
    machine,
    process::{Folder, Place, Server, call},
    report::{Row, Section},
};
use statistics::{Dice, kolmogorov_smirnov, mann_whitney, median_difference, quantile};

const PASSWORD: &str = "correct horse battery staple";
const WRONG: &str = "wrong horse battery staple";
/// Accounts of each kind.
const ACCOUNTS: usize = 8;
/// Below this chance, over all tests of the section, two kinds count as told apart.
const ALPHA: f64 = 0.01;
const RESAMPLES: usize = 2_000;

const NOTE: &str = "One caller asks, in random order and one after the other on one connection, for accounts of several \
    kinds; an answer is timed from the first byte sent to the last received. Beside each kind stands the one that it must \
    not be told from. U is the p of the two-sided Mann-Whitney test, KS that of the Kolmogorov-Smirnov test; told apart \
    is what has one below 0.01 divided by the number of tests. The difference of the medians has its 95 % interval, by \
    bootstrap: half its width is about the smallest shift that would have shown. Hashes are the cheapest that the settings \
    allow, for the less of their noise. Limits on guessing are off, save for the refusals.";

/// One kind of request: its name, and how the next one is written.
struct Kind {
    name: &'static str,
    request: Box<dyn Fn(usize) -> Vec<u8>>,
    status: u16,
}

pub fn measure(run: &Run) -> Result<Section> {
    let samples = match (run.samples, run.quick, machine::repeats()) {
        (Some(samples), _, _) => samples,
        (None, true, _) => 100,
        (None, false, 0) => 300,
        (None, false, _) => 2_000,
    };
    let mut pairs = Vec::new();
    sign_in(run, samples, &mut pairs)?;
    refused(run, samples, &mut pairs)?;
    by_mail(run, samples, &mut pairs)?;
    let mut section = Section::new("timing", "What the time of an answer tells", NOTE);
    let bound = ALPHA / (pairs.len() * 2) as f64;
    for pair in &pairs {
        section.push(pair.row(bound));
    }
    Ok(section)
}

/// Unknown, wrong, disabled, without a password.
fn sign_in(run: &Run, samples: usize, pairs: &mut Vec<Pair>) -> Result<()> {
    let folder = Folder::new(&run.dir, "timing")?;
    let server = start(run, &folder, &[])?;
    for kind in ["wrong", "disabled", "without"] {
        for number in 0..ACCOUNTS {
            register(&server, &format!("{kind}-{number}@bench.example"))?;
        }
    }
    server.stop()?;
    // As an operator and a sign-in by other means would leave them.
    meddle(
        folder.path(),
        "UPDATE users SET status = 'disabled' WHERE email LIKE 'disabled-%';
         UPDATE users SET password_hash = NULL WHERE email LIKE 'without-%'",
    )?;
    let server = start(run, &folder, &[])?;
    let kind = |name: &'static str, prefix: &'static str| Kind {
        name,
        request: Box::new(move |number| {
            login(&format!("{prefix}-{}@bench.example", number % ACCOUNTS), "")
        }),
        status: 401,
    };
    let kinds = [
        kind("sign in: wrong password", "wrong"),
        kind("sign in: unknown user", "unknown"),
        kind("sign in: disabled, wrong password", "disabled"),
        kind("sign in: no password set", "without"),
        kind("the same once more: wrong password", "wrong"),
    ];
    let mut times = interleaved(&server, &kinds, samples)?.into_iter();
    let wrong = times.next().context("a kind")?;
    for (kind, times) in kinds.iter().skip(1).zip(times) {
        pairs.push(Pair {
            names: [kind.name, kinds[0].name],
            times: [times, wrong.clone()],
        });
    }
    server.stop()
}

/// Refusals for what strangers did to an account, where the store is asked for known networks.
fn refused(run: &Run, samples: usize, pairs: &mut Vec<Pair>) -> Result<()> {
    let folder = Folder::new(&run.dir, "timing-refused")?;
    let settings = [
        ("SYMBOLON_THROTTLE__ENABLED", "true"),
        ("SYMBOLON_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let server = start(run, &folder, &settings)?;
    register(&server, "known@bench.example")?;
    let mut caller = Caller::connect(server.address)?;
    for session in 0..20 {
        let from = format!("x-forwarded-for: 192.0.2.{session}\r\n");
        let answer = caller.call(&sign_in_with("known@bench.example", PASSWORD, &from))?;
        ensure!(answer.status == 200, "no sign-in: {}", answer.text());
    }
    for name in ["known", "other"] {
        for network in 0..110 {
            let from = format!("x-forwarded-for: 198.51.100.{network}\r\n");
            caller.call(&login(&format!("{name}@bench.example"), &from))?;
        }
    }
    drop(caller);
    let kind = |name: &'static str, account: &'static str| Kind {
        name,
        request: Box::new(move |number| {
            let from = format!(
                "x-forwarded-for: 10.{}.{}.1\r\n",
                number / 250 % 250,
                number % 250
            );
            login(&format!("{account}@bench.example"), &from)
        }),
        status: 429,
    };
    let kinds = [
        kind("refused: known user", "known"),
        kind("refused: unknown user", "other"),
    ];
    let times = interleaved(&server, &kinds, samples)?;
    let [known, unknown] =
        <[Vec<f64>; 2]>::try_from(times).map_err(|_| anyhow::anyhow!("two kinds were measured"))?;
    pairs.push(Pair {
        names: [kinds[1].name, kinds[0].name],
        times: [unknown, known],
    });
    server.stop()
}

/// What is answered alike because the rest is told by mail: registering, and asking for another password.
fn by_mail(run: &Run, samples: usize, pairs: &mut Vec<Pair>) -> Result<()> {
    let folder = Folder::new(&run.dir, "timing-mail")?;
    let settings = [("SYMBOLON_REGISTRATION__VERIFICATION", "required")];
    let server = start(run, &folder, &settings)?;
    for number in 0..ACCOUNTS {
        register(&server, &format!("taken-{number}@bench.example"))?;
    }
    let kinds = [
        Kind {
            name: "register: new address",
            request: Box::new(|number| registration(&format!("fresh-{number}@bench.example"))),
            status: 201,
        },
        Kind {
            name: "register: taken address",
            request: Box::new(|number| {
                registration(&format!("taken-{}@bench.example", number % ACCOUNTS))
            }),
            status: 201,
        },
        Kind {
            name: "forgotten password: unknown address",
            request: Box::new(|number| {
                forgotten(&format!("other-{}@bench.example", number % ACCOUNTS))
            }),
            status: 202,
        },
        Kind {
            name: "forgotten password: known address",
            request: Box::new(|number| {
                forgotten(&format!("taken-{}@bench.example", number % ACCOUNTS))
            }),
            status: 202,
        },
    ];
    for kinds in kinds.chunks(2) {
        let times = interleaved(&server, kinds, samples)?;
        let times = <[Vec<f64>; 2]>::try_from(times)
            .map_err(|_| anyhow::anyhow!("two kinds were measured"))?;
        pairs.push(Pair {
            names: [kinds[0].name, kinds[1].name],
            times,
        });
    }
    server.stop()
}

/// Microseconds of each kind, in random order, sorted. An answer of another status is left out: limits let one in now
/// and then.
fn interleaved(server: &Server, kinds: &[Kind], samples: usize) -> Result<Vec<Vec<f64>>> {
    machine::wait_until_quiet();
    let mut order: Vec<usize> = (0..kinds.len() * samples)
        .map(|at| at % kinds.len())
        .collect();
    let mut dice = Dice(20_261_121);
    dice.shuffle(&mut order);
    let mut caller = Caller::connect(server.address)?;
    let mut times = vec![Vec::with_capacity(samples); kinds.len()];
    // The first of all find caches cold.
    let warm_up = (0..kinds.len()).cycle().take(40);
    for (number, at) in warm_up.chain(order).enumerate() {
        let (Some(kind), Some(times)) = (kinds.get(at), times.get_mut(at)) else {
            continue;
        };
        let request = (kind.request)(number);
        let start = clock::now();
        let status = caller.call(&request)?.status;
        let took = clock::since(start);
        if status == kind.status && number >= 40 {
            times.push(micros(took));
        }
    }
    for times in &mut times {
        ensure!(
            times.len() * 10 >= samples * 9,
            "too few answers as expected"
        );
        times.sort_by(f64::total_cmp);
    }
    Ok(times)
}

/// A kind beside the one that it must not be told from, with their times, sorted.
struct Pair {
    names: [&'static str; 2],
    times: [Vec<f64>; 2],
}

impl Pair {
    fn row(&self, bound: f64) -> Row {
        let [one, other] = &self.times;
        let (u, ks) = (mann_whitney(one, other), kolmogorov_smirnov(one, other));
        let [low, high] = median_difference(one, other, RESAMPLES, &mut Dice(1));
        let text = |times: &[f64]| {
            format!(
                "p50 {:.3}, p90 {:.3} ms",
                quantile(times, 50) / 1e3,
                quantile(times, 90) / 1e3
            )
        };
        let verdict = u >= bound && ks >= bound;
        let word = if verdict {
            "not told apart"
        } else {
            "told apart"
        };
        let figure = format!(
            "{}; {:+.0} us ({low:+.0} to {high:+.0}); U {u:.3}, KS {ks:.3}, n {}: {word}",
            text(one),
            quantile(one, 50) - quantile(other, 50),
            one.len()
        );
        Row::new(self.names[0], figure)
            .beside(
                format!("{} ({})", text(other), self.names[1]),
                quantile(one, 50) / quantile(other, 50),
            )
            .bound(format!("p ≥ {bound:.4}"), verdict)
    }
}

/// The cheapest hash that the settings allow: the less of its noise, the smaller the difference that shows.
fn start(run: &Run, folder: &Folder, more: &[(&str, &str)]) -> Result<Server> {
    let mut settings = vec![
        ("SYMBOLON_PASSWORD__MEMORY_KIB", "7168"),
        ("SYMBOLON_PASSWORD__ITERATIONS", "5"),
        ("SYMBOLON_LOG__LEVEL", "warn"),
    ];
    settings.extend(more);
    Server::symbolon(&run.server, folder.path(), Place::Anywhere, &settings)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A sign-in with a wrong password.
fn login(email: &str, headers: &str) -> Vec<u8> {
    sign_in_with(email, WRONG, headers)
}

fn sign_in_with(email: &str, password: &str, headers: &str) -> Vec<u8> {
    let body = format!("{{\"email\":\"{email}\",\"password\":\"{password}\"}}");
    post("/api/login", headers, &body)
}

fn registration(email: &str) -> Vec<u8> {
    let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
    post("/api/register", "", &body)
}

fn forgotten(email: &str) -> Vec<u8> {
    post(
        "/api/password/forgot",
        "",
        &format!("{{\"email\":\"{email}\"}}"),
    )
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{headers}\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [&head, body].concat().into_bytes()
}

fn register(server: &Server, email: &str) -> Result<()> {
    let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
    let reply = call(server.address, "POST /api/register", &body)?;
    let said = String::from_utf8_lossy(&reply.body);
    ensure!(reply.status == 201, "no account: {said}");
    Ok(())
}

fn meddle(data: &Path, sql: &str) -> Result<()> {
    let database = rusqlite::Connection::open(data.join("symbolon.db"))?;
    Ok(database.execute_batch(sql)?)
}
