//! Import of a file that is sent.

use symbolon::clock::Clock;
use symbolon::flows::actor::Actor;
use symbolon::flows::import::upload;
use symbolon::flows::{self, Error};
use symbolon::transfer::Format;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Refusal, User, UserId};

use super::forms::Form;
use super::{Guest, place, text};
use crate::app::{Folder, START, TestApp};
use crate::client::Answer;

const PAGE: &str = "/console/import";
const START_FORM: &str = "/console/import/start";
const CLEAR: &str = "/console/import/clear";
const USERS: &str = concat!(
    "{\"email\":\"bob@example.com\",\"name\":\"Bob\",\"roles\":[\"admin\"]}\n",
    "{\"email\":\"no address\"}\n",
    "{\"email\":\"=1+1\"}\n",
    "{\"email\":\"root@example.com\"}\n",
);

/// Sends a file as a browser does.
async fn sent(guest: &mut Guest<'_>, token: &str, format: &str, file: &str) -> Answer {
    let mut body = String::new();
    for (name, value) in [("form_token", token), ("format", format)] {
        body.push_str(&format!(
            "--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"users<b>.jsonl\"\r\n",
    );
    body.push_str(&format!(
        "Content-Type: application/octet-stream\r\n\r\n{file}\r\n--cut--\r\n"
    ));
    let request = guest
        .app
        .post(PAGE)
        .header("content-type", "multipart/form-data; boundary=cut")
        .header("sec-fetch-site", "same-origin")
        .body(body);
    guest.send(request).await
}

async fn token(guest: &mut Guest<'_>) -> String {
    let page = guest.page(PAGE).await;
    let form = Form::to(&page, PAGE);
    let (_, value) = form.fields()[0];
    value.to_owned()
}

/// Waits for the end of a run, however long it takes.
async fn ended(guest: &mut Guest<'_>) -> String {
    loop {
        let page = guest.page(PAGE).await;
        if !page.contains("<progress") {
            return page;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_file_is_tried_and_then_imported() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let own = token(&mut root).await;
    let arrived = sent(&mut root, &own, "jsonl", USERS).await;
    assert_eq!(place(&arrived), PAGE);
    let page = root.page(PAGE).await;
    assert!(
        page.contains("users&lt;b&gt;.jsonl") && text(&page).contains("2. Try it"),
        "{page}"
    );
    assert!(!text(&page).contains("3. Import it"), "it is tried first");
    root.submit(PAGE, START_FORM, &[]).await.expect(303);
    let tried = ended(&mut root).await;
    assert!(
        text(&tried).contains("nothing is written yet") && tried.contains("Import 1 users"),
        "{}",
        text(&tried)
    );
    app.get("/healthz").send().await.expect(200);
    let bob = || flows::users::find(&app.app, "bob@example.com");
    assert!(bob().await.is_err(), "a try writes nothing");
    let csv = root.page("/console/import/export.csv").await;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    root.send_form(&tried, START_FORM, &[]).await.expect(303);
    let done = text(&ended(&mut root).await);
    assert!(done.contains("The users are here."), "{done}");
    let found = bob().await.unwrap();
    assert!(
        !found.roles.is_admin(),
        "roles of the file are passed over unless they are asked for"
    );
    let told = app.audit(AuditKind::UsersImported).await;
    assert!(
        told.len() == 2 && told.iter().all(|event| event.actor.is_some()),
        "{told:?}"
    );
    root.submit(PAGE, CLEAR, &[]).await.expect(303);
    assert!(root.page(PAGE).await.contains("enctype"));
    let left: Vec<_> = std::fs::read_dir(folder.path().join("import"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "nothing stays of a file");
}

#[tokio::test]
async fn who_may_not_do_everything_gives_no_roles_by_a_file() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    app.delegate("clerk", "users:write").await;
    let mut clerk = Guest::signed_in(&app, "clerk").await;
    let own = token(&mut clerk).await;
    sent(&mut clerk, &own, "jsonl", USERS).await.expect(303);
    assert!(!clerk.page(PAGE).await.contains("take_roles"));
    let wanted = [
        ("dry", "true"),
        ("take_roles", "true"),
        ("allow_admin", "true"),
    ];
    let refused = clerk.submit(PAGE, START_FORM, &wanted).await;
    refused.expect(403);
    // The import cannot be begun without a try either.
    let page = clerk.page(PAGE).await;
    let form = Form::to(&page, START_FORM);
    let mut fields = form.fields();
    fields.retain(|(name, _)| *name != "dry");
    clerk.post(START_FORM, &fields).await.expect(404);
}

/// Sends a file, and tries it; the page that then asks whether to import it.
async fn tried(guest: &mut Guest<'_>, file: &str) -> String {
    let own = guest.form_token().await;
    sent(guest, &own, "jsonl", file).await.expect(303);
    guest.submit(PAGE, START_FORM, &[]).await.expect(303);
    ended(guest).await
}

async fn find(app: &TestApp, name: &str) -> Option<User> {
    let found = flows::users::find(&app.app, &format!("{name}@example.com")).await;
    found.ok()
}

const ANN: &str =
    "{\"email\":\"ann@example.com\",\"id\":\"0198f2c4-0000-7000-8000-000000000001\"}\n";
const EVE: &str = "{\"email\":\"eve@example.com\"}\n";

#[tokio::test]
async fn m3_nobody_imports_another_file_than_was_looked_at() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let mut other = Guest::with_roles(&app, "other", &["admin"]).await;
    let looked_at = tried(&mut root, ANN).await;
    other.submit(PAGE, CLEAR, &[]).await.expect(303);
    tried(&mut other, EVE).await;
    for action in [START_FORM, CLEAR] {
        let refused = root.send_form(&looked_at, action, &[]).await;
        refused.expect(412);
    }
    let none = root.submit(PAGE, START_FORM, &[("digest", "")]).await;
    none.expect(412);
    assert!(root.page(PAGE).await.contains("Import 1 users"), "as tried");
    assert!(find(&app, "ann").await.is_none() && find(&app, "eve").await.is_none());
    assert_eq!(app.audit(AuditKind::UsersImported).await.len(), 0);

    // What stands there now was looked at.
    root.submit(PAGE, START_FORM, &[]).await.expect(303);
    ended(&mut root).await;
    assert!(find(&app, "ann").await.is_none() && find(&app, "eve").await.is_some());
}

#[tokio::test]
async fn m3_a_delegate_touches_nobody_elses_file() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    app.delegate("clerk", "users:write").await;
    let mut clerk = Guest::signed_in(&app, "clerk").await;
    tried(&mut root, ANN).await;
    for action in [START_FORM, CLEAR] {
        clerk.submit(PAGE, action, &[]).await.expect(403);
    }
    let try_it = [("dry", "true")];
    clerk.submit(PAGE, START_FORM, &try_it).await.expect(403);
    let own = clerk.form_token().await;
    sent(&mut clerk, &own, "jsonl", EVE).await.expect(403);
    let page = root.page(PAGE).await;
    assert!(page.contains("Import 1 users"), "nothing was changed of it");
    // What was imported is nobody's any more.
    root.send_form(&page, START_FORM, &[]).await.expect(303);
    ended(&mut root).await;
    clerk.submit(PAGE, CLEAR, &[]).await.expect(303);
}

#[tokio::test]
async fn m1_a_delegates_file_gives_no_ids() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    app.delegate("clerk", "users:write").await;
    let mut clerk = Guest::signed_in(&app, "clerk").await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let page = tried(&mut clerk, ANN).await;
    clerk.send_form(&page, START_FORM, &[]).await.expect(303);
    let done = text(&ended(&mut clerk).await);
    assert!(done.contains("The users are here."), "{done}");
    let given: UserId = "0198f2c4-0000-7000-8000-000000000001".parse().unwrap();
    assert_ne!(find(&app, "ann").await.unwrap().id, given, "a new id");

    let page = tried(&mut root, &ANN.replace("ann@", "joe@")).await;
    root.send_form(&page, START_FORM, &[]).await.expect(303);
    ended(&mut root).await;
    assert_eq!(find(&app, "joe").await.unwrap().id, given);
}

#[tokio::test]
async fn n2_clear_ends_an_arriving_file() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    app.delegate("clerk", "users:write").await;
    let mut clerk = Guest::signed_in(&app, "clerk").await;
    let own = token(&mut root).await;
    let actor = Actor::User(find(&app, "root").await.unwrap().id);
    let mut arriving = upload::begin(&app.app, actor).await.unwrap();
    arriving.write(ANN.as_bytes()).unwrap();
    sent(&mut root, &own, "jsonl", EVE).await.expect(409);
    clerk.submit(PAGE, CLEAR, &[]).await.expect(403);
    let other = [("digest", "of a file that is gone")];
    root.submit(PAGE, CLEAR, &other).await.expect(412);
    arriving.write(b"\n").unwrap();

    root.submit(PAGE, CLEAR, &[]).await.expect(303);
    let conflict = |error: &Error| matches!(error, Error::Refused(Refusal::Conflict("import")));
    let cut = arriving.write(b"\n");
    assert!(cut.is_err_and(|error| conflict(&error)));
    sent(&mut root, &own, "jsonl", EVE).await.expect(303);
    let late = arriving.end("late.jsonl", Format::Jsonl).await;
    assert!(late.is_err_and(|error| conflict(&error)));
    let page = root.page(PAGE).await;
    assert!(page.contains("users&lt;b&gt;.jsonl"), "the later one stays");
}

