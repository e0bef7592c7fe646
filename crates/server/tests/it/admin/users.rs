//! `/api/admin/users` and what is below it

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

const USERS: &str = "/api/admin/users";

async fn get(app: &TestApp, by: &Device, path: &str) -> Answer {
    app.get(&format!("{USERS}{path}"))
        .bearer(&by.access)
        .send()
        .await
}

async fn send(app: &TestApp, by: &Device, (method, path): (&str, &str), body: &Value) -> Answer {
    let request = app.request(method, &format!("{USERS}{path}"));
    request.bearer(&by.access).json(body).send().await
}

/// The addresses on a page, without their domain.
async fn names(app: &TestApp, by: &Device, query: &str) -> Vec<String> {
    let body = get(app, by, query).await.expect(200).json();
    let name = |item: &Value| {
        item["email"]
            .as_str()
            .unwrap()
            .split('@')
            .next()
            .unwrap()
            .to_owned()
    };
    body["items"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_user_is_made_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"email": "Ada@Example.com", "username": "ada", "name": "Ada", "password": PASSWORD, "emailVerified": true});
    let made = send(&app, &admin, ("POST", ""), &body).await;
    let user = made.expect(201).json();
    let path = format!("/{}", user["id"].as_str().unwrap());
    assert_eq!(
        made.header("location"),
        Some(format!("{USERS}{path}").as_str())
    );
    assert_eq!(made.header("etag"), Some("\"1\""));
    assert_eq!(user["roles"], json!(["user"]));
    assert_eq!(
        (&user["status"], &user["emailVerified"]),
        (&json!("active"), &json!(true))
    );

    let device = app.login("ada").await;
    let shown = get(&app, &admin, &path).await;
    let mut expected = user.clone();
    expected["lastLoginAt"] = user["createdAt"].clone();
    assert_eq!(shown.expect(200).json(), expected);

    let change = json!({"email": "lovelace@example.com", "name": null});
    let changed = send(&app, &admin, ("PATCH", &path), &change).await;
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let changed = changed.expect(200).json();
    assert_eq!(changed["email"], "lovelace@example.com");
    assert_eq!(
        (&changed["name"], &changed["username"]),
        (&json!(null), &json!("ada"))
    );
    assert_eq!(changed["emailVerified"], false, "it is another address");
    app.profile(&device.access).await.expect(200);

    let gone = app
        .delete(&format!("{USERS}{path}"))
        .bearer(&admin.access)
        .send()
        .await;
    gone.expect(204);
    app.assert_signed_out_of_deleted(&device).await;
    get(&app, &admin, &path).await.problem(404, "not_found");
    for kind in [
        AuditKind::UserCreated,
        AuditKind::ProfileChanged,
        AuditKind::UserDeleted,
    ] {
        let lines = app.audit(kind).await;
        assert_eq!(lines[0].actor.unwrap().to_string(), admin.user, "{kind:?}");
        assert_eq!(
            lines[0].subject.unwrap().to_string(),
            device.user,
            "{kind:?}"
        );
        assert!(lines[0].request_id.is_some());
    }
}

#[tokio::test]
async fn one_change_of_everything_is_one_commit() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let device = app.user().await;
    let path = format!("/{}", device.user);
    let whole = json!({
        "email": "ada@example.org", "emailVerified": true, "username": "ada", "name": "Ada",
        "roles": ["admin"], "status": "disabled"
    });
    let after = send(&app, &admin, ("PUT", &path), &whole)
        .await
        .expect(200)
        .json();
    for (name, value) in whole.as_object().unwrap() {
        assert_eq!(after[name], *value);
    }
    // What was answered is what was stored.
    assert_eq!(get(&app, &admin, &path).await.json(), {
        let mut stored = after.clone();
        stored["lastLoginAt"] = get(&app, &admin, &path).await.json()["lastLoginAt"].clone();
        stored
    });
    app.assert_signed_out(&device).await;
    for kind in [
        AuditKind::ProfileChanged,
        AuditKind::RolesChanged,
        AuditKind::UserDisabled,
    ] {
        assert_eq!(app.audit(kind).await.len(), 1, "{kind:?}");
    }
    assert_eq!(
        app.audit(AuditKind::ProfileChanged).await[0]
            .detail
            .as_deref(),
        Some("email emailVerified username name")
    );
    // The same once more changes nothing.
    let again = send(&app, &admin, ("PUT", &path), &whole).await;
    assert_eq!(again.json()["version"], after["version"]);
    assert_eq!(app.audit(AuditKind::RolesChanged).await.len(), 1);
}

