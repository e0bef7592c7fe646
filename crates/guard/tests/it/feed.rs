//! The feed, with its accidents. What must come of each text is in `vectors`; here are the connections.

use std::time::Duration;

use serde_json::json;
use symbolon_guard::Event;

use crate::issuer::{
    Issuer, NOW, Script, Then, Watched, ended, heartbeat, heartbeat_at, revocation, snapshot, soon,
};

fn says(text: String, then: Then) -> Script {
    Script { text, then }
}

#[tokio::test]
async fn an_entry_ends_a_session_that_was_good() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let token = issuer.token();
    assert_eq!(watched.code(&token), None);
    issuer.say(revocation("e1", &ended(3, "phone")));
    issuer.say(revocation("e1", &ended(7, "laptop")));
    soon(watched.guard.wait_for(7)).await;
    assert_eq!(watched.code(&token), Some("token_revoked"));
    let metrics = watched.guard.metrics();
    assert_eq!((metrics.applied, metrics.entries, metrics.seq), (2, 2, 7));
    assert_eq!(watched.guard.revision().unwrap().to_string(), "e1:7");
    assert_eq!(metrics.rejected["token_revoked"], 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed_where_it_was() {
    for breaks in [false, true] {
        let first =
            snapshot("e1", 4, &[ended(4, "phone")]) + &revocation("e1", &ended(5, "tablet"));
        let second = revocation("e1", &ended(6, "laptop")) + &heartbeat(6);
        let then = if breaks { Then::Stay } else { Then::End };
        let issuer = Issuer::with(vec![says(first, then), says(second, Then::Stay)]).await;
        let watched = issuer.guard().await;
        soon(watched.guard.wait_for(5)).await;
        if breaks {
            issuer.break_off();
        }
        soon(watched.guard.wait_for(6)).await;
        assert_eq!(issuer.connections(2).await, [None, Some("e1:5".to_owned())]);
        assert_eq!(watched.code(&issuer.token()), Some("token_revoked"));
        let metrics = watched.guard.metrics();
        assert_eq!(
            (metrics.reconnects, metrics.snapshots, metrics.malformed),
            (1, 1, 0)
        );
    }
}

#[tokio::test]
async fn an_issuer_that_fails_for_a_while_is_asked_again() {
    let issuer = Issuer::with(vec![
        says(String::new(), Then::Fail),
        says(String::new(), Then::Fail),
        says(snapshot("e1", 1, &[]), Then::Stay),
    ])
    .await;
    let watched = issuer.guard().await;
    assert_eq!(watched.guard.metrics().reconnects, 2);
    assert_eq!(issuer.connections(3).await, [None, None, None]);
}

#[tokio::test]
async fn silence_ends_a_connection() {
    let issuer = Issuer::with(vec![
        says(snapshot("e1", 1, &[]), Then::Stay),
        says(revocation("e1", &ended(2, "laptop")), Then::Stay),
    ])
    .await;
    let mut watched = Watched::start(issuer.builder().silence(Duration::from_millis(100))).await;
    let lost = watched
        .until(|event| matches!(event, Event::Disconnected { .. }))
        .await;
    assert!(
        format!("{lost:?}").contains("nothing came for 0.1 seconds"),
        "{lost:?}"
    );
    assert_eq!(
        issuer.connections(2).await[..2],
        [None, Some("e1:1".to_owned())]
    );
    soon(watched.guard.wait_for(2)).await;
}

#[tokio::test]
async fn a_heartbeat_that_tells_more_makes_the_guard_come_back_for_it() {
    let issuer = Issuer::with(vec![
        says(snapshot("e1", 1, &[]) + &heartbeat(1), Then::Stay),
        says(
            revocation("e1", &ended(2, "laptop")) + &heartbeat(2),
            Then::Stay,
        ),
    ])
    .await;
    let mut watched = issuer.guard().await;
    issuer.say(heartbeat(2));
    let lost = watched
        .until(|event| matches!(event, Event::Disconnected { .. }))
        .await;
    assert!(format!("{lost:?}").contains("entries up to 2"), "{lost:?}");
    assert_eq!(issuer.connections(2).await, [None, Some("e1:1".to_owned())]);
    soon(watched.guard.wait_for(2)).await;
    assert_eq!(watched.code(&issuer.token()), Some("token_revoked"));
    assert_eq!(watched.guard.metrics().malformed, 0);
}

#[tokio::test]
async fn a_snapshot_of_another_epoch_counts_whole_or_not_at_all() {
    let other = snapshot("e2", 9, &[ended(3, "phone"), ended(4, "tablet")]);
    let half = other.replace("\"seq\":4", "\"seq\":\"4\"");
    let issuer = Issuer::with(vec![
        says(snapshot("e1", 1, &[ended(1, "laptop")]), Then::End),
        says(half, Then::Stay),
        says(String::new(), Then::Stay),
    ])
    .await;
    let mut watched = issuer.guard().await;
    let connections = issuer.connections(3).await;
    assert_eq!(connections, [None, Some("e1:1".to_owned()), None]);
    assert_eq!(watched.code(&issuer.token()), Some("token_revoked"));
    let metrics = watched.guard.metrics();
    assert_eq!((metrics.entries, metrics.malformed), (1, 1));

    issuer.say(other + &heartbeat(9));
    watched
        .until(|event| *event == Event::Snapshot { seq: 9 })
        .await;
    assert_eq!(watched.code(&issuer.token()), None);
    assert_eq!(watched.guard.metrics().entries, 2);
}

#[tokio::test]
async fn a_snapshot_of_the_same_epoch_takes_nothing_back() {
    let issuer = Issuer::with(vec![
        says(snapshot("e1", 1, &[ended(1, "laptop")]), Then::End),
        says(snapshot("e1", 9, &[ended(9, "phone")]), Then::Stay),
    ])
    .await;
    let mut watched = issuer.guard().await;
    watched
        .until(|event| *event == Event::Snapshot { seq: 9 })
        .await;
    assert_eq!(watched.guard.metrics().entries, 2);
    assert_eq!(watched.code(&issuer.token()), Some("token_revoked"));
}

#[tokio::test]
async fn ten_thousand_entries_in_one_burst() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let burst: String = (1..=10_000_u64)
        .map(|seq| revocation("e1", &ended(seq, &format!("session {seq}"))))
        .collect();
    issuer.say(burst + &revocation("e1", &ended(10_001, "laptop")));
    soon(watched.guard.wait_for(10_001)).await;
    assert_eq!(watched.code(&issuer.token()), Some("token_revoked"));
    let metrics = watched.guard.metrics();
    assert_eq!((metrics.entries, metrics.applied), (10_001, 10_001));
}

