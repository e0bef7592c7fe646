//! A small HTTP/1.1 client that sends what it is told, malformed or not, and checks what holds for every answer.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::form_urlencoded::byte_serialize;

use crate::document;

/// Headers that every answer has, whatever was asked.
const EVERY_ANSWER: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", ""),
];
/// What no answer may hold: the passwords of the tests, hashes, and the words of a database.
const NO_ANSWER: [&str; 8] = [
    crate::people::PASSWORD,
    crate::people::OTHER_PASSWORD,
    "$argon2",
    "$2b$",
    "password_hash",
    "SQLITE",
    "sqlite",
    "panicked",
];

/// A request under construction.
#[derive(Clone)]
pub struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a header; a second one of the same name stands beside the first.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The credentials of a client, each encoded as in a form (RFC 6749 section 2.3.1).
    pub fn basic(self, id: &str, secret: &str) -> Self {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let shown = format!("{}:{}", encoded(id), encoded(secret));
        let shown = base64_simd::STANDARD.encode_to_string(shown);
        self.header("authorization", &format!("Basic {shown}"))
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The refresh cookie.
    pub fn cookie(self, token: &str) -> Self {
        self.header("cookie", &format!("refreshToken={token}"))
    }

    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    pub fn json(self, value: &Value) -> Self {
        self.text_json(&value.to_string())
    }

    /// A body that claims to be JSON.
    pub fn text_json(self, text: &str) -> Self {
        self.header("content-type", "application/json").body(text)
    }

    /// Sends it and checks the answer against the OpenAPI document and against what holds for all answers.
    pub async fn send(self) -> Answer {
        let (method, path) = (self.method.clone(), self.path.clone());
        let answer = raw(self.address, &self.bytes("HTTP/1.1\r\nconnection: close")).await;
        answer.check_everything(&method, &path);
        answer
    }

    /// Sends it and reads the head of the answer, for a body that does not end: what came of it, and the rest.
    pub async fn begin(self) -> (Answer, Vec<u8>, TcpStream) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // An answer to HTTP/1.0 is not chunked.
        stream.write_all(&self.bytes("HTTP/1.0")).await.unwrap();
        let mut received = Vec::new();
        let end = loop {
            assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0, "no head");
            if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let rest = received.split_off(end);
        (Answer::parse(&received), rest, stream)
    }

    fn bytes(self, version: &str) -> Vec<u8> {
        let mut head = format!("{} {} {version}\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.unwrap_or_default());
        bytes
    }
}

/// Sends bytes as they are and reads until the server closes.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let mut received = Vec::new();
    // A server that has refused need not read the rest, so that writing may fail.
    let (_written, read) =
        tokio::join!(writing.write_all(bytes), reading.read_to_end(&mut received));
    assert!(read.is_ok() || !received.is_empty(), "no answer: {read:?}");
    Answer::parse(&received)
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
        let body = &bytes[end + 4..];
        let body = if chunked {
            unchunked(body)
        } else {
            body.to_vec()
        };
        Self {
            status,
            headers,
            body,
        }
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The value of a header that must not be repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} is repeated: {all:?}");
        all.first().copied()
    }

    /// Forgets a header that differs from answer to answer.
    pub fn drop_header(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status, with the whole answer where it is another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Self {
        assert_eq!(
            self.status,
            status,
            "{} {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// A problem of that status and code, whole and well-formed (RFC 9457 section 3).
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        self.expect(status);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["type"], format!("urn:symbolon:problem:{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"));
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{problem}"
        );
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{problem}"
        );
        assert_eq!(
            problem.get("errors").is_some(),
            code == "validation_failed",
            "{problem}"
        );
        let members = problem.as_object().unwrap().len();
        assert_eq!(
            members,
            if code == "validation_failed" { 7 } else { 6 },
            "{problem}"
        );
        match status {
            403 if code == "insufficient_scope" => assert!(
                self.header("www-authenticate")
                    .is_some_and(|value| value.contains("insufficient_scope"))
            ),
            401 => assert!(
                self.header("www-authenticate")
                    .is_some_and(|value| value.starts_with("Bearer"))
            ),
            429 | 503 => assert!(
                self.header("retry-after")
                    .is_some_and(|value| value.parse::<u64>().unwrap() >= 1)
            ),
            _ => assert_eq!(
                (self.header("www-authenticate"), self.header("retry-after")),
                (None, None)
            ),
        }
        problem
    }

    /// A refused body: pointer and code of every field at fault, in order.
    #[track_caller]
    pub fn fields(&self) -> Vec<(String, String)> {
        let problem = self.problem(422, "validation_failed");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().all(|error| {
            error["detail"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        }));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors
            .iter()
            .map(|error| (text(&error["pointer"]), text(&error["code"])))
            .collect()
    }

    /// One field at fault.
    #[track_caller]
    pub fn field(&self, pointer: &str, code: &str) {
        assert_eq!(self.fields(), [(pointer.to_owned(), code.to_owned())]);
    }

    fn check_everything(&self, method: &str, path: &str) {
        if self.is_of_the_parser() {
            return;
        }
        // Applications may show the pages for signing in in a window of theirs.
        let of_sign_in = path.starts_with("/oauth/") || path.starts_with("/device");
        // A mail is shown in a frame of our own page.
        let framed = path.starts_with("/console/mail/") && path.ends_with("/preview");
        for (name, value) in EVERY_ANSWER {
            let found = self.header(name);
            let shown = of_sign_in && name.ends_with("opener-policy");
            let framed = framed && name == "x-frame-options" && found == Some("SAMEORIGIN");
            assert!(
                framed
                    || found.is_some_and(|found| value.is_empty()
                        || found == value
                        || (shown && found == "unsafe-none")),
                "{method} {path}: {name}: {found:?}"
            );
        }
        let policy = self.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'")
                && (policy.contains("frame-ancestors 'none'")
                    || framed && policy.ends_with("frame-ancestors 'self'; sandbox")),
            "{policy}"
        );
        assert!(
            self.header("x-request-id")
                .is_some_and(|id| (1..=64).contains(&id.len()))
        );
        assert!(self.header("server").is_none() && self.header("x-powered-by").is_none());
        let whole = format!("{:?}{}", self.headers, String::from_utf8_lossy(&self.body));
        if !path.starts_with("/api/docs") {
            // The settings say which databases there are.
            let of_settings =
                |word: &str| path.starts_with("/console/settings") && word == "sqlite";
            for word in NO_ANSWER.into_iter().filter(|word| !of_settings(word)) {
                assert!(!whole.contains(word), "{method} {path} shows {word:?}");
            }
        }
        document::check(method, path, self);
    }

    /// What the parser of requests refuses never reaches our code.
    fn is_of_the_parser(&self) -> bool {
        self.body.is_empty()
            && matches!(self.status, 400 | 414 | 431)
            && self.header("x-request-id").is_none()
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|window| window == b"\r\n")
            .expect("a chunk");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
}
