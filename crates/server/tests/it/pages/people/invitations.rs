//! `/console/invitations`

use super::super::text;
use super::root;
use crate::app::TestApp;

#[tokio::test]
async fn an_invitation_waits_until_it_is_withdrawn() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let page = root.page("/console/invitations").await;
    assert!(text(&page).contains("Nobody is waiting to join"));
    let pairs = [
        ("how", "invite"),
        ("email", "cy@example.com"),
        ("name", "=1+1"),
    ];
    let new = "/console/users/new";
    root.submit(new, new, &pairs).await.expect(303);
    let page = root.page("/console/invitations").await;
    assert!(page.contains("cy@example.com") && page.contains("root@example.com"));
    let csv = root.page("/console/invitations/export.csv").await;
    assert!(csv.contains(",cy@example.com,'=1+1,user,"), "{csv}");
    let json = root.get("/console/invitations/export.json").await.json();
    let id = json[0]["id"].as_str().unwrap();
    let action = format!("/console/invitations/{id}/withdraw");
    let answer = root.send_form(&page, &action, &[]).await;
    let page_after = root.follow(&answer).await;
    assert!(text(&page_after).contains("The invitation is withdrawn."));
    assert!(text(&page_after).contains("Nobody is waiting to join"));
    // Withdrawn twice is withdrawn.
    root.send_form(&page, &action, &[]).await.expect(303);
    let answer = root
        .submit(
            new,
            new,
            &[("how", "invite"), ("email", "root@example.com")],
        )
        .await;
    assert!(answer.expect(409).text().contains("id=\"email-wrong\""));
}
