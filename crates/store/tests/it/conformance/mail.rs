use symbolon_domain::mail::{EmailChange, Locale, Mail, MailKind, MailState, Proof, ProofKind};
use symbolon_domain::{DisplayName, Email, Roles};
use symbolon_store::{Error, Invitation, Store};
use uuid::Uuid;

use crate::harness::{Place, at, commit, on_every_engine, user, user_id, uuid};

on_every_engine!(
    a_mail_goes_its_way,
    an_address_gets_so_many_an_hour,
    two_workers_do_not_take_one_mail,
    what_has_become_wrong_is_not_sent,
    settled_mail_is_dropped_in_its_time,
    the_newest_proof_of_a_kind_replaces_the_one_before,
    a_proof_is_used_once,
    a_change_of_address_waits_for_both,
    an_invitation_is_kept_for_each_address,
    a_language_is_kept,
);

const HOUR: i64 = 3_600_000;
const NOTHING: [Uuid; 0] = [];

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn mail(number: u16, kind: MailKind, now: i64) -> Mail {
    Mail {
        id: uuid(now, number),
        kind,
        recipient: email("Ada@Example.com"),
        locale: Locale::De,
        subject: Some(user_id(1).uuid()),
        about: Some(email("new@example.com")),
        address: Some("192.0.2.1".into()),
        user_agent: Some("curl".into()),
        created_at: at(now),
    }
}

async fn due(store: &Store, now: i64) -> Vec<Uuid> {
    let rows = store.list_due_mail(at(now), 10).await.unwrap();
    rows.into_iter().map(|row| row.mail.id).collect()
}

async fn a_mail_goes_its_way(place: &Place) {
    let store = place.open().await;
    let mail = mail(1, MailKind::VerifyEmail, 10 * HOUR);
    commit!(store, insert_mail(&mail)).unwrap();
    assert_eq!(due(&store, 10 * HOUR - 1).await, NOTHING);
    let row = store.find_mail(mail.id).await.unwrap().unwrap();
    assert_eq!(row.mail, mail);
    assert_eq!(
        (row.attempts, row.state, row.proof),
        (0, MailState::Waiting, None)
    );
    assert_eq!(store.count_waiting_mail(10).await.unwrap(), 1);

    let lease = at(10 * HOUR + 5);
    commit!(store, claim_mail(&row, Some(uuid(5, 5)), lease)).unwrap();
    let claimed = store.find_mail(mail.id).await.unwrap().unwrap();
    assert_eq!(
        (claimed.attempts, claimed.proof, claimed.due_at),
        (1, Some(uuid(5, 5)), lease)
    );
    assert_eq!(due(&store, 10 * HOUR).await, NOTHING, "it is in hand");
    assert_eq!(
        due(&store, 10 * HOUR + 5).await,
        [mail.id],
        "whoever took it has died"
    );

    commit!(
        store,
        settle_mail(&claimed, MailState::Waiting, at(11 * HOUR), Some("later"))
    )
    .unwrap();
    let waiting = store.find_mail(mail.id).await.unwrap().unwrap();
    assert_eq!(waiting.error.as_deref(), Some("later"));
    commit!(
        store,
        settle_mail(&waiting, MailState::Sent, at(12 * HOUR), None)
    )
    .unwrap();
    assert_eq!(due(&store, 99 * HOUR).await, NOTHING);
    assert_eq!(store.count_waiting_mail(10).await.unwrap(), 0);
    let sent = store.list_mail(MailState::Sent, 10).await.unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].due_at, sent[0].error.as_deref()),
        (at(12 * HOUR), None)
    );
    assert!(
        store
            .list_mail(MailState::Dead, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.find_mail(uuid(1, 1)).await.unwrap().is_none());
}

async fn an_address_gets_so_many_an_hour(place: &Place) {
    let store = place.open().await;
    let now = 10 * HOUR;
    for number in 0..8 {
        let mut other = mail(number, MailKind::ResetPassword, now + i64::from(number));
        // The key of the address counts, and all kinds that anybody can cause count together.
        if number % 2 == 0 {
            (other.recipient, other.kind) = (email("ADA@example.com"), MailKind::AddressInUse);
        }
        commit!(store, insert_mail(&other)).unwrap();
    }
    assert_eq!(store.count_waiting_mail(10).await.unwrap(), 5);
    commit!(
        store,
        insert_mail(&mail(20, MailKind::PasswordChanged, now))
    )
    .unwrap();
    let mut another = mail(21, MailKind::ResetPassword, now);
    another.recipient = email("eve@example.com");
    commit!(store, insert_mail(&another)).unwrap();
    assert_eq!(store.count_waiting_mail(10).await.unwrap(), 7);
    assert_eq!(
        store.count_waiting_mail(6).await.unwrap(),
        6,
        "counted so far"
    );
    // An hour after the first, there is room for one.
    for number in 30..33 {
        commit!(
            store,
            insert_mail(&mail(number, MailKind::ResetPassword, now + HOUR))
        )
        .unwrap();
    }
    assert_eq!(store.count_waiting_mail(20).await.unwrap(), 8);
}