#[tokio::test]
async fn m8_other_roles_make_tokens_stale_at_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let reader = app.delegate("reader", "users:read").await;
    get(&app, &reader, "").await.expect(200);
    let path = format!("/{}", reader.user);
    send(&app, &admin, ("PATCH", &path), &json!({"roles": ["user"]}))
        .await
        .expect(200);
    get(&app, &reader, "").await.problem(401, "token_stale");
    let reader = app.refreshed(&reader).await;
    get(&app, &reader, "").await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_version_that_is_gone_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let device = app.user().await;
    let path = format!("{USERS}/{}", device.user);
    let tag = app.get(&path).bearer(&admin.access).send().await;
    let tag = tag.header("etag").unwrap().to_owned();
    let change = |name: &str, tag: &str| {
        let request = app
            .patch(&path)
            .bearer(&admin.access)
            .header("if-match", tag);
        request.json(&json!({"name": name})).send()
    };
    change("First", &tag).await.expect(200);
    change("Second", &tag)
        .await
        .problem(412, "precondition_failed");
    change("Any", "*").await.expect(200);
    change("Weak", "W/\"3\"")
        .await
        .problem(412, "precondition_failed");
    change("Bare", "3").await.problem(400, "malformed_request");
    let gone = app
        .delete(&path)
        .bearer(&admin.access)
        .header("if-match", &tag);
    gone.send().await.problem(412, "precondition_failed");
    let same = app
        .get(&path)
        .bearer(&admin.access)
        .header("if-none-match", "\"3\"");
    same.send().await.expect(304);
}

#[tokio::test]
async fn a_creation_with_a_key_happens_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let make = |key: &str, email: &str| {
        let request = app
            .post(USERS)
            .bearer(&admin.access)
            .header("idempotency-key", key);
        request
            .json(&json!({"email": email, "password": PASSWORD}))
            .send()
    };
    let first = make("\"one\"", "ada@example.com").await.expect(201).json();
    let again = make("one", "ada@example.com").await;
    assert_eq!(again.expect(201).json(), first);
    make("one", "eve@example.com")
        .await
        .field("", "idempotency_key_reused");
    make("two", "ada@example.com")
        .await
        .problem(409, "conflict");
    make("", "eve@example.com")
        .await
        .problem(400, "malformed_request");
    assert_eq!(names(&app, &admin, "?email=ada").await, ["ada"]);
    assert_eq!(
        app.audit(AuditKind::UserCreated).await.len(),
        2,
        "with the administrator"
    );
    // Another administrator's key is another one.
    app.person("boss", &["admin"]).await;
    let boss = app.login("boss").await;
    let theirs = app
        .post(USERS)
        .bearer(&boss.access)
        .header("idempotency-key", "one");
    theirs
        .json(&json!({"email": "zoe@example.com"}))
        .send()
        .await
        .expect(201);
    // What was made is gone.
    let path = format!("{USERS}/{}", first["id"].as_str().unwrap());
    app.delete(&path)
        .bearer(&admin.access)
        .send()
        .await
        .expect(204);
    make("one", "ada@example.com")
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_same_creation_at_once_happens_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for round in 0..5 {
        let make = || {
            let key = format!("round-{round}");
            let request = app
                .post(USERS)
                .bearer(&admin.access)
                .header("idempotency-key", &key);
            request
                .json(&json!({"email": format!("user{round}@example.com")}))
                .send()
        };
        let answers = tokio::join!(make(), make(), make(), make());
        let id = answers.0.expect(201).json()["id"].clone();
        for answer in [answers.1, answers.2, answers.3] {
            assert_eq!(answer.expect(201).json()["id"], id);
        }
    }
    assert_eq!(names(&app, &admin, "?email=user").await.len(), 5);
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for name in ["carol", "Alice", "bob"] {
        app.wait(1);
        let body = json!({"email": format!("{name}@example.com"), "username": format!("{name}-x")});
        send(&app, &admin, ("POST", ""), &body).await.expect(201);
    }
    let bob = get(&app, &admin, "?email=bob").await.json()["items"][0].clone();
    let path = format!("/{}", bob["id"].as_str().unwrap());
    send(
        &app,
        &admin,
        ("PATCH", &path),
        &json!({"status": "disabled"}),
    )
    .await
    .expect(200);
    let (time, from) = (
        bob["createdAt"].as_str().unwrap(),
        admin_time(&app, &admin).await,
    );
    for (query, expected) in [
        ("", vec!["bob", "Alice", "carol", "root"]),
        ("?sort=createdAt", vec!["root", "carol", "Alice", "bob"]),
        ("?sort=email", vec!["Alice", "bob", "carol", "root"]),
        ("?sort=-username", vec!["carol", "bob", "Alice"]),
        ("?email=ALI", vec!["Alice"]),
        ("?username=b&sort=-username", vec!["bob"]),
        ("?email=%25", vec![]),
        ("?status=disabled", vec!["bob"]),
        (
            "?status=active&sort=createdAt",
            vec!["root", "carol", "Alice"],
        ),
        (
            &format!("?createdBefore={time}"),
            vec!["Alice", "carol", "root"],
        ),
        (
            &format!("?createdAfter={from}&createdBefore={time}"),
            vec!["Alice", "carol"],
        ),
        ("?role=admin", vec!["root"]),
        ("?role=user&sort=-id", vec!["bob", "Alice", "carol", "root"]),
        ("?role=nobody", vec![]),
    ] {
        assert_eq!(names(&app, &admin, query).await, expected, "{query}");
    }
}

