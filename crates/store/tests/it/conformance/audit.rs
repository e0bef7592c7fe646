use symbolon_domain::EndReason;
use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_store::{
    AuditLane, AuditLine, AuditMark, AuditRow, AuditSpan, ChainRow, Error, Store, follow,
};

use crate::harness::{Place, at, commit, on_every_engine, session_id, user_id, uuid};

on_every_engine!(
    lines_are_listed_latest_first,
    lanes_and_spans_choose_lines,
    every_kind_is_kept,
    lines_are_a_chain,
    a_batch_that_fails_leaves_no_gap,
    writers_at_once_make_one_chain,
    the_oldest_lines_are_purged_and_the_start_moves,
    checkpoints_are_kept_and_thinned,
);

fn line(millis: i64, number: u16) -> AuditRow {
    AuditRow {
        id: uuid(millis, number),
        seq: None,
        event: AuditEvent::new(at(millis), AuditKind::LoginSucceeded),
    }
}

fn full() -> AuditRow {
    let mut full = line(3_000, 1);
    full.event.actor = Some(user_id(1));
    full.event.subject = Some(user_id(2));
    full.event.session = Some(session_id(3));
    full.event.address = Some("192.0.2.1".into());
    full.event.user_agent = Some("agent".into());
    full.event.request_id = Some("r".into());
    full.event.detail = Some("ü".into());
    full
}

async fn lines_are_listed_latest_first(place: &Place) {
    let store = place.open().await;
    let full = full();
    let lines = [line(1_000, 1), line(1_000, 2), full.clone(), line(4_000, 0)];
    let mut written = lines.clone();
    for (seq, index) in (1..).zip([2, 0, 3, 1]) {
        let line = &mut written[index];
        commit!(store, insert_audit(line.id, &line.event)).unwrap();
        line.seq = Some(seq);
    }
    let latest: Vec<AuditRow> = written.iter().rev().cloned().collect();
    assert_eq!(store.list_audit(1_000, None).await.unwrap(), latest);
    assert_eq!(store.list_audit(2, None).await.unwrap(), latest[..2]);
    assert_eq!(
        store.list_audit(2, Some(full.id)).await.unwrap(),
        latest[2..]
    );
    assert_eq!(store.list_audit(2, Some(lines[0].id)).await.unwrap(), []);
    assert_eq!(
        store.find_audit(full.id).await.unwrap().as_ref(),
        Some(&written[2])
    );
    assert_eq!(store.find_audit(uuid(9, 9)).await.unwrap(), None);
    assert!(matches!(
        commit!(store, insert_audit(full.id, &full.event)),
        Err(Error::Conflict("audit_id"))
    ));
}

