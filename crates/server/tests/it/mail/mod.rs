//! Mail: a mail server that takes what the service sends, and people who read it and follow its links.

mod address;
mod invitations;
mod mime;
mod notices;
mod outbox;
mod pages;
mod reset;
mod samples;
mod sink;
mod verification;

pub use mime::Read;
pub use sink::{Answer, Sink};

use serde_json::{Value, json};
use symbolon::flows::outbox::deliver;

use crate::app::TestApp;
use crate::client;

/// A service and the mail server that it hands mail in at.
pub struct Posted {
    pub app: TestApp,
    pub sink: Sink,
}

impl Posted {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: &[(&'static str, &str)]) -> Self {
        let sink = Sink::start().await;
        let url = sink.url();
        let mail = [
            ("mail.url", url.as_str()),
            ("mail.from", "Sign-in <no-reply@login.example.com>"),
        ];
        let app = TestApp::with(&[&mail, settings].concat()).await;
        Self { app, sink }
    }

    /// What arrives when all is handed in that is due, read as a person reads it.
    pub async fn arrives(&self) -> Vec<Read> {
        let before = self.sink.count();
        deliver(&self.app.app).await.unwrap();
        self.sink
            .since(before)
            .iter()
            .map(|raw| Read::of(raw))
            .collect()
    }

    /// The one mail that arrives.
    #[track_caller]
    pub fn one(&self) -> impl Future<Output = Read> + '_ {
        let place = std::panic::Location::caller();
        async move {
            let mut mails = self.arrives().await;
            assert_eq!(
                mails.len(),
                1,
                "{place}: {:?}",
                mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>()
            );
            mails.remove(0)
        }
    }

    pub async fn forgot(&self, email: &str) -> client::Answer {
        let body = json!({"email": email});
        self.app
            .post("/api/password/forgot")
            .json(&body)
            .send()
            .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> client::Answer {
        self.app.post(path).json(body).send().await
    }
}

/// The one answer to every link that is not good.
#[track_caller]
pub fn invalid_link(answer: &client::Answer) {
    let problem = answer.problem(400, "malformed_request");
    assert_eq!(problem["detail"], "This link is not valid any more.");
}
