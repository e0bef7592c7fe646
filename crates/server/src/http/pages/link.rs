//! The pages behind the links in mails: a text, and a form where there is a token for it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use minijinja::{Value, context};

use super::super::problem::Failure;
use super::frame::{Forms, Frame};
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

    /// The words that it has of its own.
    const fn section(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Invitation => "invitation",
        }
    }
}

impl Told {
    /// The word that says it.
    fn word(self, page: Page) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Done => format!("{}.done", page.section()),
            Self::Waiting => format!("{}.waiting", page.section()),
            Self::Invalid => "link.invalid".to_owned(),
            Self::BadPassword => "link.bad_password".to_owned(),
            Self::BadEmail => "link.bad_email".to_owned(),
            Self::Busy => "link.busy".to_owned(),
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn of(page: Page, told: Told, token: Option<&'a str>) -> Self {
        Self { page, told, token }
    }

    pub(super) fn response(&self, app: &App, origin: &Origin, status: StatusCode) -> Response {
        let frame = match Frame::of(app, origin.locale) {
            Ok(frame) => frame,
            Err(error) => return Failure(error).into_response(),
        };
        let least = app.settings().password.min_length;
        frame.respond(status, "link.html", self.facts(&frame, least), Forms::Stay)
    }

    fn facts(&self, frame: &Frame<'_>, least: usize) -> Value {
        let good = matches!(self.told, Told::Done | Told::Waiting);
        let signs_in = self.told == Told::Done && self.page != Page::Confirm;
        context! {
            words => self.page.section(),
            told => self.told.word(self.page),
            mood => if good { "good" } else { "bad" },
            form => self.token.is_some(),
            action => frame.path(self.page.path()),
            token => self.token,
            asks_password => matches!(self.page, Page::Reset | Page::Invitation),
            least => least,
            signs_in,
        }
    }
}
