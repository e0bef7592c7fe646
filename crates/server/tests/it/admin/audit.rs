//! `/api/admin/audit`

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::{SessionId, UserId};
use uuid::Uuid;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{Device, OTHER_PASSWORD};

const AUDIT: &str = "/api/admin/audit";

async fn get(app: &TestApp, by: &Device, path: &str) -> Answer {
    app.get(&format!("{AUDIT}{path}"))
        .bearer(&by.access)
        .send()
        .await
}

/// Every item of a list, page by page, and how many pages there were.
async fn all(app: &TestApp, by: &Device, query: &str, limit: u32) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let path = format!("?limit={limit}{query}{cursor}");
        let body = get(app, by, &path).await.expect(200).json();
        let page = body["items"].as_array().unwrap();
        assert!(page.len() <= limit as usize);
        items.extend(page.iter().cloned());
        pages += 1;
        match body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
}

fn member(items: &[Value], name: &str) -> Vec<Value> {
    items.iter().map(|item| item[name].clone()).collect()
}

/// So many lines a millisecond apart, of one kind, written past the flows.
async fn write(app: &TestApp, count: u32, event: impl Fn(u32) -> AuditEvent) {
    let mut batch = app.app.store.batch();
    for number in 0..count {
        app.clock.advance(Duration::from_millis(1));
        let now = app.clock.now();
        let event = AuditEvent {
            at: now,
            ..event(number)
        };
        batch.insert_audit(app.app.rng.uuid_v7(now).unwrap(), &event);
    }
    batch.commit().await.unwrap();
}

fn event(kind: AuditKind) -> AuditEvent {
    AuditEvent::new(symbolon_domain::Timestamp::from_millis(0), kind)
}

#[tokio::test]
async fn a_line_says_who_did_what_from_where() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let user = app.user().await;
    app.wait(1);
    let change = json!({"currentPassword": OTHER_PASSWORD, "newPassword": OTHER_PASSWORD});
    let request = app.post("/api/user/password").bearer(&user.access);
    let request = request.header("x-request-id", "asked").json(&change);
    let answer = request.header("user-agent", "Browser/1").send().await;
    answer.problem(403, "wrong_password");
    let (items, _) = all(&app, &admin, "&kind=password_refused", 9).await;
    let id = items[0]["id"].as_str().unwrap();
    let seq = app.app.store.audit_head().await.unwrap().seq;
    let expected = json!({
        "id": id, "seq": seq, "at": "2026-09-21T14:13:21.5Z", "kind": "password_refused", "outcome": "failure",
        "actor": user.user, "subject": user.user, "session": user.sid, "address": "127.0.0.1",
        "userAgent": "Browser/1", "requestId": "asked", "detail": null,
    });
    assert_eq!(items, std::slice::from_ref(&expected));
    let shown = get(&app, &admin, &format!("/{id}")).await;
    assert_eq!(shown.expect(200).json(), expected);
    for stranger in ["/0199b0f0-0000-7000-8000-000000000000", "/x", "/%00"] {
        get(&app, &admin, stranger).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn filters_choose_lines() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.user().await);
    let (ada, root) = (user.user.as_str(), admin.user.as_str());
    app.wait(1);
    app.post("/api/logout")
        .bearer(&user.access)
        .send()
        .await
        .expect(204);
    let path = format!("/api/admin/users/{ada}/logout");
    app.post(&path)
        .bearer(&admin.access)
        .send()
        .await
        .expect(204);
    let kinds = async |query: &str| {
        let (items, _) = all(&app, &admin, query, 2).await;
        let mut kinds: Vec<_> = member(&items, "kind")
            .iter()
            .map(|kind| kind.as_str().unwrap().to_owned())
            .collect();
        kinds.sort_unstable();
        kinds.join(" ")
    };
    assert_eq!(
        kinds(&format!("&user={ada}")).await,
        "login_succeeded session_ended session_ended user_registered"
    );
    assert_eq!(
        kinds(&format!("&actor={ada}")).await,
        "login_succeeded session_ended"
    );
    // What was done to others counts for who did it.
    assert_eq!(
        kinds(&format!("&user={root}")).await,
        "login_succeeded session_ended user_created"
    );
    assert_eq!(
        kinds(&format!("&user={ada}&actor={root}")).await,
        "session_ended"
    );
    let of_session = format!("&session={}", user.sid);
    assert_eq!(kinds(&of_session).await, "login_succeeded session_ended");
    assert_eq!(
        kinds(&format!("{of_session}&kind=session_ended")).await,
        "session_ended"
    );
    assert_eq!(kinds("&kind=user_registered").await, "user_registered");
    assert_eq!(kinds("&outcome=failure").await, "");
    let span = "&from=2026-09-21T14:13:21Z&to=2026-09-21T14:14:00%2B00:00";
    assert_eq!(kinds(span).await, "session_ended session_ended");
    assert_eq!(kinds("&to=2026-09-21T14:13:20Z").await, "");
}