#[tokio::test]
async fn a_long_snapshot_comes_in_pieces() {
    let entries: Vec<_> = (1..=50_000_u64)
        .map(|seq| ended(seq, &format!("session {seq}")))
        .collect();
    let text = snapshot("e1", 50_000, &entries) + &heartbeat(50_000);
    let issuer = Issuer::with(vec![says(String::new(), Then::Stay)]).await;
    let (guard, _) = tokio::join!(soon(issuer.guard()), async {
        issuer.connections(1).await;
        for piece in text.as_bytes().chunks(9_973) {
            issuer.say(std::str::from_utf8(piece).unwrap());
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(guard.guard.metrics().entries, 50_000);
}

#[tokio::test]
async fn entries_expire_by_the_issuers_clock_and_never_by_this_machines() {
    let issuer = Issuer::with(vec![says(
        snapshot("e1", 1, &[ended(1, "laptop")]),
        Then::Stay,
    )])
    .await;
    let mut watched = issuer.guard().await;
    watched
        .until(|event| matches!(event, Event::Snapshot { .. }))
        .await;
    // An operator's mistake: tokens of this time would all have expired.
    watched.clock.set(NOW + 3_600);
    for _ in 0..2 {
        issuer.say(heartbeat_at(NOW + 60, 1));
    }
    watched
        .until(|event| matches!(event, Event::Skew { .. }))
        .await;
    assert_eq!(watched.code(&issuer.token()), Some("token_revoked"));
    // `until` and the leeway: it is dropped when no token can be alive.
    for (now, seq, entries) in [(NOW + 904, 2, 2), (NOW + 905, 3, 3), (NOW + 934, 4, 3)] {
        issuer.say(heartbeat_at(now, 1));
        let mut entry = ended(seq, &format!("session {seq}"));
        entry["until"] = json!(NOW + 9_000);
        issuer.say(revocation("e1", &entry));
        soon(watched.guard.wait_for(seq)).await;
        assert_eq!(watched.guard.metrics().entries, entries, "at {now}");
    }
}

#[tokio::test]
async fn credentials_are_shown_to_the_feed_and_to_nothing_else() {
    let issuer = Issuer::start().await;
    let builder = issuer
        .builder()
        .feed_credentials("orders api", "a:b%c+\u{e9}");
    let watched = Watched::start(builder).await;
    issuer.break_off();
    issuer.connections(2).await;
    // RFC 6749 section 2.3.1: each is encoded as in a form, so that a colon stands only between them.
    let shown = "Basic b3JkZXJzK2FwaTphJTNBYiUyNWMlMkIlQzMlQTk=".to_owned();
    let expected = [("feed", shown.clone()), ("feed", shown)];
    assert_eq!(*issuer.world.shown.lock().unwrap(), expected);
    let printed = format!("{:?}", watched.guard);
    assert!(printed.contains("orders+api"), "{printed}");
    assert!(!printed.contains("a%3Ab"), "{printed}");
    for (id, secret) in [("", "secret"), ("orders", "")] {
        let half = issuer.builder().feed_credentials(id, secret).start().await;
        assert!(half.unwrap_err().to_string().contains("feed_credentials"));
    }
}
