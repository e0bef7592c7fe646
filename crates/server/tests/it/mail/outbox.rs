//! Mail on its way: tried again, sent once, given up, counted.

use std::time::Duration;

use serde_json::json;
use symbolon::flows::outbox::deliver;
use symbolon_domain::mail::MailState;

use super::{Answer, Posted, Sink};
use crate::app::TestApp;
use crate::people::OTHER_PASSWORD;

/// A service with Ada, and all her mail read.
async fn quiet() -> Posted {
    let posted = Posted::start().await;
    posted.app.register("ada").await;
    posted.arrives().await;
    posted.app.wait(3600);
    posted
}

#[tokio::test]
async fn e7_mail_goes_out_when_the_server_is_back() {
    let mut posted = quiet().await;
    posted.sink.stop().await;
    posted.forgot("ada@example.com").await.expect(202);
    assert!(posted.arrives().await.is_empty());
    let waiting = posted
        .app
        .app
        .store
        .list_mail(MailState::Waiting, 10)
        .await
        .unwrap();
    assert_eq!((waiting.len(), waiting[0].attempts), (1, 1));
    assert!(waiting[0].error.is_some());
    assert!(waiting[0].due_at > posted.app.clock.now());
    posted.sink.resume().await;
    assert!(posted.arrives().await.is_empty(), "not before its time");
    posted.app.wait(60);
    let token = posted.one().await.token();
    let body = json!({"token": token, "newPassword": OTHER_PASSWORD});
    posted.post("/api/password/reset", &body).await.expect(204);
}

#[tokio::test]
async fn a_link_that_waited_too_long_is_made_anew() {
    let mut posted = quiet().await;
    posted.sink.stop().await;
    posted.forgot("ada@example.com").await.expect(202);
    for _ in 0..7 {
        assert!(posted.arrives().await.is_empty());
        posted.app.wait(3600);
    }
    posted.sink.resume().await;
    let body = json!({"token": posted.one().await.token(), "newPassword": OTHER_PASSWORD});
    posted.post("/api/password/reset", &body).await.expect(204);
}

#[tokio::test]
async fn what_the_server_does_not_take_is_tried_again_with_the_same_link() {
    let posted = quiet().await;
    posted
        .sink
        .answer(&[Answer::Later, Answer::HangUp, Answer::TakeAndHangUp]);
    posted.forgot("ada@example.com").await.expect(202);
    assert!(posted.arrives().await.is_empty());
    posted.app.wait(60);
    assert!(posted.arrives().await.is_empty());
    posted.app.wait(120);
    // Taken, but the answer was lost: it is sent again, and a receiver can tell.
    let first = posted.one().await;
    posted.app.wait(240);
    let again = posted.one().await;
    assert_eq!(first.header("message-id"), again.header("message-id"));
    assert_eq!(first.token(), again.token());
    posted.app.wait(24 * 3600);
    assert!(posted.arrives().await.is_empty(), "that was all");
    let sent = posted
        .app
        .app
        .store
        .list_mail(MailState::Sent, 10)
        .await
        .unwrap();
    assert_eq!(sent.iter().map(|row| row.attempts).max(), Some(4));
}

#[tokio::test]
async fn a_refusal_is_believed_after_an_hour_and_says_nothing_of_the_link() {
    let posted = quiet().await;
    posted.sink.answer(&[Answer::Never; 20]);
    posted.forgot("ada@example.com").await.expect(202);
    for _ in 0..12 {
        assert!(posted.arrives().await.is_empty());
        posted.app.wait(600);
    }
    let dead = posted
        .app
        .app
        .store
        .list_mail(MailState::Dead, 10)
        .await
        .unwrap();
    assert_eq!(dead.len(), 1);
    let error = dead[0].error.as_deref().unwrap();
    assert!(
        error.contains("not here") && !error.contains("sbl_"),
        "{error}"
    );
    let metrics = posted.app.get("/metrics").send().await.text().to_owned();
    for line in [
        "symbolon_mails_given_up_total 1",
        "symbolon_mails_sent_total 1",
        "symbolon_mails_waiting 0",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn after_three_days_it_is_given_up() {
    let mut posted = quiet().await;
    posted.sink.stop().await;
    posted.forgot("ada@example.com").await.expect(202);
    for _ in 0..80 {
        posted.arrives().await;
        posted.app.wait(3600);
    }
    let dead = posted
        .app
        .app
        .store
        .list_mail(MailState::Dead, 10)
        .await
        .unwrap();
    assert_eq!(dead.len(), 1);
    assert!((18..36).contains(&dead[0].attempts), "{}", dead[0].attempts);
}

#[tokio::test]
async fn a_worker_that_dies_with_a_mail_in_hand_leaves_it_to_the_next() {
    let posted = quiet().await;
    posted.forgot("ada@example.com").await.expect(202);
    let store = &posted.app.app.store;
    let now = posted.app.clock.now();
    let row = store.list_due_mail(now, 1).await.unwrap().remove(0);
    // What a worker commits before it sends.
    let mut batch = store.batch();
    batch.claim_mail(&row, None, now.plus(Duration::from_secs(300)));
    batch.commit().await.unwrap();
    assert!(posted.arrives().await.is_empty(), "it is in hand");
    posted.app.wait(299);
    assert!(posted.arrives().await.is_empty());
    posted.app.wait(1);
    posted.one().await;
    posted.app.wait(24 * 3600);
    assert!(posted.arrives().await.is_empty());
}

#[tokio::test]
async fn workers_at_once_send_each_mail_once() {
    let posted = Posted::with(&[("throttle.enabled", "false")]).await;
    for number in 0..30 {
        posted.app.register(&format!("user{number}")).await;
    }
    let workers = (0..4).map(|_| deliver(&posted.app.app));
    for outcome in futures_util::future::join_all(workers).await {
        outcome.unwrap();
    }
    let mut recipients = posted.sink.recipients();
    assert_eq!(recipients.len(), 30);
    recipients.sort();
    recipients.dedup();
    assert_eq!(recipients.len(), 30);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_has_no_tls_where_it_is_asked_for() {
    let sink = Sink::start().await;
    let url = format!("{}?tls=starttls", sink.url());
    let settings = [
        ("mail.url", url.as_str()),
        ("mail.from", "no-reply@example.com"),
    ];
    let app = TestApp::with(&settings).await;
    app.register("ada").await;
    deliver(&app.app).await.unwrap();
    assert_eq!(sink.count(), 0);
    let waiting = app
        .app
        .store
        .list_mail(MailState::Waiting, 10)
        .await
        .unwrap();
    assert!(waiting[0].error.is_some(), "{waiting:?}");
    let said = sink.commands();
    assert!(
        said.iter()
            .all(|line| !line.contains("ada") && !line.starts_with("MAIL")),
        "{said:?}"
    );
}

#[tokio::test]
async fn headers_are_those_of_an_automatic_mail() {
    let posted = Posted::start().await;
    posted.app.register("ada").await;
    let mail = posted.one().await;
    assert_eq!(mail.header("from"), "Sign-in <no-reply@login.example.com>");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert!(mail.header("message-id").ends_with("@login.example.com>"));
    assert_eq!(mail.header("date"), "Mon, 21 Sep 2026 14:13:20 +0000");
    assert_eq!(mail.header("mime-version"), "1.0");
}
