//! `/console/roles` and one role.

use symbolon_domain::RoleName;

use super::super::forms::unescaped;
use super::super::{place, text};
use super::{HOSTILE, page_of, root};
use crate::app::TestApp;

#[tokio::test]
async fn a_role_is_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let new = "/console/roles/new";
    let pairs = [
        ("name", "Bad Name"),
        ("description", HOSTILE[0]),
        ("more", "orders:read, orders"),
    ];
    let answer = root.submit(new, new, &pairs).await;
    let page = answer.expect(422).text().to_owned();
    assert!(page.contains("id=\"name-wrong\"") && page.contains("value=\"Bad Name\""));
    let pairs = [
        ("name", "new"),
        ("description", HOSTILE[0]),
        ("permissions", "users:read"),
        ("more", "orders:read, orders:write"),
        ("includes", "user"),
    ];
    let answer = root.send_form(&page, new, &pairs).await;
    let path = place(&answer);
    assert_eq!(path, "/console/role/new");
    let page = root.follow(&answer).await;
    assert!(page.contains("value=\"orders:write\" checked") && !page.contains("<script>alert"));
    assert!(text(&page).contains("No user has it."));
    let answer = root
        .send_form(&page, &path, &[("permissions", "users:read")])
        .await;
    let after = root.follow(&answer).await;
    assert!(!after.contains("value=\"orders:write\"") && after.contains("value=\"user\" checked"));
    // As it was before that.
    let answer = root.send_form(&page, &path, &[("description", "x")]).await;
    let told = answer.expect(412).text().to_owned();
    assert!(text(&told).contains("Somebody else has changed this meanwhile"));
    let answer = root
        .submit(&path, &path, &[("permissions", "orders:")])
        .await;
    assert!(
        answer
            .expect(422)
            .text()
            .contains("id=\"permissions-wrong\"")
    );
    app.person("ada", &["new"]).await;
    let page = root.page(&path).await;
    let ada = page_of(&app, "ada").await;
    assert!(page.contains("ada@example.com"), "{ada} has it");
    let delete = format!("{path}/delete");
    let answer = root.submit(&path, &delete, &[]).await;
    assert!(text(answer.expect(409).text()).contains("The role is in use"));
    root.submit(&ada, &format!("{ada}/roles"), &[("roles", "user")])
        .await
        .expect(303);
    let answer = root.submit(&path, &delete, &[]).await;
    assert!(!unescaped(&root.follow(&answer).await).contains("/console/role/new\""));
    let book = app.app.role_book().await.unwrap();
    assert!(book.find(&RoleName::parse("new").unwrap()).is_none());
}

#[tokio::test]
async fn what_came_with_the_program_stays() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let page = root.page("/console/role/admin").await;
    assert!(text(&page).contains("came with the program") && !page.contains("name=\"version\""));
    let token = root.form_token().await;
    for path in ["/console/role/admin", "/console/role/admin/delete"] {
        let answer = root.post(path, &[("form_token", &token)]).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(root.get("/console/role/nobody").await.status, 404);
    let csv = root.page("/console/roles/export.csv").await;
    assert!(csv.starts_with("name,description,permissions,"), "{csv}");
    assert!(csv.contains("\nadmin,"), "{csv}");
    let json = root.get("/console/roles/export.json").await.json();
    assert_eq!(json.as_array().unwrap().len(), 2);
}