async fn two_workers_do_not_take_one_mail(place: &Place) {
    let store = place.open().await;
    let mail = mail(1, MailKind::NewDevice, 10 * HOUR);
    commit!(store, insert_mail(&mail)).unwrap();
    let row = store.find_mail(mail.id).await.unwrap().unwrap();
    let lease = at(10 * HOUR + 300);
    let (mut first, mut second) = (store.batch(), store.batch());
    first.claim_mail(&row, None, lease);
    second.claim_mail(&row, None, lease);
    let outcomes = tokio::join!(first.commit(), second.commit());
    let taken = [&outcomes.0, &outcomes.1]
        .into_iter()
        .filter(|outcome| outcome.is_ok());
    assert_eq!(taken.count(), 1, "{outcomes:?}");
    // Who does not hold it settles nothing.
    let settled = commit!(store, settle_mail(&row, MailState::Sent, at(0), None));
    assert!(matches!(settled, Err(Error::Stale)), "{settled:?}");
}

async fn what_has_become_wrong_is_not_sent(place: &Place) {
    let store = place.open().await;
    let (reset, notice) = (
        mail(1, MailKind::ResetPassword, 10 * HOUR),
        mail(2, MailKind::PasswordChanged, 10 * HOUR),
    );
    commit!(store, insert_mail(&reset), insert_mail(&notice)).unwrap();
    let recipient = email("ada@example.com");
    commit!(
        store,
        void_mail(&recipient, MailKind::ResetPassword, at(11 * HOUR))
    )
    .unwrap();
    assert_eq!(due(&store, 10 * HOUR).await, [notice.id]);
    let void = store.list_mail(MailState::Void, 10).await.unwrap();
    assert_eq!((void.len(), void[0].due_at), (1, at(11 * HOUR)));
}

async fn settled_mail_is_dropped_in_its_time(place: &Place) {
    let store = place.open().await;
    for number in 0..3 {
        let mail = mail(number, MailKind::NewDevice, 10 * HOUR);
        commit!(store, insert_mail(&mail)).unwrap();
        let row = store.find_mail(mail.id).await.unwrap().unwrap();
        commit!(
            store,
            settle_mail(
                &row,
                MailState::Sent,
                at(20 * HOUR + i64::from(number)),
                None
            )
        )
        .unwrap();
    }
    let purge = async |now, limit| {
        store
            .purge_mail(MailState::Sent, at(now), limit)
            .await
            .unwrap()
    };
    assert_eq!(purge(20 * HOUR - 1, 10).await, 0);
    assert_eq!(
        store
            .purge_mail(MailState::Dead, at(99 * HOUR), 10)
            .await
            .unwrap(),
        0
    );
    assert_eq!(purge(20 * HOUR + 1, 1).await, 1);
    assert_eq!(purge(20 * HOUR + 1, 10).await, 1);
    assert_eq!(store.list_mail(MailState::Sent, 10).await.unwrap().len(), 1);
}

fn proof(number: u16, kind: ProofKind) -> Proof {
    Proof {
        id: uuid(1_000, number),
        kind,
        subject: user_id(1).uuid(),
        email: email("ada@example.com"),
        created_at: at(1_000),
        expires_at: at(5_000),
    }
}

async fn the_newest_proof_of_a_kind_replaces_the_one_before(place: &Place) {
    let store = place.open().await;
    let (first, second) = (
        proof(1, ProofKind::ResetPassword),
        proof(2, ProofKind::ResetPassword),
    );
    let other = proof(3, ProofKind::VerifyEmail);
    commit!(
        store,
        put_proof(&first, [1; 32]),
        put_proof(&other, [3; 32])
    )
    .unwrap();
    assert_eq!(
        store.find_proof_by_digest([1; 32]).await.unwrap(),
        Some(first.clone())
    );
    commit!(store, put_proof(&second, [2; 32])).unwrap();
    assert_eq!(store.find_proof_by_digest([1; 32]).await.unwrap(), None);
    assert_eq!(store.find_proof(first.id).await.unwrap(), None);
    assert_eq!(store.find_proof(second.id).await.unwrap(), Some(second));
    assert_eq!(
        store.find_proof_by_digest([3; 32]).await.unwrap(),
        Some(other.clone())
    );
    commit!(store, delete_proofs(user_id(2).uuid())).unwrap();
    assert!(store.find_proof(other.id).await.unwrap().is_some());
    commit!(store, delete_proofs(user_id(1).uuid())).unwrap();
    assert!(store.find_proof(other.id).await.unwrap().is_none());
}

