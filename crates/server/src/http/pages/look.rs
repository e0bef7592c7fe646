//! How the pages look, in each language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Deserialize;
use symbolon_domain::mail::Locale;

use super::super::problem::Failure;
use crate::app::App;
use crate::flows::{Error, Origin};

const PAGE: &str = include_str!("../../../assets/pages/page.html");
const STYLE: &str = include_str!("../../../assets/pages/page.css");
const TEXTS: [(Locale, &str); 5] = [
    (Locale::En, include_str!("../../../assets/pages/en.toml")),
    (Locale::De, include_str!("../../../assets/pages/de.toml")),
    (Locale::Fr, include_str!("../../../assets/pages/fr.toml")),
    (Locale::Es, include_str!("../../../assets/pages/es.toml")),
    (Locale::Pl, include_str!("../../../assets/pages/pl.toml")),
];

/// Texts and templates, read when the first page is shown: a server that shows none does without.
static LOOK: LazyLock<Option<Look>> = LazyLock::new(Look::load);

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    title: String,
    text: String,
    button: String,
    done: String,
    waiting: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    password_label: String,
    password_hint: String,
    invalid: String,
    bad_password: String,
    bad_email: String,
    busy: String,
    verify: Words,
    confirm: Words,
    reset: Words,
    invitation: Words,
}

struct Look {
    environment: Environment<'static>,
    languages: BTreeMap<Locale, Language>,
    policy: HeaderValue,
}

impl Look {
    fn load() -> Option<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template("page.html", PAGE).ok()?;
        let languages = TEXTS
            .into_iter()
            .map(|(locale, text)| Some((locale, toml::from_str(text).ok()?)));
        let hash = base64_simd::STANDARD.encode_to_string(digest(&SHA256, STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        Some(Self {
            environment,
            languages: languages.collect::<Option<_>>()?,
            policy: HeaderValue::try_from(policy).ok()?,
        })
    }
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
        let rendered = LOOK.as_ref().and_then(|look| {
            let text = self.render(look, app, origin.locale)?;
            Some((text, look.policy.clone()))
        });
        let Some((text, policy)) = rendered else {
            return Failure(Error::Fault {
                context: "rendering a page",
                source: "its template or its words are broken".into(),
            })
            .into_response();
        };
        let mut response = Response::new(text.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        response
    }

    fn render(&self, look: &Look, app: &App, locale: Locale) -> Option<String> {
        let language = look.languages.get(&locale)?;
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
        let issuer = &app.issuance().ok()?.issuer;
        let (_, place) = issuer.split_once("://")?;
        let (service, base) = place.split_once('/').unwrap_or((place, ""));
        let slash = if base.is_empty() { "" } else { "/" };
        let least = context! { least => app.settings().password.min_length };
        let hint = look
            .environment
            .render_named_str("hint.txt", &language.password_hint, least);
        let good = matches!(self.told, Told::Done | Told::Waiting);
        let facts = context! {
            lang => locale.as_str(),
            style => Value::from_safe_string(STYLE.to_owned()),
            service => service,
            title => &words.title,
            told => told,
            mood => if good { "good" } else { "bad" },
            form => self.token.is_some(),
            text => &words.text,
            action => format!("{slash}{base}{}", self.page.path()),
            token => self.token,
            asks_password => matches!(self.page, Page::Reset | Page::Invitation),
            password_label => &language.password_label,
            password_hint => hint.ok()?,
            least => app.settings().password.min_length,
            button => &words.button,
        };
        look.environment
            .get_template("page.html")
            .ok()?
            .render(facts)
            .ok()
    }
}
