//! The console's people: users, invitations, sessions, roles.

use super::{Guest, text};
use crate::app::TestApp;

#[tokio::test]
async fn a_page_is_for_who_is_signed_in_and_may_see_it() {
    let app = TestApp::start().await;
    let mut nobody = Guest::of(&app);
    let answer = nobody.get("/console").await;
    let to = answer.expect(303).header("location").unwrap();
    assert_eq!(to, "/sign-in?next=%2Fconsole");
    let mut ada = Guest::with_roles(&app, "ada", &["user"]).await;
    let answer = ada.get("/console").await;
    assert!(text(answer.expect(403).text()).contains("You may not see this"));
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    assert!(root.page("/console").await.contains("<h1>Overview</h1>"));
}