async fn a_proof_is_used_once(place: &Place) {
    let store = place.open().await;
    let one = proof(1, ProofKind::ResetPassword);
    commit!(store, put_proof(&one, [1; 32])).unwrap();
    let (mut first, mut second) = (store.batch(), store.batch());
    first.take_proof(one.id);
    second.take_proof(one.id);
    let outcomes = tokio::join!(first.commit(), second.commit());
    let used = [&outcomes.0, &outcomes.1]
        .into_iter()
        .filter(|outcome| outcome.is_ok());
    assert_eq!(used.count(), 1, "{outcomes:?}");
    commit!(store, put_proof(&one, [1; 32])).unwrap();
    assert_eq!(store.purge_proofs(at(4_999), 10).await.unwrap(), 0);
    assert_eq!(store.purge_proofs(at(5_000), 10).await.unwrap(), 1);
}

async fn a_change_of_address_waits_for_both(place: &Place) {
    let store = place.open().await;
    let change = EmailChange {
        id: uuid(1, 1),
        user: user_id(1),
        email: email("New@example.com"),
        new_confirmed: false,
        old_confirmed: false,
        expires_at: at(5_000),
    };
    commit!(store, put_email_change(&change)).unwrap();
    let next = change.clone().confirmed(ProofKind::ChangeEmailOld);
    commit!(store, confirm_email_change(&change, &next)).unwrap();
    let again = commit!(store, confirm_email_change(&change, &next));
    assert!(matches!(again, Err(Error::Stale)), "{again:?}");
    let stored = store.find_email_change(user_id(1)).await.unwrap().unwrap();
    assert_eq!(stored, next);
    // A newer one begins anew.
    let newer = EmailChange {
        id: uuid(1, 2),
        ..change.clone()
    };
    commit!(store, put_email_change(&newer)).unwrap();
    assert_eq!(
        store.find_email_change(user_id(1)).await.unwrap(),
        Some(newer.clone())
    );
    let taken = commit!(store, take_email_change(&change));
    assert!(matches!(taken, Err(Error::Stale)), "{taken:?}");
    commit!(store, take_email_change(&newer)).unwrap();
    assert_eq!(store.find_email_change(user_id(1)).await.unwrap(), None);
    commit!(
        store,
        put_email_change(&change),
        delete_email_change(user_id(1))
    )
    .unwrap();
    assert_eq!(store.find_email_change(user_id(1)).await.unwrap(), None);
    commit!(store, put_email_change(&change)).unwrap();
    assert_eq!(store.purge_email_changes(at(4_999), 10).await.unwrap(), 0);
    assert_eq!(store.purge_email_changes(at(5_000), 10).await.unwrap(), 1);
}

async fn an_invitation_is_kept_for_each_address(place: &Place) {
    let store = place.open().await;
    let invitation = |number: u16, address: &str| Invitation {
        id: uuid(1_000 + i64::from(number), number),
        email: email(address),
        name: Some(DisplayName::parse("Ada").unwrap()),
        roles: Roles::parse("admin user").unwrap(),
        inviter: Some(user_id(1)),
        created_at: at(1_000),
        expires_at: at(5_000),
    };
    let first = invitation(1, "Ada@example.com");
    let second = Invitation {
        inviter: None,
        name: None,
        ..invitation(2, "ADA@example.com")
    };
    let third = invitation(3, "eve@example.com");
    commit!(store, put_invitation(&first)).unwrap();
    assert_eq!(
        store.find_invitation(first.id).await.unwrap(),
        Some(first.clone())
    );
    commit!(store, put_invitation(&second), put_invitation(&third)).unwrap();
    assert_eq!(
        store.find_invitation(first.id).await.unwrap(),
        None,
        "the newest counts"
    );
    let found = store
        .find_invitation_by_email("ada@example.com")
        .await
        .unwrap();
    assert_eq!(found, Some(second.clone()));
    assert_eq!(
        store.list_invitations(10, None).await.unwrap(),
        [third.clone(), second.clone()]
    );
    assert_eq!(
        store.list_invitations(10, Some(third.id)).await.unwrap(),
        std::slice::from_ref(&second)
    );
    commit!(store, take_invitation(second.id)).unwrap();
    let again = commit!(store, take_invitation(second.id));
    assert!(matches!(again, Err(Error::Stale)), "{again:?}");
    assert_eq!(store.purge_invitations(at(4_999), 10).await.unwrap(), 0);
    assert_eq!(store.purge_invitations(at(5_000), 10).await.unwrap(), 1);
}

async fn a_language_is_kept(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.find_locale(user_id(1)).await.unwrap(), None);
    commit!(store, insert_user(&user(1), None)).unwrap();
    assert_eq!(store.find_locale(user_id(1)).await.unwrap(), None);
    commit!(store, update_locale(user_id(1), Locale::Pl)).unwrap();
    assert_eq!(
        store.find_locale(user_id(1)).await.unwrap(),
        Some(Locale::Pl)
    );
    assert_eq!(
        store.find_user(user_id(1)).await.unwrap(),
        Some(user(1)),
        "nothing else changes"
    );
}
