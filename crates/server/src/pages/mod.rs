//! What people see: templates, the words of each language, the style sheet and what else pages load, and how an owner
//! changes all of these. What is on a page, and who may see it, the door knows (`http::pages`).
//!
//! 1. Everything is built in. `pages.folder` names a folder whose files take the place of the built-in ones of the same
//!    names, and whose words take the place of single words.
//! 2. Words are templates of their own and know the facts that the page hands them; what stands in braces is foreign and
//!    escaped. A language that lacks a word says it in English.
//! 3. A mistake in an owner's file stops the start, and not a page.

mod assets;
mod brand;
mod functions;
mod templates;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use minijinja::{Environment, UndefinedBehavior, Value};
use symbolon_domain::mail::Locale;

pub use self::assets::{Asset, Assets};
pub use self::brand::{Brand, Colour, Picture};
use self::templates::TEMPLATES;
pub use self::words::Words;
use crate::config::PagesConfig;

/// Steps that one page may take: many times what the longest takes, and an end for a loop that has none.
const FUEL: u64 = 20_000_000;

/// What is wrong with a file of the owner's.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {said}")]
pub struct PagesError {
    /// The file, as it is named below `pages.folder`, or where it is.
    file: String,
    said: String,
}

impl PagesError {
    fn new(file: impl Into<String>, said: impl ToString) -> Self {
        Self {
            file: file.into(),
            said: said.to_string(),
        }
    }
}

/// Everything that pages are made of. Read at the start where an owner has files of their own, else when the first page
/// is shown: a server that shows none does without.
pub struct Pages {
    config: PagesConfig,
    read: OnceLock<Result<Read, PagesError>>,
}

struct Read {
    environment: Environment<'static>,
    words: Arc<Words>,
    assets: Assets,
    brand: Brand,
}

impl Pages {
    /// Prepares them.
    ///
    /// # Errors
    /// A file of the owner's that cannot be read or used.
    pub fn new(config: &PagesConfig) -> Result<Self, PagesError> {
        let own = config.folder.is_some() || config.logo.is_some() || config.style.is_some();
        let read = match own {
            true => OnceLock::from(Ok(Read::from(config)?)),
            false => OnceLock::new(),
        };
        Ok(Self {
            config: config.clone(),
            read,
        })
    }

    fn read(&self) -> Result<&Read, &PagesError> {
        self.read.get_or_init(|| Read::from(&self.config)).as_ref()
    }

    /// A page as text.
    ///
    /// # Errors
    /// What is wrong with a template, or with the facts that it is given.
    pub fn render(&self, template: &str, facts: Value) -> Result<String, PagesError> {
        let told = |error: minijinja::Error| PagesError::new(template, causes(&error));
        let read = self
            .read()
            .map_err(|error| PagesError::new(&*error.file, &error.said))?;
        let template = read.environment.get_template(template).map_err(told)?;
        template.render(facts).map_err(told)
    }

    /// One word.
    ///
    /// # Errors
    /// There is none of this name, or the facts do not suit it.
    pub fn word(&self, locale: Locale, name: &str, facts: Value) -> Result<Value, PagesError> {
        let read = self
            .read()
            .map_err(|error| PagesError::new(&*error.file, &error.said))?;
        let said = read.words.say(&read.environment, locale, name, facts);
        said.map_err(|error| PagesError::new(format!("{locale}: {name}"), causes(&error)))
    }

    /// The words of a section, each with its facts; none that is not there.
    ///
    /// # Errors
    /// The facts do not suit one of them.
    pub fn section(
        &self,
        locale: Locale,
        section: &str,
        facts: &Value,
    ) -> Result<BTreeMap<String, Value>, PagesError> {
        let read = self
            .read()
            .map_err(|error| PagesError::new(&*error.file, &error.said))?;
        let mut all = BTreeMap::new();
        for (name, full) in read.words.section(locale, section) {
            all.insert(name.to_owned(), self.word(locale, full, facts.clone())?);
        }
        Ok(all)
    }

    /// Whether there is such a word.
    pub fn has_word(&self, name: &str) -> bool {
        self.read().is_ok_and(|read| read.words.has(name))
    }

    /// What pages load beside themselves.
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        self.read().ok()?.assets.find(name)
    }

    /// How the service calls itself and looks.
    pub fn brand(&self) -> Option<&Brand> {
        self.read().ok().map(|read| &read.brand)
    }
}

impl Read {
    fn from(config: &PagesConfig) -> Result<Self, PagesError> {
        let folder = config.folder.as_deref();
        let brand = Brand::read(config)?;
        let assets = Assets::read(folder, &brand)?;
        let words = Arc::new(Words::read(folder)?);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        functions::add(&mut environment, &words, &assets);
        for (name, built_in) in TEMPLATES {
            let text = replaced(folder, name)?.unwrap_or_else(|| (*built_in).to_owned());
            let added = environment.add_template_owned(*name, text);
            added.map_err(|error| PagesError::new(*name, causes(&error)))?;
        }
        words.add_to(&mut environment)?;
        Ok(Self {
            environment,
            words,
            assets,
            brand,
        })
    }
}

/// The owner's file in the place of a built-in one, if there is one.
fn replaced(folder: Option<&Path>, name: &str) -> Result<Option<String>, PagesError> {
    let Some(path) = folder.map(|folder| folder.join(name)) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PagesError::new(shown(&path), error)),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn causes(error: &minijinja::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
