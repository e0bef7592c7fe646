//! The words of each language, by dotted names such as `devices.title`.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::{Environment, Error, ErrorKind, Value};
use symbolon_domain::mail::Locale;

use super::{PagesError, causes, replaced};

/// Files of words, one for each part of the pages.
macro_rules! built_in {
    ($($locale:ident $folder:literal),+ ; $area:tt) => {
        [$( (Locale::$locale, built_in!(@ $folder $area)) ),+]
    };
    (@ $folder:literal [$($area:literal),+]) => {
        [$( ($area, include_str!(concat!("../../assets/pages/words/", $folder, "/", $area, ".toml"))) ),+]
    };
}

const PARTS: usize = 7;
const BUILT_IN: [(Locale, [(&str, &str); PARTS]); 6] = built_in!(
    En "en", De "de", Fr "fr", Es "es", Pl "pl", Zh "zh";
    ["common", "hosted", "account", "console", "people", "clients", "operations"]
);

/// All words of all languages.
pub struct Words {
    languages: BTreeMap<Locale, BTreeMap<String, Word>>,
}

enum Word {
    /// Markup as it stands.
    Plain(Value),
    /// Markup with braces, kept as the template of this name.
    Template { name: String, text: String },
}

impl Words {
    pub(super) fn read(folder: Option<&Path>) -> Result<Self, PagesError> {
        let mut languages = BTreeMap::new();
        for (locale, parts) in BUILT_IN {
            let mut words = BTreeMap::new();
            for (part, text) in parts {
                let file = format!("words/{locale}/{part}.toml");
                take(&mut words, locale, &file, text)?;
                if let Some(own) = replaced(folder, &file)? {
                    take(&mut words, locale, &file, &own)?;
                }
            }
            languages.insert(locale, words);
        }
        Ok(Self { languages })
    }

    pub(super) fn add_to(&self, environment: &mut Environment<'static>) -> Result<(), PagesError> {
        for word in self.languages.values().flat_map(BTreeMap::values) {
            if let Word::Template { name, text } = word {
                let added = environment.add_template_owned(name.clone(), text.clone());
                added.map_err(|error| PagesError::new(name.clone(), causes(&error)))?;
            }
        }
        Ok(())
    }

    /// A word with its facts; in English where the language lacks it.
    pub(super) fn say(
        &self,
        environment: &Environment<'_>,
        locale: Locale,
        name: &str,
        facts: Value,
    ) -> Result<Value, Error> {
        let word = [locale, Locale::En]
            .iter()
            .find_map(|locale| self.languages.get(locale)?.get(name));
        match word {
            Some(Word::Plain(text)) => Ok(text.clone()),
            Some(Word::Template { name, .. }) => {
                let text = environment.get_template(name)?.render(facts)?;
                Ok(Value::from_safe_string(text))
            }
            None => Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("there is no word `{name}`"),
            )),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        let english = self.languages.get(&Locale::En);
        english.is_some_and(|words| words.contains_key(name))
    }

    /// The words below `section`: each by its own name, and by its whole one.
    pub(super) fn section<'a>(
        &'a self,
        locale: Locale,
        section: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let words = [Locale::En, locale]
            .into_iter()
            .filter_map(|locale| self.languages.get(&locale));
        words.flat_map(BTreeMap::keys).filter_map(move |name| {
            let own = name.strip_prefix(section)?.strip_prefix('.')?;
            Some((own, name.as_str()))
        })
    }

    #[cfg(test)]
    pub(super) fn names(&self, locale: Locale) -> Vec<&str> {
        self.languages[&locale].keys().map(String::as_str).collect()
    }
}

fn take(
    words: &mut BTreeMap<String, Word>,
    locale: Locale,
    file: &str,
    text: &str,
) -> Result<(), PagesError> {
    let table: toml::Table = text.parse().map_err(|error| PagesError::new(file, error))?;
    let mut rest: Vec<(String, toml::Value)> = table.into_iter().collect();
    while let Some((name, value)) = rest.pop() {
        match value {
            toml::Value::Table(inner) => {
                rest.extend(
                    inner
                        .into_iter()
                        .map(|(key, value)| (format!("{name}.{key}"), value)),
                );
            }
            toml::Value::String(text) => {
                let word = match text.contains("{{") || text.contains("{%") {
                    true => Word::Template {
                        name: format!("{locale}/{name}.html"),
                        text,
                    },
                    false => Word::Plain(Value::from_safe_string(text)),
                };
                words.insert(name, word);
            }
            _ => return Err(PagesError::new(file, format!("`{name}` is no text"))),
        }
    }
    Ok(())
}