#[tokio::test]
async fn n1_parts_that_nobody_asked_for_are_few_and_short() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    for (parts, length) in [(9, 1), (1, 16 * 1024 + 1)] {
        let part = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n{}\r\n",
            "x".repeat(length)
        );
        let request = app
            .post(PAGE)
            .header("content-type", "multipart/form-data; boundary=cut")
            .header("sec-fetch-site", "same-origin")
            .body(part.repeat(parts) + "--cut--\r\n");
        root.send(request).await.expect(413);
    }
}

#[tokio::test]
async fn a_file_of_an_old_page_or_of_another_site_or_none_is_refused() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let own = token(&mut root).await;
    let stale = sent(&mut root, "x", "jsonl", USERS).await;
    assert!(text(stale.expect(422).text()).contains("choose the file again"));
    let unknown = sent(&mut root, &own, "nonsense", USERS).await;
    assert!(unknown.expect(422).text().contains("id=\"format-wrong\""));
    let empty = sent(&mut root, &own, "jsonl", "").await;
    assert!(empty.expect(422).text().contains("id=\"file-wrong\""));
    let mut nobody = Guest::of(&app);
    sent(&mut nobody, &own, "jsonl", USERS).await.expect(303);
    let cut = app
        .post(PAGE)
        .header("cookie", root.cookie.as_deref().unwrap());
    let cut = cut
        .header("content-type", "multipart/form-data; boundary=cut")
        .body("--cut\r\n");
    cut.send().await.expect(400);
    assert!(root.page(PAGE).await.contains("enctype"), "nothing is here");
    // Another process would not know what a JSON file is, either.
    sent(&mut root, &own, "keycloak", "nonsense")
        .await
        .expect(303);
    root.submit(PAGE, START_FORM, &[]).await.expect(303);
    assert!(text(&ended(&mut root).await).contains("It stopped before the end."));
}
