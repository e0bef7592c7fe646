use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_store::{AuditRow, Error};

use crate::harness::{Place, at, commit, on_every_engine, session_id, user_id, uuid};

on_every_engine!(
    lines_are_listed_latest_first,
    old_lines_are_purged_in_bites,
    every_kind_is_kept
);

fn line(millis: i64, number: u16) -> AuditRow {
    AuditRow {
        id: uuid(millis, number),
        event: AuditEvent::new(at(millis), AuditKind::LoginSucceeded),
    }
}

async fn lines_are_listed_latest_first(place: &Place) {
    let store = place.open().await;
    let mut full = line(3_000, 1);
    full.event.actor = Some(user_id(1));
    full.event.subject = Some(user_id(2));
    full.event.session = Some(session_id(3));
    full.event.address = Some("192.0.2.1".into());
    full.event.user_agent = Some("agent".into());
    full.event.request_id = Some("r".into());
    full.event.detail = Some("ü".into());
    let lines = [line(1_000, 1), line(1_000, 2), full.clone(), line(4_000, 0)];
    for line in [&lines[2], &lines[0], &lines[3], &lines[1]] {
        commit!(store, insert_audit(line.id, &line.event)).unwrap();
    }
    let latest: Vec<AuditRow> = lines.iter().rev().cloned().collect();
    assert_eq!(store.list_audit(1_000, None).await.unwrap(), latest);
    assert_eq!(store.list_audit(2, None).await.unwrap(), latest[..2]);
    assert_eq!(
        store.list_audit(2, Some(full.id)).await.unwrap(),
        latest[2..]
    );
    assert_eq!(store.list_audit(2, Some(lines[0].id)).await.unwrap(), []);
    assert!(matches!(
        commit!(store, insert_audit(full.id, &full.event)),
        Err(Error::Conflict("audit_id"))
    ));
}

async fn old_lines_are_purged_in_bites(place: &Place) {
    let store = place.open().await;
    for number in 1..=6 {
        let line = line(i64::from(number) * 1_000, number);
        commit!(store, insert_audit(line.id, &line.event)).unwrap();
    }
    assert_eq!(store.purge_audit(at(-1), 9).await.unwrap(), 0);
    assert_eq!(
        store.purge_audit(at(1_000), 9).await.unwrap(),
        0,
        "not before it"
    );
    assert_eq!(store.purge_audit(at(4_001), 3).await.unwrap(), 3);
    assert_eq!(store.purge_audit(at(4_001), 3).await.unwrap(), 1);
    assert_eq!(store.list_audit(9, None).await.unwrap().len(), 2);
    assert_eq!(store.purge_audit(at(i64::MAX), 9).await.unwrap(), 2);
}

async fn every_kind_is_kept(place: &Place) {
    let store = place.open().await;
    let mut batch = store.batch();
    for (number, kind) in (0..).zip(AuditKind::ALL) {
        batch.insert_audit(uuid(1, number), &AuditEvent::new(at(1), *kind));
    }
    batch.commit().await.unwrap();
    let mut kinds: Vec<_> = store
        .list_audit(1_000, None)
        .await
        .unwrap()
        .iter()
        .map(|row| row.event.kind)
        .collect();
    kinds.reverse();
    assert_eq!(kinds, AuditKind::ALL);
}
