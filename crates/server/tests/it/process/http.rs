//! A connection that waits for its answers, for threads and not tasks: what it sends may be cut in the middle.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer takes this long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A kept connection.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            received: Vec::new(),
        })
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a request and waits for its answer.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Reply> {
        self.send(&request(method, path, bearer, body))?;
        self.reply()
    }

    /// `POST` with a JSON body.
    pub fn post(&mut self, path: &str, body: &Value) -> io::Result<Reply> {
        self.call("POST", path, None, Some(body))
    }

    /// Exchanges a refresh token.
    pub fn refresh(&mut self, token: &str) -> io::Result<Reply> {
        self.post(
            "/api/refresh",
            &serde_json::json!({ "refreshToken": token }),
        )
    }

    /// Ends the session of an access token.
    pub fn sign_out(&mut self, access: &str) -> io::Result<Reply> {
        self.call("POST", "/api/logout", Some(access), None)
    }

    /// Reads a protected route.
    pub fn profile(&mut self, access: &str) -> io::Result<Reply> {
        self.call("GET", "/api/user/profile", Some(access), None)
    }

    /// Waits for one whole answer.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.received[..end]).to_lowercase();
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no status in {head:?}")))?;
        let length = head
            .split("\r\ncontent-length:")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.trim().parse().ok());
        if head.contains("transfer-encoding") {
            return Err(io::Error::other("this client reads no chunks"));
        }
        let total = end + length.unwrap_or(0);
        while self.received.len() < total {
            self.more()?;
        }
        let body = self.received[end..total].to_vec();
        self.received.drain(..total);
        Ok(Reply { status, head, body })
    }

    /// Reads until the server closes, and returns the body.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.more() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        let end = find(&self.received, b"\r\n\r\n").map_or(0, |at| at + 4);
        Ok(self.received.split_off(end))
    }

    /// Reads up to the next `end`, and returns what stands before it.
    pub fn until(&mut self, end: &str) -> io::Result<String> {
        loop {
            if let Some(at) = find(&self.received, end.as_bytes()) {
                let before = self.received[..at].to_vec();
                self.received.drain(..at + end.len());
                return Ok(String::from_utf8_lossy(&before).into_owned());
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    self.received.extend_from_slice(&chunk[..read]);
                    return Ok(());
                }
                // A process that is stopped and goes on.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A member of the body that is a text.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        let body = self.json();
        let text = body[name].as_str();
        text.unwrap_or_else(|| panic!("no {name} in {body}"))
            .to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The head in lower case.
    pub fn head(&self) -> &str {
        &self.head
    }

    pub fn has_header(&self, name: &str) -> bool {
        self.head.contains(&format!("\r\n{name}:"))
    }

    /// A problem of that status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert!(reply.head.contains("application/problem+json"), "{reply:?}");
        assert_eq!(reply.text("code"), code, "{reply:?}");
        reply
    }
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    if let Some(token) = bearer {
        head.push_str(&format!("authorization: Bearer {token}\r\n"));
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        head.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        ));
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// Where `needle` begins in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|part| part == needle)
}
