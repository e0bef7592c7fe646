//! Somebody else's server on this machine: answers that a test sets, and how often each was asked for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// What is there.
#[derive(Clone)]
pub struct Page {
    pub status: u16,
    pub kind: &'static str,
    pub cache: &'static str,
    pub body: String,
}

impl Page {
    /// JSON, as it should be.
    pub fn json(body: impl ToString) -> Self {
        Self {
            status: 200,
            kind: "application/json",
            cache: "",
            body: body.to_string(),
        }
    }
}

#[derive(Default)]
struct Pages {
    pages: HashMap<String, Page>,
    asked: HashMap<String, usize>,
    /// What was sent last, and as whom.
    sent: HashMap<String, (String, String)>,
}

/// A server.
pub struct Web {
    pub address: SocketAddr,
    pages: Arc<Mutex<Pages>>,
}

impl Web {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages = Arc::<Mutex<Pages>>::default();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&pages));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, pages }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn put(&self, path: &str, page: Page) {
        let mut pages = self.pages.lock().unwrap();
        pages.pages.insert(path.to_owned(), page);
    }

    /// What was sent to it last: the header `Authorization`, and the fields of the form.
    pub fn sent(&self, path: &str) -> (String, HashMap<String, String>) {
        let pages = self.pages.lock().unwrap();
        let (header, body) = pages.sent.get(path).cloned().unwrap_or_default();
        let fields = url::form_urlencoded::parse(body.as_bytes());
        (header, fields.into_owned().collect())
    }

    /// How often somebody asked for it.
    pub fn asked(&self, path: &str) -> usize {
        let pages = self.pages.lock().unwrap();
        pages.asked.get(path).copied().unwrap_or_default()
    }
}

async fn answer(
    State(pages): State<Arc<Mutex<Pages>>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut pages = pages.lock().unwrap();
    let header = headers.get(header::AUTHORIZATION);
    let header = header.map_or(String::new(), |it| it.to_str().unwrap().to_owned());
    pages.sent.insert(uri.path().to_owned(), (header, body));
    *pages.asked.entry(uri.path().to_owned()).or_default() += 1;
    let Some(page) = pages.pages.get(uri.path()).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, page.kind),
        (header::CACHE_CONTROL, page.cache),
        (header::LOCATION, "/elsewhere"),
    ];
    let status = StatusCode::from_u16(page.status).unwrap();
    (status, headers, page.body).into_response()
}