#[tokio::test]
async fn pages_follow_each_other_whatever_is_asked_for() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (ada, eve) = (
        UserId::new(Uuid::from_u128(1)),
        UserId::new(Uuid::from_u128(2)),
    );
    let kinds = [
        AuditKind::LoginFailed,
        AuditKind::RefreshReused,
        AuditKind::LoginSucceeded,
    ];
    write(&app, 60, |number| AuditEvent {
        actor: (number % 2 == 0).then_some(ada),
        subject: (number % 3 == 0).then_some(ada).or(Some(eve)),
        session: Some(SessionId::new(Uuid::from_u128(3))),
        ..event(kinds[number as usize % 3])
    })
    .await;
    let session = Uuid::from_u128(3);
    for (query, count) in [
        (format!("&session={session}"), 60),
        (format!("&user={ada}"), 40),
        (format!("&user={ada}&outcome=failure&session={session}"), 30),
        ("&outcome=failure".to_owned(), 40),
        ("&outcome=failure&kind=login_failed".to_owned(), 20),
    ] {
        for limit in [1, 7, 200] {
            let (items, _) = all(&app, &admin, &query, limit).await;
            let mut ids = member(&items, "id");
            assert_eq!(ids.len(), count, "{query} {limit}");
            let given = ids.clone();
            ids.sort_unstable_by(|a, b| b.as_str().cmp(&a.as_str()));
            ids.dedup();
            assert_eq!(ids, given, "{query} {limit}: the latest first, each once");
        }
    }
}

#[tokio::test]
async fn n6_a_question_that_chooses_little_is_answered_in_parts() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    write(&app, 1, |_| event(AuditKind::KeyRotated)).await;
    let session = SessionId::new(Uuid::from_u128(3));
    write(&app, 6_000, |_| AuditEvent {
        session: Some(session),
        ..event(AuditKind::LoginFailed)
    })
    .await;
    let (items, pages) = all(
        &app,
        &admin,
        "&session=00000000-0000-0000-0000-000000000003&kind=key_rotated",
        50,
    )
    .await;
    assert!(items.is_empty() && (2..=3).contains(&pages), "{pages}");
    // By the index of the kind it is found at once.
    let (items, pages) = all(&app, &admin, "&kind=key_rotated", 50).await;
    assert_eq!((items.len(), pages), (1, 1));
    let (items, pages) = all(&app, &admin, "&outcome=success&kind=key_rotated", 1).await;
    assert_eq!((items.len(), pages), (1, 1));
}

#[tokio::test]
async fn n9_a_wrong_filter_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (query, named) in [
        ("user=ada", "user"),
        ("actor=%00", "actor"),
        ("session=1", "session"),
        ("kind=login", "kind"),
        ("kind=LOGIN_FAILED", "kind"),
        ("outcome=ok", "outcome"),
        ("from=yesterday", "from"),
        ("to=2026-09-21", "to"),
        ("subject=x", "subject"),
        ("kind=login_failed&kind=login_failed", "kind"),
        ("limit=201", "limit"),
    ] {
        let answer = get(&app, &admin, &format!("?{query}")).await;
        let problem = answer.problem(400, "malformed_request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{query}: {detail}");
    }
    let (_, cursor) = {
        let body = get(&app, &admin, "?limit=1").await.expect(200).json();
        (
            body["items"].clone(),
            body["nextCursor"].as_str().unwrap().to_owned(),
        )
    };
    let other = format!("?limit=1&kind=login_failed&cursor={cursor}");
    get(&app, &admin, &other)
        .await
        .problem(400, "malformed_request");
}

#[tokio::test]
async fn nothing_there_changes_the_log() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = get(&app, &admin, "?limit=1").await.expect(200).json();
    let line = format!("{AUDIT}/{}", body["items"][0]["id"].as_str().unwrap());
    for path in [AUDIT, &line] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let request = app.request(method, path).bearer(&admin.access);
            let answer = request.json(&json!({"kind": "login_failed"})).send().await;
            answer.problem(405, "method_not_allowed");
        }
    }
}