async fn admin_time(app: &TestApp, admin: &Device) -> String {
    let admin = get(app, admin, &format!("/{}", admin.user)).await.json();
    admin["createdAt"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn n14_what_no_index_answers_is_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (query, named) in [
        ("?email=a&status=active", "cannot be combined"),
        ("?email=a&sort=createdAt", "cannot be combined"),
        ("?role=admin&sort=email", "cannot be combined"),
        ("?sort=id", "cannot be combined"),
        ("?sort=email;%20DROP%20TABLE%20users", "sort"),
        ("?sort=passwordHash", "sort"),
        ("?status=gone", "status"),
        ("?role=Not%20A%20Role", "role"),
        ("?createdAfter=yesterday", "createdAfter"),
        ("?password=x", "password"),
        ("?email=%00", "email"),
    ] {
        let problem = get(&app, &admin, query)
            .await
            .problem(400, "malformed_request");
        assert!(
            problem["detail"].as_str().unwrap().contains(named),
            "{query}: {problem}"
        );
    }
    let first = get(&app, &admin, "?limit=1&sort=email").await;
    app.register("zoe").await;
    let first = first.expect(200).json();
    assert_eq!(first["nextCursor"], json!(null), "there was one");
    let first = get(&app, &admin, "?limit=1&sort=email").await.json();
    let cursor = first["nextCursor"].as_str().unwrap();
    assert_eq!(
        names(&app, &admin, &format!("?sort=email&cursor={cursor}")).await,
        ["zoe"]
    );
    let elsewhere = get(&app, &admin, &format!("?sort=-email&cursor={cursor}")).await;
    elsewhere.problem(400, "malformed_request");
}

#[tokio::test]
async fn m2_only_fields_that_may_be_set_are_taken() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let device = app.user().await;
    let path = format!("/{}", device.user);
    for field in [
        "id",
        "version",
        "tokenVersion",
        "passwordHash",
        "createdAt",
        "isAdmin",
    ] {
        let answer = send(&app, &admin, ("PATCH", &path), &json!({field: 1})).await;
        answer.field(&format!("/{field}"), "unknown_field");
    }
    let bad = json!({"email": "x", "username": "", "roles": ["user", "No Role"], "status": "gone"});
    let fields = send(&app, &admin, ("PATCH", &path), &bad).await.fields();
    let pointers: Vec<_> = fields.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/email", "/username", "/roles/1", "/status"]);
    let unknown = json!({"roles": ["nobody"]});
    send(&app, &admin, ("PATCH", &path), &unknown)
        .await
        .field("/roles", "role_unknown");
    let nul = json!({"name": "a\u{0}b"});
    send(&app, &admin, ("PATCH", &path), &nul).await.fields();
    let absent = send(
        &app,
        &admin,
        ("PUT", &path),
        &json!({"email": "a@example.com"}),
    )
    .await;
    assert_eq!(absent.fields().len(), 5);
    send(&app, &admin, ("POST", ""), &json!({}))
        .await
        .field("/email", "required");
    let short = json!({"email": "b@example.com", "password": "x"});
    send(&app, &admin, ("POST", ""), &short)
        .await
        .field("/password", "password_too_short");
    let taken = json!({"email": "ROOT@example.com"});
    send(&app, &admin, ("PATCH", &path), &taken)
        .await
        .problem(409, "conflict");
    get(&app, &admin, "/nobody").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_password_is_set_and_a_user_is_signed_out() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let device = app.user().await;
    let path = format!("/{}/logout", device.user);
    app.post(&format!("{USERS}{path}"))
        .bearer(&admin.access)
        .send()
        .await
        .expect(204);
    app.assert_signed_out(&device).await;
    let device = app.login("ada").await;
    let path = format!("/{}/password", device.user);
    send(
        &app,
        &admin,
        ("POST", &path),
        &json!({"password": OTHER_PASSWORD}),
    )
    .await
    .expect(204);
    app.assert_signed_out(&device).await;
    app.login_new_password().await;
    send(&app, &admin, ("POST", &path), &json!({}))
        .await
        .field("/password", "required");
    // Without a password nobody signs in.
    send(
        &app,
        &admin,
        ("POST", ""),
        &json!({"email": "eve@example.com"}),
    )
    .await
    .expect(201);
    let body = json!({"email": "eve@example.com", "password": PASSWORD});
    app.post("/api/login")
        .json(&body)
        .send()
        .await
        .problem(401, "invalid_credentials");
}
