//! `/console/mail`: what mails say, how they look, whether they go out, and what waits.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_FRAME_OPTIONS};
use minijinja::{Value, context};
use symbolon_domain::Refusal;
use symbolon_domain::mail::{Locale, MailKind};

use super::super::super::api::admin::permitted::StatsRead;
use super::Permitted;
use crate::app::App;
use crate::flows::Error;
use crate::flows::outbox::{self, MailRow};
use crate::mail::Page;
use crate::rfc3339::text as rfc3339;

/// What a test is called among the kinds of mail.
const TEST: &str = "test";
/// Mails of each state that are shown.
const MOST: u32 = 100;
/// A mail is shown in a frame of our own page and can do nothing there: no script, no form, no link, nothing loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; \
                      frame-ancestors 'self'; sandbox";

pub(super) async fn show(State(app): State<Arc<App>>, permitted: Permitted<StatsRead>) -> Response {
    page(&app, &permitted, ()).await
}

pub(super) async fn test(State(app): State<Arc<App>>, permitted: Permitted<StatsRead>) -> Response {
    let email = &permitted.seated.browser.user.email;
    match outbox::test_own(&app, email, permitted.seated.origin()).await {
        Ok(answer) => {
            let is_good = answer.is_ok();
            let said = answer.unwrap_or_else(|said| said);
            let facts = context! { is_good, said, email => email.as_str() };
            page(&app, &permitted, facts).await
        }
        Err(error) => permitted.seated.failed(error),
    }
}

async fn page(app: &App, permitted: &Permitted<StatsRead>, answer: impl Into<Value>) -> Response {
    let waiting = match outbox::list(app, MOST).await {
        Ok(waiting) => waiting,
        Err(error) => return permitted.seated.failed(error),
    };
    let kinds = MailKind::ALL.iter().map(|kind| kind.as_str());
    let facts = context! {
        kinds => kinds.chain([TEST]).collect::<Vec<_>>(),
        locales => locales(app),
        way => app.mail.way(),
        waiting => waiting.iter().map(row).collect::<Vec<_>>(),
        most => MOST,
        answer => answer.into(),
    };
    permitted.show("mail", "console/mail.html", facts)
}

fn locales(app: &App) -> Vec<&'static str> {
    app.mail.locales().map(Locale::as_str).collect()
}

fn row(row: &MailRow) -> Value {
    context! {
        kind => row.mail.kind.as_str(),
        to => row.mail.recipient.as_str(),
        state => row.state.as_str(),
        attempts => row.attempts,
        created => rfc3339(row.mail.created_at),
        due => rfc3339(row.due_at),
        error => &row.error,
    }
}

/// What a path names: a kind of mail, none for a test, and a language.
fn named(app: &App, kind: &str, lang: &str) -> Result<(Option<MailKind>, Locale), Refusal> {
    let locale = app.mail.locales().find(|locale| locale.as_str() == lang);
    let kind = match kind {
        TEST => None,
        kind => Some(kind.parse().map_err(|_| Refusal::NotFound)?),
    };
    Ok((kind, locale.ok_or(Refusal::NotFound)?))
}

/// The mail of this name in this language, with examples in it.
fn written(app: &App, kind: &str, lang: &str) -> Result<Page, Error> {
    let (kind, locale) = named(app, kind, lang)?;
    outbox::preview(app, kind, locale)
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path((kind, lang)): Path<(String, String)>,
    permitted: Permitted<StatsRead>,
) -> Response {
    match written(&app, &kind, &lang) {
        Ok(mail) => {
            let folder = app.config.mail.templates.as_ref();
            let facts = context! {
                kind,
                in_lang => lang,
                locales => locales(&app),
                subject => mail.subject,
                text => mail.text,
                folder => folder.map(|folder| folder.display().to_string()),
            };
            permitted.show("mail", "console/mail-kind.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}

/// The mail itself, for a frame.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Path((kind, lang)): Path<(String, String)>,
    permitted: Permitted<StatsRead>,
) -> Response {
    match written(&app, &kind, &lang) {
        Ok(mail) => {
            let fixed = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CONTENT_SECURITY_POLICY, POLICY),
                (X_FRAME_OPTIONS, "SAMEORIGIN"),
            ];
            let fixed = fixed.map(|(name, value)| (name, HeaderValue::from_static(value)));
            (fixed, mail.html).into_response()
        }
        Err(error) => permitted.seated.failed(error),
    }
}
