use std::time::Duration;

use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::revocation::{Effect, Revocation, Subject};
use symbolon_domain::{EndReason, Session, User, UserStatus};
use symbolon_store::Counted;

use crate::harness::{
    Place, at, commit, on_every_engine, session, session_id, user, user_id, uuid,
};

on_every_engine!(
    users_and_sessions_are_counted_up_to_a_bound,
    lines_and_revocations_are_counted,
    sessions_are_listed_newest_first,
);

const fn exactly(found: u32) -> Counted {
    Counted { found, more: false }
}

const fn at_least(found: u32) -> Counted {
    Counted { found, more: true }
}

async fn users_and_sessions_are_counted_up_to_a_bound(place: &Place) {
    let store = place.open().await;
    assert!(store.size().await.unwrap() > 0);
    for number in 1..=4 {
        let status = match number {
            1 => UserStatus::Disabled,
            _ => UserStatus::Active,
        };
        let user = User {
            status,
            ..user(number)
        };
        commit!(
            store,
            insert_user(&user, None),
            insert_session(&session(number, number))
        )
        .unwrap();
    }
    assert_eq!(
        store.count_users(UserStatus::Active, 9).await.unwrap(),
        exactly(3)
    );
    assert_eq!(
        store.count_users(UserStatus::Active, 2).await.unwrap(),
        at_least(2)
    );
    assert_eq!(
        store.count_users(UserStatus::Disabled, 9).await.unwrap(),
        exactly(1)
    );

    commit!(
        store,
        end_session(session_id(1), at(11_000), EndReason::Logout)
    )
    .unwrap();
    assert_eq!(
        store.count_sessions(at(11_000), 9).await.unwrap(),
        exactly(3)
    );
    assert_eq!(
        store.count_sessions(at(15_000), 9).await.unwrap(),
        exactly(0),
        "idle"
    );
    assert!(store.count_sessions(at(11_000), 2).await.unwrap().more);
    assert_eq!(
        store.count_sessions(at(100_000), 9).await.unwrap(),
        exactly(0)
    );
}

async fn lines_and_revocations_are_counted(place: &Place) {
    let store = place.open().await;
    for (number, kind) in [
        AuditKind::LoginFailed,
        AuditKind::LoginSucceeded,
        AuditKind::LoginFailed,
    ]
    .into_iter()
    .enumerate()
    {
        let millis = 1_000 * (i64::try_from(number).unwrap() + 1);
        commit!(
            store,
            insert_audit(uuid(millis, 1), &AuditEvent::new(at(millis), kind))
        )
        .unwrap();
    }
    let failed = AuditKind::LoginFailed;
    assert_eq!(
        store.count_audit(failed, at(0), 9).await.unwrap(),
        exactly(2)
    );
    assert_eq!(
        store.count_audit(failed, at(2_000), 9).await.unwrap(),
        exactly(1)
    );
    assert_eq!(
        store.count_audit(failed, at(0), 1).await.unwrap(),
        at_least(1)
    );

    for seconds in [10, 20] {
        let revocation = Revocation {
            subject: Subject::Session(session_id(1)),
            effect: Effect::Revoked,
            until: at(seconds * 1_000),
        };
        commit!(store, insert_revocation(&revocation)).unwrap();
    }
    assert_eq!(store.count_revocations(5, 9).await.unwrap(), exactly(2));
    assert_eq!(store.count_revocations(10, 9).await.unwrap(), exactly(1));
}

async fn sessions_are_listed_newest_first(place: &Place) {
    let store = place.open().await;
    for number in 1..=4 {
        let session = Session {
            idle_ttl: Duration::from_secs(if number == 2 { 1 } else { 50 }),
            ..session(number, number % 2)
        };
        commit!(store, insert_session(&session)).unwrap();
    }
    commit!(
        store,
        end_session(session_id(3), at(11_000), EndReason::Logout)
    )
    .unwrap();
    let (now, even, odd) = (Some(at(12_000)), Some(user_id(0)), Some(user_id(1)));
    for (user, live_at, after, expected) in [
        (None, None, None, vec![4, 3, 2, 1]),
        (None, now, None, vec![4, 1]),
        (None, None, Some(3), vec![2, 1]),
        (even, None, None, vec![4, 2]),
        (even, now, None, vec![4]),
        (odd, now, None, vec![1]),
        (odd, now, Some(1), vec![]),
    ] {
        let found = store
            .page_sessions(user, live_at, after.map(session_id), 9)
            .await
            .unwrap();
        let expected: Vec<_> = expected.into_iter().map(session_id).collect();
        assert_eq!(
            found.iter().map(|session| session.id).collect::<Vec<_>>(),
            expected
        );
    }
    assert_eq!(
        store
            .page_sessions(None, None, None, 2)
            .await
            .unwrap()
            .len(),
        2
    );
}
