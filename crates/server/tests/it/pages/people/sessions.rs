//! `/console/sessions`

use serde_json::json;

use super::super::forms::unescaped;
use super::super::text;
use super::{HOSTILE, root};
use crate::app::TestApp;

#[tokio::test]
async fn sessions_are_listed_found_ended_and_saved() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    app.register("ada").await;
    let ada = app.login_with("ada", &json!({"device": HOSTILE[0]})).await;
    let page = root.page("/console/sessions").await;
    assert!(page.contains("ada@example.com") && !page.contains("<script>alert"));
    assert!(text(&page).contains(HOSTILE[0]) && text(&page).contains("this one"));
    for of in ["ada@example.com", &ada.user] {
        let page = root.page(&format!("/console/sessions?user={of}")).await;
        assert!(
            page.contains(&ada.sid) && !page.contains("this one"),
            "{of}"
        );
    }
    let page = root.page("/console/sessions?user=nobody").await;
    assert!(text(&page).contains("No session is like that"));
    let action = format!("/console/sessions/{}/end", ada.sid);
    for _ in 0..2 {
        let page = root.page("/console/sessions?state=all").await;
        if unescaped(&page).contains(&action) {
            let answer = root.send_form(&page, &action, &[]).await;
            assert!(text(&root.follow(&answer).await).contains("The session has ended."));
        }
    }
    app.assert_signed_out(&ada).await;
    assert!(!root.page("/console/sessions").await.contains(&ada.sid));
    let page = root.page("/console/sessions?state=all").await;
    assert!(page.contains(&ada.sid) && text(&page).contains("ended by an administrator"));
    let csv = root.page("/console/sessions/export.csv?state=all").await;
    assert!(csv.contains(&ada.sid) && csv.contains(",ended,"), "{csv}");
    let live = root.get("/console/sessions/export.json").await.json();
    assert_eq!(live.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_may_not_see_users_sees_ids() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    app.delegate("watch", "sessions:read").await;
    let mut watch = super::super::Guest::signed_in(&app, "watch").await;
    let page = watch.page("/console/sessions").await;
    assert!(page.contains(&ada.user) && !page.contains("ada@example.com"));
    assert!(
        !unescaped(&page).contains("/end\""),
        "nothing to end for who may only look"
    );
}
