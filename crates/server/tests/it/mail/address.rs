//! `POST /api/user/email`, `POST /api/email/confirm`

use serde_json::json;
use symbolon_domain::audit::AuditKind;

use super::{Posted, Read, invalid_link};
use crate::client::Answer;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

/// A service, and Ada with an address that she has confirmed.
async fn ada() -> (Posted, Device) {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    let body = json!({"token": posted.one().await.token()});
    posted.post("/api/email/verify", &body).await.expect(204);
    posted.app.wait(600);
    (posted, device)
}

async fn ask(posted: &Posted, device: &Device, email: &str) -> Answer {
    let body = json!({"email": email, "password": PASSWORD});
    let asking = posted.app.post("/api/user/email").bearer(&device.access);
    asking.json(&body).send().await
}

async fn confirm(posted: &Posted, mail: &Read) -> Answer {
    posted
        .post("/api/email/confirm", &json!({"token": mail.token()}))
        .await
}

/// The two mails, the one to the new address first.
async fn both(posted: &Posted) -> (Read, Read) {
    let mut mails = posted.arrives().await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    mails.sort_by_key(|mail| mail.to == "ada@example.com");
    let old = mails.pop().unwrap();
    (mails.pop().unwrap(), old)
}

#[tokio::test]
async fn an_address_changes_when_both_have_confirmed() {
    for new_first in [true, false] {
        let (posted, device) = ada().await;
        ask(&posted, &device, "new@example.com").await.expect(202);
        let (new, old) = both(&posted).await;
        assert_eq!(
            (new.to.as_str(), old.to.as_str()),
            ("new@example.com", "ada@example.com")
        );
        assert!(old.text.contains("new@example.com") && !new.text.contains("ada@example.com"));
        let order = if new_first {
            [&new, &old]
        } else {
            [&old, &new]
        };
        assert_eq!(
            confirm(&posted, order[0]).await.expect(200).json(),
            json!({"status": "waiting"})
        );
        invalid_link(&confirm(&posted, order[0]).await);
        let profile = posted.app.profile(&device.access).await.json();
        assert_eq!(profile["email"], "ada@example.com");
        assert_eq!(
            confirm(&posted, order[1]).await.expect(200).json(),
            json!({"status": "confirmed"})
        );
        let profile = posted.app.profile(&device.access).await.json();
        assert_eq!(
            (&profile["email"], &profile["emailVerified"]),
            (&json!("new@example.com"), &json!(true))
        );
        posted.app.assert_signed_in(&device).await;
        let told = posted.one().await;
        assert_eq!(
            (told.to.as_str(), told.subject.as_str()),
            ("ada@example.com", "Your e-mail address was changed")
        );
        assert_eq!(posted.app.audit(AuditKind::EmailChanged).await.len(), 1);
    }
}

#[tokio::test]
async fn an_address_that_was_never_confirmed_need_not_agree() {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    posted.arrives().await;
    ask(&posted, &device, "new@example.com").await.expect(202);
    let mail = posted.one().await;
    assert_eq!(
        confirm(&posted, &mail).await.expect(200).json(),
        json!({"status": "confirmed"})
    );
}

#[tokio::test]
async fn l7_an_address_that_is_taken_is_answered_the_same_and_its_owner_hears_of_it() {
    let (posted, device) = ada().await;
    posted.app.register("eve").await;
    posted.arrives().await;
    let mut answers = Vec::new();
    for email in ["nobody@example.com", "EVE@example.com"] {
        let mut answer = ask(&posted, &device, email).await;
        answer.expect(202);
        for name in ["x-request-id", "date", "ratelimit"] {
            answer.drop_header(name);
        }
        answers.push(answer);
        let (new, old) = both(&posted).await;
        assert_eq!(old.subject, "Allow the change of your e-mail address");
        if email.starts_with("EVE") {
            assert_eq!(
                (new.to.as_str(), new.subject.as_str()),
                ("eve@example.com", "You already have an account")
            );
            assert!(!new.text.contains("token="));
            assert_eq!(
                confirm(&posted, &old).await.expect(200).json(),
                json!({"status": "waiting"})
            );
        }
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_not_changed_to() {
    let (posted, device) = ada().await;
    ask(&posted, &device, "new@example.com").await.expect(202);
    let (new, old) = both(&posted).await;
    confirm(&posted, &old).await.expect(200);
    posted.app.register("new").await;
    invalid_link(&confirm(&posted, &new).await);
}

#[tokio::test]
async fn e2_a_newer_change_or_another_password_ends_one_that_waits() {
    let (posted, device) = ada().await;
    ask(&posted, &device, "first@example.com").await.expect(202);
    let (first_new, first_old) = both(&posted).await;
    ask(&posted, &device, "second@example.com")
        .await
        .expect(202);
    let (second_new, second_old) = both(&posted).await;
    invalid_link(&confirm(&posted, &first_new).await);
    invalid_link(&confirm(&posted, &first_old).await);
    confirm(&posted, &second_old).await.expect(200);
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    let changing = posted
        .app
        .post("/api/user/password")
        .bearer(&device.access)
        .json(&change);
    changing.send().await.expect(204);
    invalid_link(&confirm(&posted, &second_new).await);
    assert_eq!(
        posted.app.profile(&device.access).await.json()["email"],
        "ada@example.com"
    );
}

#[tokio::test]
async fn the_password_is_asked_for_again() {
    let (posted, device) = ada().await;
    let wrong = json!({"email": "new@example.com", "password": OTHER_PASSWORD});
    let asking = posted
        .app
        .post("/api/user/email")
        .bearer(&device.access)
        .json(&wrong);
    asking.send().await.problem(403, "wrong_password");
    ask(&posted, &device, "ada@example.com")
        .await
        .field("/email", "email_unchanged");
    ask(&posted, &device, "nonsense")
        .await
        .field("/email", "email_malformed");
    let empty = posted
        .app
        .post("/api/user/email")
        .bearer(&device.access)
        .json(&json!({}));
    assert_eq!(empty.send().await.fields().len(), 2);
    assert!(posted.arrives().await.is_empty());
}
