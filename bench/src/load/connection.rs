//! One keep-alive connection of the load generator.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use memchr::memmem;
use mio::net::TcpStream;

use super::Answer;

/// A head and a body of what we measure fit in this; a longer answer is an error.
const BUFFER: usize = 64 * 1024;

pub struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Box<[u8]>,
    filled: usize,
}

/// What reading came to.
pub enum Turn {
    /// One answer was handed over; the connection may ask again.
    Answered,
    /// The rest has not come yet.
    Waiting,
}

impl Connection {
    /// Connects, waiting for it.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            request: Vec::with_capacity(2048),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            filled: 0,
        })
    }

    pub fn source(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Sends one request. It fits in the socket's buffer, which is empty: the last one was answered.
    pub fn ask(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        self.request.clear();
        write(&mut self.request)?;
        self.stream
            .write_all(&self.request)
            .context("the server took no request")
    }

    /// Reads what there is and hands over an answer once it is whole.
    pub fn read(&mut self, take: impl FnOnce(&Answer<'_>) -> Result<()>) -> Result<Turn> {
        loop {
            let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.stream.read(free) {
                Ok(0) => bail!("the server closed the connection: {}", self.text()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waiting),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("the server broke the connection"),
            }
            let received = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some((answer, length)) = parse(received)? {
                if length != self.filled {
                    bail!("more than one answer to one request");
                }
                take(&answer)?;
                self.filled = 0;
                return Ok(Turn::Answered);
            }
        }
    }

    fn text(&self) -> String {
        let received = self.buffer.get(..self.filled).unwrap_or_default();
        String::from_utf8_lossy(received).into_owned()
    }
}

/// The answer at the start of `received` and its length, once it is whole.
pub(super) fn parse(received: &[u8]) -> Result<Option<(Answer<'_>, usize)>> {
    let Some(end) = memmem::find(received, b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, rest) = received.split_at(end + 4);
    let status = head
        .get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .context("no status in the answer")?;
    let length = if status == 204 {
        Some(0)
    } else if is_chunked(head) {
        chunks(rest)
    } else {
        Some(content_length(head)?)
    };
    let Some(body) = length.and_then(|length| rest.get(..length)) else {
        return Ok(None);
    };
    let length = head.len() + body.len();
    Ok(Some((Answer { status, head, body }, length)))
}

/// Whether the body comes in chunks (RFC 9112 section 7.1). Such a body is handed over with their frames.
fn is_chunked(head: &[u8]) -> bool {
    const NAMES: [&[u8]; 2] = [
        b"\r\ntransfer-encoding: chunked\r\n",
        b"\r\nTransfer-Encoding: chunked\r\n",
    ];
    NAMES.iter().any(|name| memmem::find(head, name).is_some())
}

/// The length of all chunks with their frames, once the last one is there. Nothing measured here sends trailers.
fn chunks(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = body.get(at..)?;
        let line = memmem::find(rest, b"\r\n")?;
        let digits = std::str::from_utf8(rest.get(..line)?).ok()?;
        let length = usize::from_str_radix(digits, 16).ok()?;
        at += line + 2 + length + 2;
        if length == 0 {
            return (at <= body.len()).then_some(at);
        }
    }
}

/// hyper writes its own field names in lower case, Node with capitals; nothing else is measured here.
fn content_length(head: &[u8]) -> Result<usize> {
    const NAMES: [&[u8]; 2] = [b"\r\ncontent-length: ", b"\r\nContent-Length: "];
    let mut found = NAMES
        .iter()
        .filter_map(|name| Some(memmem::find(head, name)? + name.len()));
    let at = found.next().context("no content-length in the answer")?;
    let digits = head.get(at..).unwrap_or_default();
    let mut length = 0_usize;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        length = length * 10 + usize::from(digit - b'0');
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_when_it_is_whole() {
        let text = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 3\r\ndate: x\r\n\r\nabc";
        for cut in 0..text.len() {
            assert!(parse(&text[..cut]).unwrap().is_none(), "{cut}");
        }
        let (answer, length) = parse(text).unwrap().unwrap();
        assert_eq!(
            (answer.status, answer.body, length),
            (401, &b"abc"[..], text.len())
        );
    }

    #[test]
    fn an_answer_in_chunks_is_taken_when_the_last_one_is_there() {
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0\r\n\r\n56789\r\n0\r\n\r\n";
        for cut in 0..text.len() {
            assert!(parse(&text[..cut]).unwrap().is_none(), "{cut}");
        }
        let (answer, length) = parse(text).unwrap().unwrap();
        assert_eq!((answer.status, length), (200, text.len()));
    }
}
