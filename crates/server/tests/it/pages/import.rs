//! Import of a file that is sent.

use symbolon::clock::Clock;
use symbolon_domain::audit::AuditKind;

use super::forms::Form;
use super::{Guest, place, text};
use crate::app::{Folder, START, TestApp};
use crate::client::Answer;

const PAGE: &str = "/console/import";
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
    root.submit(PAGE, "/console/import/start", &[])
        .await
        .expect(303);
    let tried = ended(&mut root).await;
    assert!(
        text(&tried).contains("nothing is written yet") && tried.contains("Import 1 users"),
        "{}",
        text(&tried)
    );
    app.get("/healthz").send().await.expect(200);
    let bob = || symbolon::flows::users::find(&app.app, "bob@example.com");
    assert!(bob().await.is_err(), "a try writes nothing");
    let csv = root.page("/console/import/export.csv").await;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    root.send_form(&tried, "/console/import/start", &[])
        .await
        .expect(303);
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
    root.submit(PAGE, "/console/import/clear", &[])
        .await
        .expect(303);
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
    let refused = clerk.submit(PAGE, "/console/import/start", &wanted).await;
    refused.expect(403);
    // The import cannot be begun without a try either.
    let answer = clerk
        .post("/console/import/start", &[("form_token", &own)])
        .await;
    answer.expect(404);
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
    root.submit(PAGE, "/console/import/start", &[])
        .await
        .expect(303);
    assert!(text(&ended(&mut root).await).contains("It stopped before the end."));
}
