//! Bare readers of a stream: sockets on one thread, which note when each revocation came and do nothing with it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};

use crate::clock;

/// Connections that are opened before the first of them has to be answered: less than a listener keeps waiting.
const WAVE: usize = 100;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
const REQUEST: &[u8] =
    b"GET /api/revocations/stream HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n\r\n";

/// When a revocation of this number was there.
pub type Mark = (u64, Instant);

pub struct Readers {
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    readers: Vec<Reader>,
}

struct Reader {
    stream: mio::net::TcpStream,
    lines: Lines,
}

impl Readers {
    /// Opens streams until there are `count`, each of which has come as far as its first heartbeat.
    pub fn open(address: SocketAddr, count: usize) -> Result<Self> {
        let mut readers = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; 64 * 1024].into_boxed_slice(),
            readers: Vec::with_capacity(count),
        };
        while readers.readers.len() < count {
            for _ in 0..WAVE.min(count - readers.readers.len()) {
                readers.connect(address)?;
            }
            let begun = |readers: &Self| {
                let mut wave = readers.readers.iter().rev().take(WAVE);
                wave.all(|reader| reader.lines.heartbeats > 0)
            };
            readers.turn_until(begun)?;
        }
        Ok(readers)
    }

    fn connect(&mut self, address: SocketAddr) -> Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(REQUEST)?;
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        let token = Token(self.readers.len());
        let registry = self.poll.registry();
        registry.register(&mut stream, token, Interest::READABLE)?;
        self.readers.push(Reader {
            stream,
            lines: Lines::default(),
        });
        Ok(())
    }

    /// Bytes that each has read, about.
    pub fn bytes_each(&self) -> usize {
        let all: usize = self.readers.iter().map(|reader| reader.lines.bytes).sum();
        all / self.readers.len().max(1)
    }

    /// Reads until each has noted `count` revocations.
    pub fn until_noted(&mut self, count: usize) -> Result<()> {
        self.turn_until(|readers| {
            let mut noted = readers
                .readers
                .iter()
                .map(|reader| reader.lines.marks.len());
            noted.all(|noted| noted >= count)
        })
    }

    /// Goes on reading for this long.
    pub fn idle(&mut self, time: Duration) -> Result<()> {
        let start = clock::now();
        while clock::since(start) < time {
            self.turn(Duration::from_millis(50))?;
        }
        Ok(())
    }

    /// What each has noted, in the order in which it came.
    pub fn into_marks(self) -> Vec<Vec<Mark>> {
        let readers = self.readers.into_iter();
        readers.map(|reader| reader.lines.marks).collect()
    }

    fn turn_until(&mut self, reached: impl Fn(&Self) -> bool) -> Result<()> {
        let start = clock::now();
        while !reached(self) {
            ensure!(clock::since(start) < PATIENCE, "the streams stand still");
            self.turn(Duration::from_millis(500))?;
        }
        Ok(())
    }

    fn turn(&mut self, longest: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(longest)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let reader = self.readers.get_mut(event.token().0);
            let reader = reader.context("unknown stream")?;
            loop {
                match reader.stream.read(&mut self.buffer) {
                    Ok(0) => bail!("the server ended a stream"),
                    Ok(read) => {
                        let now = clock::now();
                        let read = self.buffer.get(..read).unwrap_or_default();
                        reader.lines.read(read, now)?;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error).context("a stream broke"),
                }
            }
        }
        Ok(())
    }
}

/// The lines of a stream. Those that frame its chunks look like no field and are left out like them.
#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    in_revocation: bool,
    heartbeats: usize,
    bytes: usize,
    marks: Vec<Mark>,
}

impl Lines {
    fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<()> {
        self.bytes += bytes.len();
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                self.line(line, now)?;
            } else {
                let mut whole = std::mem::take(&mut self.begun);
                whole.extend_from_slice(line);
                self.line(&whole, now)?;
            }
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    fn line(&mut self, line: &[u8], now: Instant) -> Result<()> {
        if let Some(name) = line.strip_prefix(b"event: ") {
            self.in_revocation = name == b"revocation";
            self.heartbeats += usize::from(name == b"heartbeat");
        } else if self.in_revocation && line.starts_with(b"id: ") {
            let id = std::str::from_utf8(line)?;
            let (_, number) = id.rsplit_once(':').context("an id without a number")?;
            self.marks.push((number.parse()?, now));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revocations_are_noted_however_they_are_cut() {
        let text = b"HTTP/1.1 200 OK\r\n\r\n30\r\nevent: snapshot\nid: e:3\ndata: {}\n\n\r\n\
            20\r\nevent: heartbeat\ndata: {}\n\n\r\n3c\r\nevent: revocation\nid: e:4\ndata: {}\n\n\
            event: revocation\nid: e:17\ndata: {}\n\n\r\n";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            for piece in text.chunks(size) {
                lines.read(piece, clock::now()).unwrap();
            }
            let numbers: Vec<u64> = lines.marks.iter().map(|mark| mark.0).collect();
            assert_eq!((numbers, lines.heartbeats), (vec![4, 17], 1), "{size}");
        }
    }
}
