//! Our own pages as a browser without a script has them: links, forms with what stands in them, a cookie.

mod account;
mod clients;
mod forms;
mod hosted;
mod import;
mod people;
mod security;
mod system;

use self::forms::Form;
use crate::app::TestApp;
use crate::client::{Answer, Request};
use crate::oauth::posted;
use crate::people::PASSWORD;

/// A browser with its cookie.
#[derive(Clone)]
pub struct Guest<'a> {
    app: &'a TestApp,
    pub cookie: Option<String>,
}

impl<'a> Guest<'a> {
    /// Nobody yet.
    pub fn of(app: &'a TestApp) -> Self {
        Self { app, cookie: None }
    }

    /// `NAME@example.com`, signed in at our own page.
    pub async fn signed_in(app: &'a TestApp, name: &str) -> Self {
        let mut guest = Self::of(app);
        let identifier = format!("{name}@example.com");
        let pairs = [("identifier", identifier.as_str()), ("password", PASSWORD)];
        let answer = guest.submit("/sign-in", "/sign-in", &pairs).await;
        answer.expect(303);
        assert!(guest.cookie.is_some(), "a cookie");
        guest
    }

    /// Somebody with these roles, signed in.
    pub async fn with_roles(app: &'a TestApp, name: &str, roles: &[&str]) -> Self {
        app.person(name, roles).await;
        Self::signed_in(app, name).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.app.get(path);
        self.send(request).await
    }

    /// A page that there is.
    #[track_caller]
    pub fn page<'b>(&'b mut self, path: &'b str) -> impl Future<Output = String> + 'b {
        let place = std::panic::Location::caller();
        async move {
            let answer = self.get(path).await;
            assert_eq!(answer.status, 200, "{place}: {path}: {}", answer.text());
            answer.text().to_owned()
        }
    }

    /// Sends these fields and no others.
    pub async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let request = posted(self.app, path, pairs).header("sec-fetch-site", "same-origin");
        self.send(request).await
    }

    /// Fills the form of a page that goes to `action` and sends it: what stands in it already goes along, save the fields
    /// of `pairs`.
    pub async fn submit(&mut self, page: &str, action: &str, pairs: &[(&str, &str)]) -> Answer {
        let shown = self.get(page).await;
        self.send_form(shown.text(), action, pairs).await
    }

    /// The same with a page that is there already.
    pub async fn send_form(&mut self, page: &str, action: &str, pairs: &[(&str, &str)]) -> Answer {
        let form = Form::to(page, action);
        let mut fields: Vec<(&str, &str)> = form.fields();
        fields.retain(|(name, _)| pairs.iter().all(|(other, _)| name != other));
        fields.extend(pairs);
        self.post(action, &fields).await
    }

    /// What the forms of this session carry.
    pub async fn form_token(&mut self) -> String {
        let page = self.page("/account").await;
        let form = Form::to(&page, "/sign-out");
        let fields = form.fields();
        let (_, token) = fields
            .iter()
            .find(|(name, _)| *name == "form_token")
            .unwrap();
        (*token).to_owned()
    }

    /// Goes where an answer leads, and returns the page that is there.
    pub async fn follow(&mut self, answer: &Answer) -> String {
        let to = answer.expect(303).header("location").expect("a place");
        self.page(to).await
    }

    async fn send(&mut self, request: Request) -> Answer {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let answer = request.send().await;
        for set in answer.all("set-cookie") {
            let (pair, rest) = set.split_once(';').unwrap();
            assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax"));
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        answer
    }
}

/// Where an answer leads to, without what was done.
#[track_caller]
pub fn place(answer: &Answer) -> String {
    let to = answer.expect(303).header("location").expect("a place");
    let path = to.split("done=").next().unwrap();
    path.trim_end_matches(['?', '&']).to_owned()
}

/// The text of a page without its markup.
pub fn text(page: &str) -> String {
    let mut text = String::new();
    for part in page.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
    }
    forms::unescaped(&text)
}
