//! What a follower makes of the event stream, connection by connection (CONTRACT.md section 3.4; the HTML standard,
//! "Server-sent events").

mod broken;
mod sound;
mod wire;

use anyhow::Result;
use serde::Serialize;

use super::cases::Code;
use super::feed::Written;
use super::forge::{EDDSA, Forge};
use super::members::{Members, quoted};
use wire::Text;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stream {
    pub(super) name: String,
    connections: Vec<Connection>,
    pub(super) after: After,
    pub(super) probe: Vec<Probe>,
    /// The entries that must be live after all, for the judge.
    #[serde(skip)]
    pub(super) live: Vec<Written>,
}

/// What the server says on one connection before it is cut; the last one stays open.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    /// What the guard must send in `Last-Event-ID`; `null` where it must send none.
    last_event_id: Option<String>,
    text: String,
}

/// The follower's state when all was read.
#[derive(Serialize)]
pub(super) struct After {
    epoch: &'static str,
    seq: u64,
    /// Live entries; two about one subject with the same effect are one.
    pub(super) entries: usize,
    /// How often a connection was given up for what it said.
    malformed: u32,
}

#[derive(Serialize)]
pub(super) struct Probe {
    pub(super) token: String,
    pub(super) code: Code,
}

pub(super) fn all(forge: &mut Forge) -> Result<Vec<Stream>> {
    let mut cast = Cast::new(forge)?;
    sound::add(&mut cast)?;
    broken::add(&mut cast)?;
    Ok(cast.streams)
}

/// The sessions `a` to `f`, a token of each, and the streams so far.
struct Cast {
    tokens: Vec<(&'static str, String)>,
    streams: Vec<Stream>,
}

const SESSIONS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const EPOCH: &str = "e1";
const OTHER_EPOCH: &str = "e2";

/// The session of that letter is revoked by entry `seq`.
fn entry(seq: u64, session: &str) -> Written {
    Written::new(seq, "session", session)
}

impl Cast {
    fn new(forge: &mut Forge) -> Result<Self> {
        let token = |session| {
            let claims = Members::claims().with("sid", quoted(session));
            anyhow::Ok((session, forge.signed(EDDSA, &claims)?))
        };
        Ok(Self {
            tokens: SESSIONS.into_iter().map(token).collect::<Result<_>>()?,
            streams: Vec::new(),
        })
    }

    /// A stream whose last state is `(epoch, seq, malformed)` with these entries live. Every session is probed.
    fn stream(
        &mut self,
        name: impl Into<String>,
        connections: Vec<(Option<&str>, Text)>,
        (epoch, seq, malformed): (&'static str, u64, u32),
        live: &[Written],
    ) {
        let connections = connections.into_iter().map(|(id, text)| Connection {
            last_event_id: id.map(str::to_owned),
            text: text.0,
        });
        let hit = |session| {
            live.iter()
                .find(|entry| entry.key == self::entry(0, session).key)
        };
        let probe = self.tokens.iter().map(|(session, token)| Probe {
            token: token.clone(),
            code: hit(session).map(|entry| match entry.effect {
                "revoked" => "token_revoked",
                _ => "token_stale",
            }),
        });
        let mut subjects: Vec<_> = live
            .iter()
            .map(|entry| (entry.kind, &entry.key, entry.effect))
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        let stream = Stream {
            name: name.into(),
            connections: connections.collect(),
            after: After {
                epoch,
                seq,
                entries: subjects.len(),
                malformed,
            },
            probe: probe.collect(),
            live: live.to_vec(),
        };
        self.streams.push(stream);
    }
}
