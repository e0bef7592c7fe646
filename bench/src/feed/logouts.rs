//! Logouts at a steady rate, and how long after each of them its revocation was heeded.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::readers::Mark;
use crate::{clock, load::Caller, process::Server, refresh::rotate, seed::Seeded};

/// Callers that take turns, so that a late answer does not put off the next question.
const CALLERS: usize = 16;

/// A session of a server, and an access token of it.
pub struct Signed {
    /// What the feed calls the session.
    pub key: [u8; 16],
    pub access: String,
}

/// Access tokens of the first sessions, fresh from the server.
pub fn signed(server: &Server, seeded: &Seeded, count: usize) -> Result<Vec<Signed>> {
    let asked = (0..count as u64).map(|at| {
        let mut request = Vec::new();
        rotate::ask(seeded.token(at)?.as_bytes(), &mut request);
        Ok(request)
    });
    let asked: Vec<Vec<u8>> = asked.collect::<Result<_>>()?;
    let answers = in_turn(server.address, &asked, None, |answer| {
        let answer: serde_json::Value = serde_json::from_slice(answer)?;
        let token = answer.get("accessToken").and_then(|token| token.as_str());
        Ok(token.with_context(|| answer.to_string())?.to_owned())
    })?;
    let answers = (0..).zip(answers);
    let signed = answers.map(|(at, (_, access))| Signed {
        key: seeded.feed_key(at),
        access,
    });
    Ok(signed.collect())
}

/// The request that ends a session.
pub fn request(access: &str) -> Vec<u8> {
    format!(
        "POST /api/logout HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {access}\r\n\
         content-length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// When something was asked, and when the answer was there.
#[derive(Clone, Copy)]
pub struct Asked {
    pub at: Instant,
    pub answered: Instant,
}

/// Asks all of this, `per_second`, and returns when, in the same order.
pub fn paced(address: SocketAddr, requests: &[Vec<u8>], per_second: u32) -> Result<Vec<Asked>> {
    let answers = in_turn(address, requests, Some(per_second), |_| Ok(()))?;
    Ok(answers.into_iter().map(|(asked, ())| asked).collect())
}

/// Asks one thing after the other, each of the callers every so manieth; as fast as they can without a rate.
fn in_turn<T: Send>(
    address: SocketAddr,
    requests: &[Vec<u8>],
    per_second: Option<u32>,
    take: impl Fn(&[u8]) -> Result<T> + Sync,
) -> Result<Vec<(Asked, T)>> {
    let start = clock::now();
    let turns = |first: usize| {
        let mut caller = Caller::connect(address)?;
        let own = requests.iter().enumerate().skip(first).step_by(CALLERS);
        own.map(|(number, request)| {
            if let Some(per_second) = per_second {
                let due = start + Duration::from_secs(1) * u32::try_from(number)? / per_second;
                clock::pause(due.saturating_duration_since(clock::now()));
            }
            let at = clock::now();
            let answer = caller.call(request)?;
            let answered = clock::now();
            ensure!(matches!(answer.status, 200 | 204), "{}", answer.text());
            Ok((number, Asked { at, answered }, take(answer.body)?))
        })
        .collect::<Result<Vec<_>>>()
    };
    let mut answers = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|first| scope.spawn(move || turns(first)))
            .collect();
        let mut answers = Vec::with_capacity(requests.len());
        for caller in callers {
            let own = caller
                .join()
                .map_err(|_| anyhow::anyhow!("a caller panicked"))?;
            answers.extend(own?);
        }
        anyhow::Ok(answers)
    })?;
    answers.sort_unstable_by_key(|(number, ..)| *number);
    Ok(answers
        .into_iter()
        .map(|(_, asked, out)| (asked, out))
        .collect())
}

/// The number of each session's revocation. The server lists what it has published, which for the last of them may be
/// a moment after their answers.
pub fn numbers(address: SocketAddr, sessions: &[Signed]) -> Result<Vec<u64>> {
    for _ in 0..100 {
        let listed = listed(address)?;
        let number = |session: &Signed| {
            let key = base64_simd::URL_SAFE_NO_PAD.encode_to_string(session.key);
            listed.get(&key).copied()
        };
        if let Some(numbers) = sessions.iter().map(number).collect() {
            return Ok(numbers);
        }
        clock::pause(Duration::from_millis(50));
    }
    bail!("a logout revoked nothing")
}

/// The numbers of all revocations by their keys.
fn listed(address: SocketAddr) -> Result<HashMap<String, u64>> {
    let mut stream = TcpStream::connect(address)?;
    // In HTTP/1.0 a body of unknown length is not cut into chunks.
    stream.write_all(b"GET /api/revocations HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = memchr::memmem::find(&answer, b"\r\n\r\n").context("no answer")?;
    let list: serde_json::Value = serde_json::from_slice(&answer.split_off(end + 4))?;
    let entries = list.get("entries").and_then(|entries| entries.as_array());
    Ok(entries
        .context("no entries")?
        .iter()
        .filter_map(|entry| {
            let key = entry.get("key")?.as_str()?;
            Some((key.to_owned(), entry.get("seq")?.as_u64()?))
        })
        .collect())
}

/// How long revocations took to their readers: one value for each revocation and reader, sorted, in microseconds.
pub struct Delays {
    pub from_answer: Vec<u32>,
    pub from_question: Vec<u32>,
    /// Those that were there before the answer was.
    early: usize,
}

impl Delays {
    /// Every reader must have noted every number.
    pub fn new(asked: &[Asked], numbers: &[u64], readers: &[Vec<Mark>]) -> Result<Self> {
        let by_number: HashMap<u64, Asked> =
            numbers.iter().copied().zip(asked.iter().copied()).collect();
        let pairs = asked.len() * readers.len();
        let mut delays = Self {
            from_answer: Vec::with_capacity(pairs),
            from_question: Vec::with_capacity(pairs),
            early: 0,
        };
        for marks in readers {
            let before = delays.from_answer.len();
            for (number, heeded) in marks {
                if let Some(asked) = by_number.get(number) {
                    delays.early += usize::from(*heeded < asked.answered);
                    delays.from_answer.push(micros(asked.answered, *heeded));
                    delays.from_question.push(micros(asked.at, *heeded));
                }
            }
            let noted = delays.from_answer.len() - before;
            ensure!(
                noted == asked.len(),
                "{noted} of {} revocations came",
                asked.len()
            );
        }
        delays.from_answer.sort_unstable();
        delays.from_question.sort_unstable();
        Ok(delays)
    }

    /// The share of them that were there before the answer was, in percent.
    pub fn early_percent(&self) -> f64 {
        self.early as f64 * 100.0 / self.from_answer.len().max(1) as f64
    }
}

/// Milliseconds that this share of the sorted values does not exceed.
pub fn millis(sorted_micros: &[u32], share: f64) -> f64 {
    let at = (sorted_micros.len() as f64 * share) as usize;
    let value = sorted_micros.get(at).or(sorted_micros.last());
    f64::from(value.copied().unwrap_or_default()) / 1e3
}

fn micros(from: Instant, to: Instant) -> u32 {
    let micros = to.saturating_duration_since(from).as_micros();
    u32::try_from(micros).unwrap_or(u32::MAX)
}
