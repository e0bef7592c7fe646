//! The pages behind the links in mails: a text, and a form where there is a token for it.

use axum::response::Response;
use http::StatusCode;
use minijinja::context;

use super::look::{Frame, Look, OWN_FORMS, Sheet, respond};
use crate::app::App;
use crate::flows::Origin;

/// A page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Verify,
    Confirm,
    Reset,
    Invitation,
}

/// What the page says of what was done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Done,
    Waiting,
    Invalid,
    BadPassword,
    BadEmail,
    Busy,
}

/// A page with what it says. The form is shown where there is a token for it.
pub(super) struct View<'a> {
    page: Page,
    told: Told,
    token: Option<&'a str>,
}

impl Page {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/verify-email",
            Self::Confirm => "/confirm-email",
            Self::Reset => "/reset-password",
            Self::Invitation => "/invitation",
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn of(page: Page, told: Told, token: Option<&'a str>) -> Self {
        Self { page, told, token }
    }

    pub(super) fn response(&self, app: &App, origin: &Origin, status: StatusCode) -> Response {
        respond(status, |look| {
            let frame = Frame::of(app, origin.locale)?;
            let sheet = self.sheet(look, &frame, app.settings().password.min_length)?;
            look.page(&frame, &sheet)
        })
    }

    fn sheet(&self, look: &Look, frame: &Frame<'_>, least: usize) -> Option<Sheet> {
        let language = look.language(frame.locale)?;
        let words = match self.page {
            Page::Verify => &language.verify,
            Page::Confirm => &language.confirm,
            Page::Reset => &language.reset,
            Page::Invitation => &language.invitation,
        };
        let told = match self.told {
            Told::Nothing => None,
            Told::Done => Some(&words.done),
            Told::Waiting => words.waiting.as_ref(),
            Told::Invalid => Some(&language.invalid),
            Told::BadPassword => Some(&language.bad_password),
            Told::BadEmail => Some(&language.bad_email),
            Told::Busy => Some(&language.busy),
        };
        let good = matches!(self.told, Told::Done | Told::Waiting);
        let facts = context! {
            title => &words.title,
            told => told,
            mood => if good { "good" } else { "bad" },
            form => self.token.is_some(),
            text => &words.text,
            action => format!("{}{}", frame.base, self.page.path()),
            token => self.token,
            asks_password => matches!(self.page, Page::Reset | Page::Invitation),
            password_label => &language.password_label,
            password_hint => look.plain(&language.password_hint, context! { least })?,
            least => least,
            button => &words.button,
        };
        Some(Sheet {
            title: words.title.clone(),
            body: look.fill("link.html", facts)?,
            script: None,
            forms: OWN_FORMS,
        })
    }
}