async fn lanes_and_spans_choose_lines(place: &Place) {
    let store = place.open().await;
    let full = full();
    let mut failed = line(5_000, 1);
    failed.event.kind = AuditKind::LoginFailed;
    for line in [&line(1_000, 1), &full, &line(4_000, 1), &failed] {
        commit!(store, insert_audit(line.id, &line.event)).unwrap();
    }
    let times = async |lane, span| {
        let rows = store.list_audit_lane(lane, span, 9).await.unwrap();
        rows.iter()
            .map(|row| row.event.at.millis())
            .collect::<Vec<_>>()
    };
    let whole = AuditSpan::WHOLE;
    for lane in [
        AuditLane::Actor(user_id(1)),
        AuditLane::Subject(user_id(2)),
        AuditLane::Session(session_id(3)),
    ] {
        assert_eq!(times(lane, whole).await, [3_000]);
        assert_eq!(times(lane, whole.since(at(3_001))).await, [] as [i64; 0]);
    }
    assert_eq!(
        times(AuditLane::Subject(user_id(1)), whole).await,
        [] as [i64; 0]
    );
    let succeeded = AuditLane::Kind(AuditKind::LoginSucceeded);
    assert_eq!(times(succeeded, whole).await, [4_000, 3_000, 1_000]);
    assert_eq!(
        times(AuditLane::Kind(AuditKind::LoginFailed), whole).await,
        [5_000]
    );
    for (span, expected) in [
        (whole.since(at(3_000)).until(at(5_000)), vec![4_000, 3_000]),
        (whole.since(at(3_001)), vec![5_000, 4_000]),
        (whole.before(full.id), vec![1_000]),
        (whole.until(at(-5)), vec![]),
        (whole.since(at(i64::MAX)), vec![]),
    ] {
        assert_eq!(times(AuditLane::Whole, span).await, expected);
    }
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

/// Every line of the chain, after a look at whether it is one.
async fn chain(store: &Store) -> Vec<AuditLine> {
    let start = store.audit_start().await.unwrap();
    let (mut seq, mut chain) = (start.seq, start.chain);
    let mut lines = Vec::new();
    for ChainRow { seq: found, line } in store.list_audit_chain(i64::MIN, 1_000).await.unwrap() {
        let (line, stored) = line.unwrap();
        seq += 1;
        chain = follow(&chain, &line.digest());
        assert_eq!((found, stored), (seq, chain));
        lines.push(line);
    }
    let head = store.audit_head().await.unwrap();
    assert_eq!((head.seq, head.chain, head.unchained), (seq, chain, 0));
    lines
}

async fn lines_are_a_chain(place: &Place) {
    let store = place.open().await;
    assert_eq!(chain(&store).await, []);
    let full = full();
    commit!(store, insert_audit(full.id, &full.event)).unwrap();
    // Several of one batch, of which the second has the lower id.
    let (second, third) = (line(9_000, 1), line(8_000, 1));
    commit!(
        store,
        insert_audit(second.id, &second.event),
        put_setting("a", "b"),
        insert_audit(third.id, &third.event)
    )
    .unwrap();
    let expected = [full, second, third].map(|row| AuditLine::new(row.id, &row.event));
    assert_eq!(chain(&store).await, expected);
    assert_eq!(store.list_audit_chain(1, 1).await.unwrap()[0].seq, 2);
    assert_eq!(store.count_unchained_audit().await.unwrap(), 0);
}

async fn a_batch_that_fails_leaves_no_gap(place: &Place) {
    let store = place.open().await;
    let (first, second) = (line(1, 1), line(2, 1));
    commit!(store, insert_audit(first.id, &first.event)).unwrap();
    let stale = commit!(
        store,
        insert_audit(second.id, &second.event),
        end_session(session_id(1), at(1), EndReason::Logout)
    );
    assert!(matches!(stale, Err(Error::Stale)));
    let taken = commit!(
        store,
        insert_audit(second.id, &second.event),
        insert_audit(first.id, &first.event)
    );
    assert!(matches!(taken, Err(Error::Conflict("audit_id"))));
    commit!(store, insert_audit(second.id, &second.event)).unwrap();
    assert_eq!(chain(&store).await.len(), 2);
}

async fn writers_at_once_make_one_chain(place: &Place) {
    let store = place.open().await;
    // Another process, where there can be one.
    let other = if place.is_shared() {
        place.open().await
    } else {
        store.clone()
    };
    let writers: Vec<_> = (0..16u16)
        .map(|writer| {
            let store = [&store, &other][usize::from(writer % 2)].clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let mut batch = store.batch();
                    // Locks the rows of others in every order.
                    for filler in 0..writer % 4 {
                        batch.put_setting(&format!("{writer}-{filler}"), "x");
                    }
                    let line = line(i64::from(round), writer);
                    batch.insert_audit(line.id, &line.event);
                    batch.commit().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(chain(&store).await.len(), 160);
}

async fn the_oldest_lines_are_purged_and_the_start_moves(place: &Place) {
    let store = place.open().await;
    for number in 1..=6 {
        let line = line(i64::from(number) * 1_000, number);
        commit!(store, insert_audit(line.id, &line.event)).unwrap();
    }
    let rows = store.list_audit_chain(0, 9).await.unwrap();
    let mark = |index: usize| AuditMark {
        seq: rows[index].seq,
        chain: rows[index].line.as_ref().unwrap().1,
        at: at(9_000),
        mac: Some([5; 32]),
    };
    commit!(
        store,
        insert_audit_checkpoint(&mark(1), true),
        insert_audit_checkpoint(&mark(3), true)
    )
    .unwrap();
    commit!(store, purge_audit(0, &mark(2))).unwrap();
    assert_eq!(store.audit_start().await.unwrap(), mark(2));
    assert_eq!(chain(&store).await.len(), 3);
    assert_eq!(
        store.list_audit_checkpoints(0, 9).await.unwrap(),
        [mark(3)],
        "those of lines that are gone"
    );
    assert!(matches!(
        commit!(store, purge_audit(0, &mark(3))),
        Err(Error::Stale)
    ));
    commit!(store, purge_audit(3, &mark(5))).unwrap();
    assert_eq!(chain(&store).await, []);
    let line = line(9_000, 1);
    commit!(store, insert_audit(line.id, &line.event)).unwrap();
    assert_eq!(chain(&store).await.len(), 1);
    assert_eq!(store.audit_head().await.unwrap().seq, 7);
    assert_eq!(
        store.purge_unchained_audit(at(i64::MAX), 9).await.unwrap(),
        0,
        "lines of the chain are none of its business"
    );
}

async fn checkpoints_are_kept_and_thinned(place: &Place) {
    let store = place.open().await;
    let mark = |seq| AuditMark {
        seq,
        chain: [7; 32],
        at: at(seq * 1_000),
        mac: Some([9; 32]),
    };
    assert_eq!(store.last_audit_checkpoint().await.unwrap(), None);
    for seq in 1..=4 {
        commit!(store, insert_audit_checkpoint(&mark(seq), seq % 2 == 1)).unwrap();
    }
    // Another server was quicker; what it wrote stays.
    let again = AuditMark {
        mac: Some([1; 32]),
        ..mark(4)
    };
    commit!(store, insert_audit_checkpoint(&again, true)).unwrap();
    assert_eq!(store.last_audit_checkpoint().await.unwrap(), Some(mark(4)));
    assert_eq!(
        store.list_audit_checkpoints(1, 2).await.unwrap(),
        [mark(2), mark(3)]
    );
    assert_eq!(store.purge_audit_checkpoints(at(4_000)).await.unwrap(), 1);
    assert_eq!(
        store.list_audit_checkpoints(0, 9).await.unwrap(),
        [mark(1), mark(3), mark(4)]
    );
}
