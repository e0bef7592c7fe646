//! `/api/admin/invitations`, and accepting one at `POST /api/register`

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::users;
use symbolon_domain::UserStatus;

use super::{Posted, invalid_link};
use crate::client::Answer;
use crate::people::{Device, PASSWORD};

async fn start() -> (Posted, Device) {
    let posted = Posted::with(&[("registration.mode", "invitation")]).await;
    let admin = posted.app.admin().await;
    (posted, admin)
}

async fn invite(posted: &Posted, admin: &Device, body: &Value) -> Answer {
    let asking = posted
        .app
        .post("/api/admin/invitations")
        .bearer(&admin.access);
    asking.json(body).send().await
}

async fn accept(posted: &Posted, email: &str, token: &str) -> Answer {
    let body = json!({"email": email, "password": PASSWORD, "invitation": token});
    posted.post("/api/register", &body).await
}

#[tokio::test]
async fn somebody_who_is_invited_makes_an_account() {
    let (posted, admin) = start().await;
    let body = json!({"email": "ada@example.com", "name": "Ada", "roles": ["user", "admin"]});
    let made = invite(&posted, &admin, &body).await;
    made.expect(201);
    let listing = posted
        .app
        .get("/api/admin/invitations")
        .bearer(&admin.access);
    let listed = listing.send().await.expect(200).json();
    assert_eq!(listed["items"], json!([made.json()]));
    assert_eq!(listed["items"][0]["inviter"], admin.user.as_str());
    let mail = posted.one().await;
    assert_eq!(mail.to, "ada@example.com");
    posted.app.wait(6 * 24 * 3600);
    let answer = accept(&posted, "ADA@example.com", &mail.token()).await;
    let user = answer.expect(201).json()["user"].clone();
    assert_eq!(user["emailVerified"], true);
    assert_eq!(
        (&user["roles"], &user["name"]),
        (&json!(["admin", "user"]), &json!("Ada"))
    );
    assert!(
        posted.arrives().await.is_empty(),
        "nothing is left to confirm"
    );
    posted.app.login("ada").await;
    invalid_link(&accept(&posted, "ada@example.com", &mail.token()).await);
    invite(&posted, &posted.app.login("root").await, &body)
        .await
        .problem(409, "conflict");
}

#[tokio::test]
async fn h6_a_link_is_for_one_address_and_one_week() {
    let (posted, admin) = start().await;
    invite(&posted, &admin, &json!({"email": "ada@example.com"}))
        .await
        .expect(201);
    let token = posted.one().await.token();
    accept(&posted, "eve@example.com", &token)
        .await
        .field("/email", "email_not_invited");
    for forged in ["", "sbl_", &format!("{}A", &token[..token.len() - 1])] {
        invalid_link(&accept(&posted, "ada@example.com", forged).await);
    }
    // Another installation's.
    let (other, root) = start().await;
    invite(&other, &root, &json!({"email": "bob@example.com"}))
        .await
        .expect(201);
    invalid_link(&accept(&other, "ada@example.com", &token).await);
    posted.app.wait(7 * 24 * 3600);
    invalid_link(&accept(&posted, "ada@example.com", &token).await);
}

#[tokio::test]
async fn without_an_invitation_nobody_registers() {
    let (posted, _) = start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    posted
        .post("/api/register", &body)
        .await
        .problem(403, "forbidden");
    let closed = Posted::with(&[("registration.mode", "closed")]).await;
    accept(&closed, "ada@example.com", "sbl_")
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn the_newest_counts_and_one_that_is_withdrawn_does_not() {
    let (posted, admin) = start().await;
    let body = json!({"email": "ada@example.com"});
    invite(&posted, &admin, &body).await.expect(201);
    let first = posted.one().await.token();
    let made = invite(&posted, &admin, &body).await.expect(201).json();
    let second = posted.one().await.token();
    invalid_link(&accept(&posted, "ada@example.com", &first).await);
    let path = format!("/api/admin/invitations/{}", made["id"].as_str().unwrap());
    let withdraw = || posted.app.delete(&path).bearer(&admin.access).send();
    withdraw().await.expect(204);
    withdraw().await.problem(404, "not_found");
    invalid_link(&accept(&posted, "ada@example.com", &second).await);
}

#[tokio::test]
async fn m3_who_was_disabled_meanwhile_has_invited_nobody() {
    let (posted, admin) = start().await;
    posted.app.person("second", &["admin", "user"]).await;
    let other = posted.app.login("second").await;
    invite(
        &posted,
        &other,
        &json!({"email": "ada@example.com", "roles": ["admin"]}),
    )
    .await
    .expect(201);
    let token = posted.one().await.token();
    let user = posted.app.stored(&other).await;
    let status = UserStatus::Disabled;
    users::set_status(
        &posted.app.app,
        Actor::Operator,
        user,
        status,
        &Default::default(),
    )
    .await
    .unwrap();
    invalid_link(&accept(&posted, "ada@example.com", &token).await);
    posted.app.profile(&admin.access).await.expect(200);
}

#[tokio::test]
async fn bad_invitations_are_refused() {
    let (posted, admin) = start().await;
    for (body, pointer, code) in [
        (json!({}), "/email", "required"),
        (json!({"email": "ada"}), "/email", "email_malformed"),
        (
            json!({"email": "a@b.c", "roles": ["A B"]}),
            "/roles",
            "role_malformed",
        ),
        (
            json!({"email": "a@b.c", "name": "a\u{0}"}),
            "/name",
            "name_malformed",
        ),
        (
            json!({"email": "a@b.c", "inviter": "x"}),
            "/inviter",
            "unknown_field",
        ),
    ] {
        invite(&posted, &admin, &body).await.field(pointer, code);
    }
    let unknown = invite(
        &posted,
        &admin,
        &json!({"email": "a@b.c", "roles": ["nonsense"]}),
    )
    .await;
    assert_eq!(unknown.fields()[0].0, "/roles");
    assert!(posted.arrives().await.is_empty());
}
