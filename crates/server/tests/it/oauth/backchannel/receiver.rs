//! Where a client is told of sessions that have ended: it answers what a test wants, hangs, or hangs up.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What it does with a request.
#[derive(Clone, Copy)]
pub enum Manner {
    Answer(u16),
    /// It reads everything and never says a word.
    Hang,
    HangUp,
}

struct State {
    manner: Mutex<Manner>,
    /// The requests, as they came.
    requests: Mutex<Vec<String>>,
    came: Notify,
}

pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
}

impl Receiver {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            manner: Mutex::new(manner),
            requests: Mutex::default(),
            came: Notify::new(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receive(Arc::clone(&shared), stream));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/out", self.address)
    }

    pub fn behaves(&self, manner: Manner) {
        *self.state.manner.lock().unwrap() = manner;
    }

    /// Waits for a request.
    pub async fn came(&self) {
        self.state.came.notified().await;
    }

    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The logout tokens of the requests since the last time.
    pub fn tokens(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.state.requests.lock().unwrap());
        requests.iter().map(|request| token(request)).collect()
    }
}

/// The one parameter of the form (OpenID Connect Back-Channel Logout 1.0 section 2.5).
pub fn token(request: &str) -> String {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let pairs: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
    assert_eq!((pairs.len(), &*pairs[0].0), (1, "logout_token"));
    pairs[0].1.to_string()
}

async fn receive(state: Arc<State>, mut stream: TcpStream) {
    let mut received = Vec::new();
    while !is_whole(&received) {
        if stream.read_buf(&mut received).await.unwrap_or_default() == 0 {
            return;
        }
    }
    let request = String::from_utf8(received).unwrap();
    state.requests.lock().unwrap().push(request);
    state.came.notify_one();
    let manner = *state.manner.lock().unwrap();
    match manner {
        Manner::Answer(status) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\nlocation: /in\r\n\r\n"
            );
            // Who asked may be gone.
            let _written = stream.write_all(head.as_bytes()).await;
        }
        Manner::Hang => std::future::pending().await,
        Manner::HangUp => {}
    }
}

fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths
        .next()
        .is_some_and(|(_, length)| body.len() >= length.parse().unwrap())
}
