//! A table of the file, read key by key, with everything that is wrong noted beside its line.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_domain::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::{ConfigError, nearest_of};

/// Where things stand in the file, and what is wrong with them.
pub(super) struct Notes<'a> {
    name: &'a str,
    text: &'a str,
    errors: Vec<(usize, ConfigError)>,
    /// Lines, by what stands there: `/role/clerk/permissions`.
    pub(super) places: BTreeMap<String, usize>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self {
            name,
            text,
            errors: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// The line of a byte of the file.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    /// Notes what is wrong at a byte of the file.
    pub(super) fn wrong(&mut self, offset: usize, problem: impl Into<String>) {
        let line = self.line(offset);
        let error = ConfigError {
            source: format!("{}:{line}", self.name),
            problem: problem.into(),
        };
        self.errors.push((line, error));
    }

    /// Everything that is wrong, in the order of the file; tables are read in that of their names.
    pub(super) fn take_errors(&mut self) -> Vec<ConfigError> {
        let mut errors = std::mem::take(&mut self.errors);
        errors.sort_by_key(|(line, _)| *line);
        errors.into_iter().map(|(_, error)| error).collect()
    }
}

/// One table.
pub(super) struct Table<'t, 'n, 'a> {
    pub(super) notes: &'n mut Notes<'a>,
    /// What it is, for people: `role`, `client`.
    kind: &'static str,
    keys: &'t DeTable<'t>,
    pub(super) offset: usize,
}

impl<'t, 'n, 'a> Table<'t, 'n, 'a> {
    /// A value that has to be a table with none but these keys.
    pub(super) fn of(
        notes: &'n mut Notes<'a>,
        (kind, known): (&'static str, &[&'static str]),
        value: &'t Spanned<DeValue<'t>>,
    ) -> Option<Self> {
        let offset = value.span().start;
        let DeValue::Table(keys) = value.get_ref() else {
            notes.wrong(offset, format!("a {kind} is a table: write [[{kind}]]"));
            return None;
        };
        for key in keys.keys() {
            let name: &str = key.get_ref();
            if name == "secret" && known.contains(&"secret_file") {
                let sentence = "a secret is not written here: write secret_file = \"PATH\" or secret_env = \"NAME\", which say \
                                where it is";
                notes.wrong(key.span().start, sentence);
            } else if !known.contains(&name) {
                let meant = nearest_of(name, known);
                let sentence = format!("unknown key `{name}` of a {kind}: did you mean `{meant}`?");
                notes.wrong(key.span().start, sentence);
            }
        }
        Some(Self {
            notes,
            kind,
            keys,
            offset,
        })
    }

    /// Notes the lines of the table and of its keys, under the name that it turned out to have.
    pub(super) fn place(&mut self, name: &str) {
        let root = format!("/{}/{name}", self.kind);
        for (key, _) in self.keys {
            let line = self.notes.line(key.span().start);
            self.notes
                .places
                .insert(format!("{root}/{}", key.get_ref()), line);
        }
        let line = self.notes.line(self.offset);
        self.notes.places.insert(root, line);
    }

    /// Whether another table of this kind was of this name.
    pub(super) fn is_placed(&self, name: &str) -> bool {
        let root = format!("/{}/{name}", self.kind);
        self.notes.places.contains_key(&root)
    }

    /// A text, where the key is there.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.keys.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                let sentence = format!("`{key}` takes a text in quotes");
                self.notes.wrong(value.span().start, sentence);
                None
            }
        }
    }

    /// A text as `parse` reads it, where the key is there.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.text(key)?;
        parse(&text)
            .map_err(|problem| self.wrong_at(key, &problem.detail))
            .ok()
    }

    /// `true` or `false`; `false` where the key is not there.
    pub(super) fn switch(&mut self, key: &str) -> bool {
        let Some(value) = self.keys.get(key) else {
            return false;
        };
        match value.get_ref() {
            DeValue::Boolean(on) => *on,
            _ => {
                let sentence = format!("`{key}` takes true or false");
                self.notes.wrong(value.span().start, sentence);
                false
            }
        }
    }

    /// A text as `parse` reads it, for a key that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        if !self.keys.contains_key(key) {
            let sentence = format!("a {} needs `{key}`", self.kind);
            self.notes.wrong(self.offset, sentence);
        }
        self.parsed(key, parse)
    }

    /// Each text of a list; none where the key is not there.
    pub(super) fn list<T: Ord>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> BTreeSet<T> {
        let Some(value) = self.keys.get(key) else {
            return BTreeSet::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            let sentence = format!("`{key}` takes a list of texts in quotes");
            self.notes.wrong(value.span().start, sentence);
            return BTreeSet::new();
        };
        let mut found = BTreeSet::new();
        for item in items {
            let at = item.span().start;
            match item.get_ref() {
                DeValue::String(text) => match parse(text) {
                    Ok(one) => drop(found.insert(one)),
                    Err(problem) => self.notes.wrong(at, format!("`{key}`: {}", problem.detail)),
                },
                _ => self
                    .notes
                    .wrong(at, format!("`{key}` takes a list of texts in quotes")),
            }
        }
        found
    }

    /// Notes what is wrong with the value of a key.
    pub(super) fn wrong_at(&mut self, key: &str, problem: &str) {
        let at = self
            .keys
            .get(key)
            .map_or(self.offset, |value| value.span().start);
        self.notes.wrong(at, format!("`{key}`: {problem}"));
    }
}
