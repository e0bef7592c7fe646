//! Turns what was written into values, and keeps every mistake.

use std::time::Duration;

use zeroize::Zeroizing;

use super::error::{ConfigError, ConfigErrors};
use super::layers::{Layers, Place, Written};
use super::settings::{SETTINGS, Setting};
use super::{Config, Shown, parse};
use crate::secret::Secret;

/// Why a text is no value: more than "expected …" where there is more to say, else empty.
pub(super) type Detail = String;

pub(super) struct Reader {
    layers: Layers,
    errors: Vec<ConfigError>,
    /// Settings that are wrong already: no second complaint about them.
    wrong: Vec<&'static str>,
}

impl Reader {
    pub(super) fn new(layers: Layers, errors: Vec<ConfigError>) -> Self {
        Self {
            layers,
            errors,
            wrong: Vec::new(),
        }
    }

    /// A setting that has a value. `fallback` stands for a wrong one, in a tree that is then thrown away.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        fallback: T,
        parse: impl FnOnce(&str) -> Result<T, Detail>,
    ) -> T {
        let parsed = match self.single(name).as_deref() {
            Ok(text) => parse(text)
                .map_err(|detail| self.wrong(name, text, &detail))
                .ok(),
            Err(()) => None,
        };
        parsed.unwrap_or(fallback)
    }

    /// A setting that may have none: empty.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Detail>,
    ) -> Option<T> {
        self.required(name, None, |text| {
            if text.is_empty() {
                Ok(None)
            } else {
                parse(text).map(Some)
            }
        })
    }

    /// A secret that may be missing; `check` says whether it is well-formed.
    pub(super) fn secret(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&str) -> Result<(), Detail>,
    ) -> Option<Secret<String>> {
        self.optional(name, |text| {
            check(text).map(|()| Secret::new(text.to_owned()))
        })
    }

    pub(super) fn duration(&mut self, name: &'static str) -> Duration {
        self.required(name, Duration::ZERO, parse::duration)
    }

    /// A list: one in the file, or one text with commas.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, Detail>,
    ) -> Vec<T> {
        let Some(written) = self.layers.get(name).cloned() else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for item in written
            .items
            .iter()
            .flat_map(|item| item.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            match parse(item) {
                Ok(value) => values.push(value),
                Err(detail) => self.wrong(name, item, &detail),
            }
        }
        values
    }

    /// Complains about `names`, unless one of them is wrong by itself already. The first one's source is named.
    pub(super) fn require(
        &mut self,
        names: &[&'static str],
        holds: bool,
        problem: impl FnOnce() -> String,
    ) {
        if holds || names.iter().any(|name| self.wrong.contains(name)) {
            return;
        }
        // The setting that was written is to blame, not the default that it clashes with.
        let places = names
            .iter()
            .filter_map(|name| Some(&self.layers.get(name)?.place));
        let place = places
            .clone()
            .find(|place| !matches!(place, Place::Default))
            .or(places.clone().next());
        let source = place.map(ToString::to_string).unwrap_or_default();
        self.errors.push(ConfigError {
            source,
            problem: problem(),
        });
        if let [name] = names {
            self.wrong.push(name);
        }
    }

    /// What was written, to be read again with what the database keeps.
    pub(super) fn layers(&self) -> Layers {
        self.layers.clone()
    }

    /// What `config show` shows.
    pub(super) fn shown(&self) -> Vec<Shown> {
        SETTINGS
            .iter()
            .filter_map(|setting| Some(shown(setting, self.layers.get(setting.name)?)))
            .collect()
    }

    pub(super) fn finish(self, config: Config) -> Result<Config, ConfigErrors> {
        if self.errors.is_empty() {
            Ok(config)
        } else {
            Err(ConfigErrors(self.errors))
        }
    }

    /// The one text of a setting that is no list.
    fn single(&mut self, name: &'static str) -> Result<Zeroizing<String>, ()> {
        match self
            .layers
            .get(name)
            .map(|written| written.items.as_slice())
        {
            Some([text]) => Ok(text.clone()),
            _ => {
                self.wrong(name, "a list", "");
                Err(())
            }
        }
    }

    fn wrong(&mut self, name: &'static str, text: &str, detail: &str) {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            return;
        };
        let value = if setting.secret {
            "is not usable".to_owned()
        } else {
            format!("is `{text}`")
        };
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!("{detail}; ")
        };
        let source = self
            .layers
            .get(name)
            .map(|written| written.place.to_string())
            .unwrap_or_default();
        self.errors.push(ConfigError {
            source,
            problem: format!("`{name}` {value}: {detail}expected {}", setting.takes),
        });
        self.wrong.push(name);
    }
}

fn shown(setting: &Setting, written: &Written) -> Shown {
    let value = written
        .items
        .iter()
        .map(|item| item.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let value = if setting.secret {
        veiled(&value)
    } else {
        value
    };
    Shown {
        name: setting.name,
        value,
        source: written.place.to_string(),
    }
}

/// What may be seen of a secret: which kind of server a URL leads to, and a path, which is none.
fn veiled(value: &str) -> String {
    match value.split_once("://") {
        _ if value.is_empty() || value.starts_with("sqlite:") => value.to_owned(),
        Some((scheme, _)) => format!("{scheme}://(secret)"),
        None => "(secret)".to_owned(),
    }
}
