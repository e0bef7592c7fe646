//! How pages look: one frame and one style sheet around the words of each language.

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
use crate::flows::Error;

const STYLE: &str = include_str!("../../../assets/pages/page.css");
/// For pages whose forms end at our own pages.
pub(super) const OWN_FORMS: &str = "form-action 'self'; ";
const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("../../../assets/pages/page.html")),
    ("link.html", include_str!("../../../assets/pages/link.html")),
    (
        "sign-in.html",
        include_str!("../../../assets/pages/sign-in.html"),
    ),
    (
        "consent.html",
        include_str!("../../../assets/pages/consent.html"),
    ),
    (
        "device-code.html",
        include_str!("../../../assets/pages/device-code.html"),
    ),
    (
        "sign-out.html",
        include_str!("../../../assets/pages/sign-out.html"),
    ),
    (
        "outcome.html",
        include_str!("../../../assets/pages/outcome.html"),
    ),
    (
        "form-post.html",
        include_str!("../../../assets/pages/form-post.html"),
    ),
];
const TEXTS: [(Locale, &str); 5] = [
    (Locale::En, include_str!("../../../assets/pages/en.toml")),
    (Locale::De, include_str!("../../../assets/pages/de.toml")),
    (Locale::Fr, include_str!("../../../assets/pages/fr.toml")),
    (Locale::Es, include_str!("../../../assets/pages/es.toml")),
    (Locale::Pl, include_str!("../../../assets/pages/pl.toml")),
];

/// Texts and templates, read when the first page is shown: a server that shows none does without.
static LOOK: LazyLock<Option<Look>> = LazyLock::new(Look::load);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) button: String,
    pub(super) done: String,
    pub(super) waiting: Option<String>,
}

/// What a file of words holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    pub(super) password_label: String,
    pub(super) password_hint: String,
    pub(super) invalid: String,
    pub(super) bad_password: String,
    pub(super) bad_email: String,
    pub(super) busy: String,
    pub(super) verify: Words,
    pub(super) confirm: Words,
    pub(super) reset: Words,
    pub(super) invitation: Words,
    /// The words of each screen. Each is a template of its own, in which the facts stand.
    screens: BTreeMap<String, BTreeMap<String, String>>,
}

pub(super) struct Look {
    environment: Environment<'static>,
    languages: BTreeMap<Locale, Language>,
    /// The source of the style sheet in a content security policy.
    style: String,
}

/// Where a page is shown, and to whom.
pub(super) struct Frame<'a> {
    pub(super) locale: Locale,
    /// The host that people see at the top.
    pub(super) service: &'a str,
    /// What stands before the path of every form: empty, or a slash and the path of the issuer.
    pub(super) base: &'a str,
}

/// What a frame holds.
pub(super) struct Sheet {
    /// Without markup.
    pub(super) title: String,
    /// The markup of the page's own part.
    pub(super) body: String,
    /// The one script, if the page has one.
    pub(super) script: Option<&'static str>,
    /// What the content security policy says of forms: [`OWN_FORMS`] or nothing.
    pub(super) forms: &'static str,
}

impl<'a> Frame<'a> {
    pub(super) fn of(app: &'a App, locale: Locale) -> Option<Self> {
        Self::at(&app.issuance().ok()?.issuer, locale)
    }

    pub(super) fn at(issuer: &'a str, locale: Locale) -> Option<Self> {
        let (_, place) = issuer.split_once("://")?;
        let slash = place.find('/').unwrap_or(place.len());
        let (service, base) = place.split_at_checked(slash)?;
        Some(Self {
            locale,
            service,
            base,
        })
    }
}

/// Renders a page and says how browsers are to treat it; a page that cannot be rendered is a fault.
pub(super) fn respond(
    status: StatusCode,
    render: impl FnOnce(&Look) -> Option<(String, HeaderValue)>,
) -> Response {
    let Some((text, policy)) = LOOK.as_ref().and_then(render) else {
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

impl Look {
    #[cfg(test)]
    pub(super) fn known() -> &'static Self {
        LOOK.as_ref().unwrap()
    }

    fn load() -> Option<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).ok()?;
        }
        let mut languages = BTreeMap::new();
        for (locale, text) in TEXTS {
            let language: Language = toml::from_str(text).ok()?;
            for (section, words) in &language.screens {
                for (word, text) in words {
                    let name = word_name(locale, section, word);
                    environment.add_template_owned(name, text.clone()).ok()?;
                }
            }
            languages.insert(locale, language);
        }
        Some(Self {
            environment,
            languages,
            style: source(STYLE),
        })
    }

    pub(super) fn language(&self, locale: Locale) -> Option<&Language> {
        self.languages.get(&locale)
    }

    /// The words of a screen with the facts in them, which are escaped.
    pub(super) fn words(
        &self,
        locale: Locale,
        section: &str,
        facts: &Value,
    ) -> Option<BTreeMap<String, Value>> {
        let words = self.languages.get(&locale)?.screens.get(section)?;
        let rendered = words.keys().map(|word| {
            let name = word_name(locale, section, word);
            let text = self.environment.get_template(&name).ok()?.render(facts);
            Some((word.clone(), Value::from_safe_string(text.ok()?)))
        });
        rendered.collect()
    }

    /// A template with the facts in it.
    pub(super) fn fill(&self, template: &str, facts: Value) -> Option<String> {
        let template = self.environment.get_template(template).ok()?;
        template.render(facts).ok()
    }

    /// A text that is a template of its own, not as markup.
    pub(super) fn plain(&self, text: &str, facts: Value) -> Option<String> {
        self.environment
            .render_named_str("plain.txt", text, facts)
            .ok()
    }

    /// The page and its content security policy.
    pub(super) fn page(&self, frame: &Frame<'_>, sheet: &Sheet) -> Option<(String, HeaderValue)> {
        let facts = context! {
            lang => frame.locale.as_str(),
            service => frame.service,
            title => &sheet.title,
            style => Value::from_safe_string(STYLE.to_owned()),
            body => Value::from_safe_string(sheet.body.clone()),
            script => sheet.script.map(|script| Value::from_safe_string(script.to_owned())),
        };
        let text = self.fill("page.html", facts)?;
        let script = sheet
            .script
            .map(|script| format!(" script-src {};", source(script)));
        let policy = format!(
            "default-src 'none'; style-src {};{} {}frame-ancestors 'none'; base-uri 'none'",
            self.style,
            script.unwrap_or_default(),
            sheet.forms,
        );
        Some((text, HeaderValue::try_from(policy).ok()?))
    }
}

fn word_name(locale: Locale, section: &str, word: &str) -> String {
    format!("{locale}/{section}/{word}.html")
}

/// What stands in an element, as a source of a content security policy (CSP Level 3 section 2.3.1).
fn source(text: &str) -> String {
    let hash = base64_simd::STANDARD.encode_to_string(digest(&SHA256, text.as_bytes()));
    format!("'sha256-{hash}'")
}
