//! Forms of our own pages: what was sent, what is shown again, and what is wrong with it.
//!
//! A form carries `form_token`, which belongs to the session that the page was made for (SECURITY decision 7; OWASP CSRF).
//! It says whose the form is after that session as well: nobody is offered what somebody else was about to do.

use std::collections::BTreeMap;

use axum::extract::Request;
use http::Uri;
use minijinja::{Value, context};
use symbolon_domain::Refusal;
use symbolon_token::encoding;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::super::body;
use super::frame::Frame;
use super::hosted::own_place;
use crate::app::App;
use crate::flows::Error;
use crate::flows::oauth::browser::Browser;

const OF_SESSION: &str = "form of a session";
const OF_PERSON: &str = "form of a person";
/// Fields that a form has at most.
const MOST_FIELDS: usize = 500;
/// In forms that only ask whether something is to be done: they are not kept for later.
pub(super) const ASKED: &str = "asked";
/// The field that says for whom a form was made.
pub(in crate::http) const TOKEN: &str = "form_token";

/// The fields of a form, or of a query, as they came.
#[derive(Default)]
pub(in crate::http) struct Form {
    fields: Vec<(String, Zeroizing<String>)>,
}

impl Form {
    /// # Errors
    /// `unsupported_media_type`, `payload_too_large`, `malformed_request`.
    pub(super) async fn of_body(request: Request) -> Result<Self, Refusal> {
        if !body::is_form(request.headers()) {
            return Err(Refusal::UnsupportedMediaType);
        }
        Self::of(&body::read(request.into_body()).await?)
    }

    pub(super) fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let fields = pairs.into_iter();
        let fields = fields.map(|(name, value)| (name, Zeroizing::new(value)));
        Self {
            fields: fields.collect(),
        }
    }

    /// # Errors
    /// `malformed_request`.
    pub(super) fn of_query(uri: &Uri) -> Result<Self, Refusal> {
        Self::of(uri.query().unwrap_or_default().as_bytes())
    }

    fn of(bytes: &[u8]) -> Result<Self, Refusal> {
        let pairs = form_urlencoded::parse(bytes);
        let fields: Vec<_> = pairs
            .take(MOST_FIELDS + 1)
            .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
            .collect();
        if fields.len() > MOST_FIELDS {
            let sentence = format!("A form has at most {MOST_FIELDS} fields.");
            return Err(Refusal::MalformedRequest(sentence));
        }
        Ok(Self { fields })
    }

    /// The value of a field as it was typed; empty where there is none. Of several the first counts.
    pub(in crate::http) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The same without blanks at its ends; none where nothing is left.
    pub(in crate::http) fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name).trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// Every value of a field that may be chosen more than once.
    pub(in crate::http) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let of_the_name = self.fields.iter().filter(move |(known, _)| known == name);
        of_the_name.map(|(_, value)| value.as_str())
    }

    /// Whether there is such a field: a box that was ticked.
    pub(in crate::http) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// What can be shown again: no password, secret or token.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = |(name, _): &&(String, Zeroizing<String>)| {
            let name = name.to_ascii_lowercase();
            !name.contains("password") && !name.contains("secret") && !name.ends_with("token")
        };
        let fields = self.fields.iter().filter(shown);
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A form on a page: its values, what is wrong with each, and with all of it. In templates: `form.values.email`,
/// `form.errors.email`, `form.trouble`.
#[derive(Default)]
pub(in crate::http) struct Filled {
    values: BTreeMap<String, Value>,
    errors: BTreeMap<String, Value>,
    trouble: Option<Value>,
}

