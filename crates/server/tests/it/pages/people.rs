//! The console's people: users, invitations, sessions, roles, each by HTTP as a browser without a script has it.

mod invitations;
mod refused;
mod roles;
mod sessions;
mod users;

use super::Guest;
use crate::app::TestApp;

/// The console's administrator.
async fn root(app: &TestApp) -> Guest<'_> {
    Guest::with_roles(app, "root", &["admin"]).await
}

/// The path of somebody's page.
async fn page_of(app: &TestApp, name: &str) -> String {
    let user = symbolon::flows::users::find(&app.app, &format!("{name}@example.com")).await;
    format!("/console/users/{}", user.unwrap().id)
}

/// Names that would do harm where they were taken for markup, for a formula, or for the direction of other text.
const HOSTILE: [&str; 3] = [
    "\"><script>alert(1)</script>",
    "=HYPERLINK(\"https://evil.example\")",
    "{{ 7 * 7 }}{% if",
];
