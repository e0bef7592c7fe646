//! What every list has in common: pages, cursors, parameters.

use symbolon::clock::Clock;
use symbolon::flows::actor::Actor;
use symbolon::flows::revocations::{self, Target};
use symbolon_domain::revocation::Effect;

use crate::app::{Folder, START, TestApp};
use crate::people::Device;

const LIST: &str = "/api/admin/revocations";

/// An administrator, and so many revocations.
async fn world(entries: usize) -> (TestApp, Device) {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for number in 0..entries {
        let target = Target::Token(format!("token-{number}"));
        revocations::add(
            &app.app,
            Actor::Operator,
            target,
            Effect::Revoked,
            &Default::default(),
        )
        .await
        .unwrap();
    }
    (app, admin)
}

async fn page(app: &TestApp, admin: &Device, query: &str) -> (Vec<i64>, Option<String>) {
    let path = format!("{LIST}{query}");
    let body = app
        .get(&path)
        .bearer(&admin.access)
        .send()
        .await
        .expect(200)
        .json();
    let items = body["items"].as_array().unwrap();
    let seqs = items
        .iter()
        .map(|item| item["seq"].as_i64().unwrap())
        .collect();
    (seqs, body["nextCursor"].as_str().map(ToOwned::to_owned))
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let (app, admin) = world(5).await;
    let (first, cursor) = page(&app, &admin, "?limit=2").await;
    let (second, next) = page(
        &app,
        &admin,
        &format!("?limit=2&cursor={}", cursor.unwrap()),
    )
    .await;
    // Another size on the way is no other list.
    let (third, end) = page(&app, &admin, &format!("?limit=1&cursor={}", next.unwrap())).await;
    assert_eq!(
        (first, second, third, end),
        (vec![1, 2], vec![3, 4], vec![5], None)
    );
    assert_eq!(
        page(&app, &admin, "?limit=5").await,
        (vec![1, 2, 3, 4, 5], None)
    );
    assert_eq!(page(&app, &admin, "").await.0.len(), 5);
}

#[tokio::test]
async fn n14_a_cursor_is_good_only_where_it_was_given() {
    let (app, admin) = world(3).await;
    let (_, cursor) = page(&app, &admin, "?limit=1").await;
    let cursor = cursor.unwrap();
    let mut changed = cursor.clone().into_bytes();
    changed[0] = if changed[0] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    // The position alone, as somebody who guessed its form would write it.
    let made_up = symbolon_token::encoding::encode(b"1");
    for bad in [
        changed.as_str(),
        &made_up,
        "x",
        "1%20OR%201=1",
        &cursor[1..],
    ] {
        let path = format!("{LIST}?cursor={bad}");
        let answer = app.get(&path).bearer(&admin.access).send().await;
        let problem = answer.problem(400, "malformed_request");
        assert!(
            problem["detail"].as_str().unwrap().contains("cursor"),
            "{problem}"
        );
    }
    // Another list.
    let path = format!("/api/admin/keys?cursor={cursor}");
    app.get(&path)
        .bearer(&admin.access)
        .send()
        .await
        .problem(400, "malformed_request");
    // Another server.
    let folder = Folder::new();
    let other = TestApp::in_folder(&folder, Clock::frozen(START), 7).await;
    let their_admin = other.admin().await;
    let path = format!("{LIST}?cursor={cursor}");
    let answer = other.get(&path).bearer(&their_admin.access).send().await;
    answer.problem(400, "malformed_request");
}

#[tokio::test]
async fn parameters_are_known_single_and_in_bounds() {
    let (app, admin) = world(0).await;
    for (query, named) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("sort=seq", "sort"),
        ("cursor=", "cursor"),
        ("cursor=%00", "cursor"),
        ("limit=%ff", "limit"),
    ] {
        let path = format!("{LIST}?{query}");
        let answer = app.get(&path).bearer(&admin.access).send().await;
        let problem = answer.problem(400, "malformed_request");
        assert!(
            problem["detail"].as_str().unwrap().contains(named),
            "{query}: {problem}"
        );
    }
}