impl Filled {
    /// One that stands there as somebody left it. What `lists` names are boxes, of which several may be ticked.
    pub(in crate::http) fn again(form: &Form, lists: &[&str]) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in form.shown() {
            values
                .entry(name.to_owned())
                .or_insert_with(|| value.into());
        }
        for name in lists {
            let ticked: Vec<String> = form.all(name).map(str::to_owned).collect();
            values.insert((*name).to_owned(), Value::from(ticked));
        }
        Self {
            values,
            ..Self::default()
        }
    }

    /// With a value.
    pub(in crate::http) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// With what a flow refused: at the fields, as far as it names them, by the JSON pointers that it knows them by.
    ///
    /// # Errors
    /// What is no refusal.
    pub(in crate::http) fn refused(
        mut self,
        frame: &Frame<'_>,
        error: Error,
    ) -> Result<Self, Error> {
        let Error::Refused(refusal) = error else {
            return Err(error);
        };
        match &refusal {
            Refusal::Validation(errors) => {
                for error in errors {
                    // Of something in a list: the field that holds the list.
                    let pointer = error.pointer.trim_start_matches('/');
                    let field = pointer.split('/').next().unwrap_or(pointer).to_owned();
                    let said = frame.fault(error.code, &error.detail);
                    match field.is_empty() {
                        true => self.trouble = Some(said),
                        false => drop(self.errors.entry(field).or_insert(said)),
                    }
                }
            }
            // What is taken is said at its field, and what else stands in the way by its own name.
            Refusal::Conflict(what) => match self.values.contains_key(*what) {
                true => {
                    let said = frame.fault(refusal.code(), &refusal.detail());
                    self.errors.insert((*what).to_owned(), said);
                }
                false => self.trouble = Some(frame.fault(what, &refusal.detail())),
            },
            Refusal::RegistrationClosed => {
                self.trouble = Some(frame.fault("registration_closed", &refusal.detail()));
            }
            other => self.trouble = Some(frame.fault(other.code(), &other.detail())),
        }
        Ok(self)
    }

    /// With what is wrong with another one.
    pub(in crate::http) fn with_faults_of(self, other: Self) -> Self {
        Self {
            values: self.values,
            ..other
        }
    }

    /// With one thing that is wrong, at a field.
    pub(in crate::http) fn wrong(mut self, field: &str, said: Value) -> Self {
        self.errors.insert(field.to_owned(), said);
        self
    }

    /// Whether nothing was sent or refused.
    pub(in crate::http) fn is_blank(&self) -> bool {
        self.values.is_empty() && self.errors.is_empty() && self.trouble.is_none()
    }

    /// For a template.
    pub(in crate::http) fn facts(&self) -> Value {
        context! {
            values => &self.values,
            errors => &self.errors,
            trouble => &self.trouble,
        }
    }
}

/// The token of the forms on a page: for which session and which person it was made, and where the page is.
///
/// # Errors
/// A fault.
pub(super) fn token(app: &App, browser: &Browser, page: &str) -> Result<String, Error> {
    let master = &app.issuance()?.master;
    let tag = |label, bytes: &[u8]| {
        let tag = master.mac(label, bytes);
        let tag = tag.map_err(|error| Error::fault("a form")(error.into()))?;
        Ok::<_, Error>(encoding::encode(&tag))
    };
    let session = tag(OF_SESSION, browser.session.id.as_bytes())?;
    let person = tag(OF_PERSON, browser.user.id.as_bytes())?;
    Ok(format!(
        "{session}.{person}.{}",
        encoding::encode(page.as_bytes())
    ))
}

/// Whose a form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of this session.
    Ours,
    /// Of a former session of this person.
    Former,
    /// Of somebody else, or of nobody.
    Foreign,
}

/// Whose a form is that carries this token.
///
/// # Errors
/// A fault.
pub(super) fn whose(app: &App, browser: &Browser, token: &str) -> Result<Whose, Error> {
    let master = &app.issuance()?.master;
    let mut parts = token.split('.');
    let mut is = |label, bytes: &[u8]| {
        let tag = encoding::decode(parts.next().unwrap_or_default().as_bytes());
        let Ok(tag) = tag else {
            return Ok(false);
        };
        let ours = master.mac_is(label, bytes, &tag);
        ours.map_err(|error| Error::fault("a form")(error.into()))
    };
    let session = is(OF_SESSION, browser.session.id.as_bytes())?;
    let person = is(OF_PERSON, browser.user.id.as_bytes())?;
    Ok(match (session, person) {
        (true, true) => Whose::Ours,
        (_, true) => Whose::Former,
        _ => Whose::Foreign,
    })
}

/// Where the page of a form is, as its token says; the account where that is no place of ours.
pub(super) fn page_of(token: &str) -> String {
    let page = token.rsplit('.').next().unwrap_or_default();
    let page = encoding::decode(page.as_bytes()).ok();
    let page = page.and_then(|bytes| String::from_utf8(bytes).ok());
    let page = page.filter(|page| !page.is_empty() && own_place(page).is_some());
    page.unwrap_or_else(|| "/account".to_owned())
}
