//! The pages that links lead to, as a browser uses them.

use serde_json::json;

use super::Posted;
use crate::client::Answer;
use crate::people::{OTHER_PASSWORD, PASSWORD};

const PAGES: [&str; 4] = [
    "/verify-email",
    "/confirm-email",
    "/reset-password",
    "/invitation",
];

/// Sends a form as a browser does, from a page that says nothing of where it is.
async fn send(posted: &Posted, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    let request = posted
        .app
        .post(path)
        .header("content-type", "application/x-www-form-urlencoded");
    let request = request
        .header("sec-fetch-site", "same-origin")
        .header("origin", "null");
    request.body(form.finish()).send().await
}

fn path_of(link: &str) -> String {
    let rest = link.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

#[tokio::test]
async fn a_password_is_chosen_on_the_page_of_the_link() {
    let posted = Posted::with(&[("registration.verification", "off")]).await;
    posted.app.register("ada").await;
    posted.forgot("ada@example.com").await.expect(202);
    let mail = posted.one().await;
    let path = path_of(&mail.link());
    // E2: programs that look through mail open links; that uses nothing up.
    for _ in 0..3 {
        let page = posted.app.get(&path).send().await;
        assert_eq!(
            page.expect(200).header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(
            page.text()
                .contains(&format!("name=\"token\" value=\"{}\"", mail.token()))
        );
        assert!(page.text().contains("action=\"&#x2f;reset-password\""));
    }
    let token = mail.token();
    let short = send(
        &posted,
        "/reset-password",
        &[("token", &token), ("password", "short")],
    )
    .await;
    assert!(
        short.expect(422).text().contains(&token),
        "it can be tried again"
    );
    let done = send(
        &posted,
        "/reset-password",
        &[("token", &token), ("password", OTHER_PASSWORD)],
    )
    .await;
    assert!(
        done.expect(200)
            .text()
            .contains("The new password is saved.")
    );
    let again = send(
        &posted,
        "/reset-password",
        &[("token", &token), ("password", OTHER_PASSWORD)],
    )
    .await;
    assert!(
        again.expect(400).text().contains("not valid any more") && !again.text().contains("<form")
    );
    posted.app.login_new_password().await;
}

#[tokio::test]
async fn an_address_is_confirmed_and_an_invitation_accepted_on_their_pages() {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    let token = posted.one().await.token();
    send(&posted, "/verify-email", &[("token", &token)])
        .await
        .expect(200);
    assert_eq!(
        posted.app.profile(&device.access).await.json()["emailVerified"],
        true
    );
    let body = json!({"email": "new@example.com", "password": PASSWORD});
    posted
        .app
        .post("/api/user/email")
        .bearer(&device.access)
        .json(&body)
        .send()
        .await
        .expect(202);
    let mails = posted.arrives().await;
    let mut texts = Vec::new();
    for mail in &mails {
        texts.push(
            send(&posted, "/confirm-email", &[("token", &mail.token())])
                .await
                .text()
                .to_owned(),
        );
    }
    assert!(
        texts[0].contains("as soon as the other address")
            && texts[1].contains("The address was changed.")
    );

    let admin = posted.app.admin().await;
    let inviting = posted
        .app
        .post("/api/admin/invitations")
        .bearer(&admin.access);
    inviting
        .json(&json!({"email": "bob@example.com"}))
        .send()
        .await
        .expect(201);
    let mails = posted.arrives().await;
    let mail = mails
        .iter()
        .find(|mail| mail.to == "bob@example.com")
        .unwrap();
    let fields = [("token", &*mail.token()), ("password", PASSWORD)];
    send(&posted, "/invitation", &fields).await.expect(200);
    posted.app.login("bob").await;
}

#[tokio::test]
async fn pages_are_in_six_languages_and_load_nothing_from_elsewhere() {
    let posted = Posted::start().await;
    let mut titles = std::collections::BTreeSet::new();
    for path in PAGES {
        for language in ["en", "de", "fr", "es", "pl", "zh"] {
            let request = posted
                .app
                .get(&format!("{path}?token=sbl_x"))
                .header("accept-language", language);
            let page = request.send().await;
            let text = page.expect(200).text();
            assert!(text.contains(&format!("<html lang=\"{language}\" ")));
            let links = text
                .split("src=\"")
                .skip(1)
                .chain(text.split("href=\"").skip(1));
            for link in links {
                assert!(
                    link.starts_with('/') || link.starts_with("&#x2f;"),
                    "{link}"
                );
            }
            assert!(!text.contains("<script>") && !text.contains("<style"));
            let start = text.find("<h1>").unwrap();
            titles.insert(text[start..].split("</h1>").next().unwrap().to_owned());
            let policy = page.header("content-security-policy").unwrap();
            assert!(
                policy.contains("form-action 'self'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!(page.header("cache-control"), Some("no-store"));
        }
    }
    assert_eq!(titles.len(), 24);
}

#[tokio::test]
async fn what_is_no_form_of_ours_is_refused() {
    let posted = Posted::start().await;
    for path in PAGES {
        let bad = posted
            .app
            .get(&format!("{path}?token=%22%3E%3Cscript%3E"))
            .send()
            .await;
        assert!(!bad.expect(200).text().contains("<script>"));
        assert!(!bad.text().contains("name=\"token\""));
        posted
            .app
            .get(&format!("{path}?token=a&token=b"))
            .send()
            .await
            .problem(400, "malformed_request");
        let json = posted
            .app
            .post(path)
            .json(&json!({"token": "x"}))
            .send()
            .await;
        json.problem(415, "unsupported_media_type");
        let foreign = posted
            .app
            .post(path)
            .header("content-type", "application/x-www-form-urlencoded");
        let foreign = foreign
            .header("sec-fetch-site", "cross-site")
            .header("origin", "null")
            .body("token=x");
        foreign.send().await.problem(403, "csrf_rejected");
        let twice = send(&posted, path, &[("token", "a"), ("token", "b")]).await;
        twice.problem(400, "malformed_request");
        let unknown = send(&posted, path, &[("token", "sbl_x"), ("password", PASSWORD)]).await;
        assert!(unknown.expect(400).text().contains("not valid any more"));
        posted
            .app
            .delete(path)
            .send()
            .await
            .problem(405, "method_not_allowed");
    }
}
