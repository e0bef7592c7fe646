//! What stands around every page: the service's name and look, the language, and how browsers are to treat it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use minijinja::{Value, context};
use symbolon_domain::Refusal;
use symbolon_domain::mail::Locale;

use super::super::problem::{Failure, OnAPage};
use crate::app::App;
use crate::flows::Error;
use crate::pages::{Pages, PagesError};

/// The languages as each calls itself.
const LANGUAGES: [(&str, &str); 6] = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("pl", "Polski"),
    ("zh", "中文"),
];

/// Whether the forms of a page may end at another site.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Forms {
    /// They end at our own pages.
    Stay,
    /// They may end at a redirect URI, or at another provider. Browsers ask `form-action` at every redirect that follows
    /// a form, those of the application as well: a policy that named the redirect URI would stop an application that
    /// goes on to another origin or into an app from there.
    Leave,
}

/// Where a page is shown, and to whom.
pub(in crate::http) struct Frame<'a> {
    pub(in crate::http) locale: Locale,
    /// What people see at the top: the name that the owner gave the service, or its host.
    pub(in crate::http) service: &'a str,
    /// What stands before the path of every link and form: empty, or a slash and the path of the issuer.
    pub(in crate::http) base: &'a str,
    pages: &'a Pages,
}

impl<'a> Frame<'a> {
    /// # Errors
    /// A fault where the keys are not open yet.
    pub(in crate::http) fn of(app: &'a App, locale: Locale) -> Result<Self, Error> {
        Ok(Self::at(&app.pages, &app.issuance()?.issuer, locale))
    }

    pub(super) fn at(pages: &'a Pages, issuer: &'a str, locale: Locale) -> Self {
        let (_, place) = issuer.split_once("://").unwrap_or(("", issuer));
        let slash = place.find('/').unwrap_or(place.len());
        let (host, base) = place.split_at_checked(slash).unwrap_or((place, ""));
        let name = pages.brand().and_then(|brand| brand.name.as_deref());
        Self {
            locale,
            service: name.unwrap_or(host),
            base,
            pages,
        }
    }

    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What went wrong, by its code: in the language of the page where that knows it, else `detail`.
    pub(in crate::http) fn fault(&self, code: &str, detail: &str) -> Value {
        let name = format!("faults.{code}");
        let said = self.pages.word(self.locale, &name, context! { detail });
        said.unwrap_or_else(|_| detail.into())
    }

    /// A word.
    ///
    /// # Errors
    /// A fault where there is none of this name.
    pub(in crate::http) fn word(&self, name: &str, facts: Value) -> Result<Value, Error> {
        let word = self.pages.word(self.locale, name, facts);
        word.map_err(|error| Error::fault("a word of a page")(error.into()))
    }

    /// Whether there is such a word.
    pub(super) fn has_word(&self, section: &str, name: &str) -> bool {
        self.pages.has_word(&format!("{section}.{name}"))
    }

    /// What every template may use.
    pub(super) fn facts(&self) -> Value {
        let brand = self.pages.brand();
        let languages = LANGUAGES.map(|(code, name)| context! { code, name });
        context! {
            lang => self.locale.as_str(),
            // For languages that are to come.
            dir => "ltr",
            service => self.service,
            base => Value::from_safe_string(self.base.to_owned()),
            brand => context! {
                logo => brand.is_some_and(|brand| brand.logo.is_some()),
                coloured => brand.is_some_and(|brand| brand.colour.is_some()),
                styled => brand.is_some_and(|brand| brand.style.is_some()),
            },
            languages => languages.to_vec(),
            here => "",
            wide => false,
        }
    }

    /// The words of a section with the facts in them, which are escaped.
    pub(super) fn words(&self, section: &str, facts: &Value) -> Result<Value, PagesError> {
        let words = self.pages.section(self.locale, section, facts)?;
        Ok(Value::from(words))
    }

    /// The page, with its content security policy. Of two facts that have a name, those of the page count.
    pub(super) fn page(
        &self,
        template: &str,
        facts: Value,
        forms: Forms,
    ) -> Result<(String, HeaderValue), PagesError> {
        let text = self
            .pages
            .render(template, context! { ..facts, ..self.facts() })?;
        Ok((text, HeaderValue::from_static(policy(forms))))
    }

    /// The same as an answer; a page that cannot be rendered is a fault.
    pub(super) fn respond(
        &self,
        status: StatusCode,
        template: &str,
        facts: Value,
        forms: Forms,
    ) -> Response {
        answer(status, self.page(template, facts, forms))
    }
}

/// No inline script or style, nothing from elsewhere, no frame around it (SECURITY rows C10, C11).
const fn policy(forms: Forms) -> &'static str {
    match forms {
        Forms::Stay => {
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        }
        Forms::Leave => {
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        }
    }
}

/// A page in the place of a refusal's body: status, log and `Retry-After` are those of every other answer.
pub(super) fn refusing(refusal: &Refusal, page: impl FnOnce(StatusCode) -> Response) -> Response {
    let refused = Failure::from(refusal.clone()).into_response();
    let mut page = page(refused.status());
    *page.extensions_mut() = refused.extensions().clone();
    page.extensions_mut().insert(OnAPage);
    page
}

/// A page as an answer.
pub(super) fn answer(
    status: StatusCode,
    page: Result<(String, HeaderValue), PagesError>,
) -> Response {
    let (text, policy) = match page {
        Ok(page) => page,
        Err(error) => {
            return Failure(Error::Fault {
                context: "rendering a page",
                source: error.into(),
            })
            .into_response();
        }
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
