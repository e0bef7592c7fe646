//! The words of mails in each language, and the layout around them. Owners may replace both by files of the same names.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Deserialize;
use symbolon_domain::mail::{INVITATION_LIFE, LINK_LIFE, Locale, MailKind};
use symbolon_domain::{Email, Timestamp};
use uuid::Uuid;

use super::letter::Page;
use super::{Device, Facts, MailError, Unsent};

const TEXTS: [(Locale, &str); 6] = [
    (Locale::En, include_str!("../../assets/mail/en.toml")),
    (Locale::De, include_str!("../../assets/mail/de.toml")),
    (Locale::Fr, include_str!("../../assets/mail/fr.toml")),
    (Locale::Es, include_str!("../../assets/mail/es.toml")),
    (Locale::Pl, include_str!("../../assets/mail/pl.toml")),
    (Locale::Zh, include_str!("../../assets/mail/zh.toml")),
];
const LAYOUTS: [(&str, &str); 2] = [
    ("layout.html", include_str!("../../assets/mail/layout.html")),
    ("layout.txt", include_str!("../../assets/mail/layout.txt")),
];

/// The words of one mail. Each is a template of its own, in which the facts stand.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    subject: String,
    before: Vec<String>,
    button: Option<String>,
    after: Vec<String>,
}

/// What stands in every mail.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    ignore: String,
    copy: String,
}

/// A file of words; one that an owner wrote may hold only those that are to be other ones.
#[derive(Deserialize)]
struct File {
    common: Option<Common>,
    #[serde(flatten)]
    mails: BTreeMap<String, Words>,
}

struct Language {
    common: Common,
    mails: BTreeMap<String, Words>,
}

pub(super) struct Texts {
    environment: Environment<'static>,
    languages: BTreeMap<Locale, Language>,
}

impl Texts {
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, MailError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, built_in) in LAYOUTS {
            let text = replaced(folder, name)?.unwrap_or_else(|| built_in.to_owned());
            environment
                .add_template_owned(name, text)
                .map_err(|error| MailError::Template(name.to_owned(), error.to_string()))?;
        }
        let mut languages = BTreeMap::new();
        for (locale, built_in) in TEXTS {
            languages.insert(locale, Language::load(folder, locale, built_in)?);
        }
        let texts = Self {
            environment,
            languages,
        };
        texts.try_all()?;
        Ok(texts)
    }

    /// The languages that mails are written in.
    pub(super) fn locales(&self) -> impl Iterator<Item = Locale> {
        self.languages.keys().copied()
    }

    /// So that a mistake stops the start and not a mail.
    fn try_all(&self) -> Result<(), MailError> {
        let recipient = Email::parse("somebody@example.com").map_err(|_| MailError::From)?;
        for (locale, _) in TEXTS {
            for kind in MailKind::ALL.iter().map(|kind| Some(*kind)).chain([None]) {
                let facts = Facts {
                    id: Uuid::nil(),
                    kind,
                    locale,
                    recipient: &recipient,
                    issuer: "https://login.example.com",
                    link: Some("https://login.example.com/"),
                    about: Some(&recipient),
                    address: None,
                    device: Device::of(None, None),
                    at: Timestamp::from_millis(0),
                    now: Timestamp::from_millis(0),
                };
                self.render(&facts).map_err(|error| {
                    let place = format!("for `{}` in `{locale}`", facts.word());
                    MailError::Template(place, error.said)
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn render(&self, facts: &Facts<'_>) -> Result<Page, Unsent> {
        // A language that mails are not written in yet says it in English.
        let mut languages = [facts.locale, Locale::En].into_iter();
        let found = languages.find_map(|locale| {
            let known = self.languages.get(&locale)?;
            Some((known, known.mails.get(facts.word())?))
        });
        let (language, words) =
            found.ok_or_else(|| Unsent::refused("there is no such template"))?;
        let known = context! {
            lang => facts.locale.as_str(),
            service => facts.service(),
            issuer => facts.issuer,
            recipient => facts.recipient.as_str(),
            about => facts.about.map_or("–", Email::as_str),
            address => facts.address.unwrap_or("–"),
            device => facts.device.to_string(),
            time => minute(facts.at),
            minutes => LINK_LIFE.as_secs() / 60,
            days => INVITATION_LIFE.as_secs() / 86_400,
            link => facts.link,
        };
        // A subject is one line, whatever a template says.
        let subject = self
            .words(&words.subject, &known, "txt")?
            .replace(['\r', '\n'], " ");
        let layout = |end: &str| -> Result<String, minijinja::Error> {
            let written = |text: &String| {
                let text = self.words(text, &known, end)?;
                // The facts in it are escaped already.
                Ok(if end == "html" {
                    Value::from_safe_string(text)
                } else {
                    Value::from(text)
                })
            };
            let all = |texts: &[String]| {
                texts
                    .iter()
                    .map(written)
                    .collect::<Result<Vec<_>, minijinja::Error>>()
            };
            let whole = context! {
                subject => &subject,
                before => all(&words.before)?,
                button => words.button.as_ref().map(written).transpose()?,
                after => all(&words.after)?,
                copy => written(&language.common.copy)?,
                ignore => written(&language.common.ignore)?,
                ..known.clone()
            };
            self.environment
                .get_template(&format!("layout.{end}"))?
                .render(whole)
        };
        Ok(Page {
            text: layout("txt")?,
            html: layout("html")?,
            subject,
        })
    }

    /// One text with the facts in it; `end` says whether they are escaped for HTML.
    fn words(&self, text: &str, known: &Value, end: &str) -> Result<String, minijinja::Error> {
        let name = if end == "html" {
            "words.html"
        } else {
            "words.txt"
        };
        self.environment.render_named_str(name, text, known)
    }
}

impl From<minijinja::Error> for Unsent {
    fn from(error: minijinja::Error) -> Self {
        Self::refused(&error.to_string())
    }
}

impl Language {
    fn load(folder: Option<&Path>, locale: Locale, built_in: &str) -> Result<Self, MailError> {
        let name = format!("{locale}.toml");
        let wrong = |what: &str| MailError::Template(name.clone(), what.to_owned());
        let parse =
            |text: &str| toml::from_str::<File>(text).map_err(|error| wrong(error.message()));
        let file = parse(built_in)?;
        let mut language = Self {
            common: file.common.ok_or_else(|| wrong("`common` is missing"))?,
            mails: file.mails,
        };
        if let Some(text) = replaced(folder, &name)? {
            let other = parse(&text)?;
            if let Some(common) = other.common {
                language.common = common;
            }
            for (kind, words) in other.mails {
                if language.mails.insert(kind.clone(), words).is_none() {
                    return Err(wrong(&format!("there is no mail `{kind}`")));
                }
            }
        }
        Ok(language)
    }
}

/// The owner's file in the place of a built-in one.
fn replaced(folder: Option<&Path>, name: &str) -> Result<Option<String>, MailError> {
    let Some(folder) = folder else {
        return Ok(None);
    };
    if !folder.is_dir() {
        let place = folder.display().to_string();
        return Err(MailError::Template(
            place,
            "there is no such folder".to_owned(),
        ));
    }
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(MailError::Template(name.to_owned(), error.to_string())),
    }
}

/// To the minute, for people.
fn minute(time: Timestamp) -> String {
    let text = crate::rfc3339::text(time);
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => text,
    }
}
