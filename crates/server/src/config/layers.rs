//! Gathers what each source says, as text: the file, the environment, the command line, each winning over the one before.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::error::ConfigError;
use super::settings::{SETTINGS, Setting, find, find_by_file_name};
use super::sources::Sources;
use super::suggest::{meant_by_variable, nearest, nearest_section};
use super::upstream::{self, UpstreamConfig};

const PREFIX: &str = "SYMBOLON_";
/// The tables of other providers.
const UPSTREAM: &str = "upstream";

/// Where a value was written.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Default,
    Database,
    File { path: PathBuf, line: usize },
    Variable(String),
    Option(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Database => f.write_str("database"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Option(flag) => f.write_str(flag),
        }
    }
}

/// What was written, not yet understood. A list of the file and a list of a variable read the same.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) items: Vec<Zeroizing<String>>,
    pub(super) place: Place,
}

impl Written {
    fn text(text: &str, place: Place) -> Self {
        Self {
            items: vec![Zeroizing::new(text.to_owned())],
            place,
        }
    }
}

/// The texts of a setting, or why there are none.
type Items = Result<Vec<Zeroizing<String>>, String>;

pub(super) type Layers = BTreeMap<&'static str, Written>;

/// Puts what the database keeps in the place of defaults: whatever was written elsewhere wins over it, unless `first` says
/// that nothing does.
pub(super) fn underlay(layers: &mut Layers, stored: &BTreeMap<String, String>, first: bool) {
    for setting in SETTINGS.iter().filter(|setting| setting.stored) {
        let (Some(text), Some(written)) = (stored.get(setting.name), layers.get_mut(setting.name))
        else {
            continue;
        };
        if first || matches!(written.place, Place::Default) {
            *written = Written::text(text, Place::Database);
        }
    }
}

/// What the sources say.
pub(super) struct Collected {
    pub(super) layers: Layers,
    pub(super) upstreams: Vec<UpstreamConfig>,
    pub(super) errors: Vec<ConfigError>,
}

struct Collector {
    values: Layers,
    upstreams: Vec<UpstreamConfig>,
    errors: Vec<ConfigError>,
}

pub(super) fn collect(sources: &Sources) -> Collected {
    let values = SETTINGS
        .iter()
        .map(|setting| (setting.name, Written::text(setting.default, Place::Default)));
    let mut collector = Collector {
        values: values.collect(),
        upstreams: Vec::new(),
        errors: Vec::new(),
    };
    collector.read_files(sources);
    collector.read_environment(sources);
    collector.read_options(sources);
    Collected {
        layers: collector.values,
        upstreams: collector.upstreams,
        errors: collector.errors,
    }
}

impl Collector {
    fn read_files(&mut self, sources: &Sources) {
        let (path, required) = match (&sources.file, &sources.default_file) {
            (Some(path), _) => (path, true),
            (None, Some(path)) => (path, false),
            (None, None) => return,
        };
        match std::fs::read_to_string(path) {
            Ok(text) => self.read_toml(path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => {}
            Err(error) => self.fail(path.display(), format!("this file cannot be read: {error}")),
        }
    }

    fn read_toml(&mut self, path: &Path, text: &str) {
        let line_of = |offset: usize| {
            text.as_bytes()
                .iter()
                .take(offset)
                .filter(|byte| **byte == b'\n')
                .count()
                + 1
        };
        let place = |offset| Place::File {
            path: path.to_owned(),
            line: line_of(offset),
        };
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            // The message alone: the lines around it may hold a secret.
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return self.fail(place(at), format!("this is not TOML: {}", error.message()));
            }
        };
        let mut layer = Vec::new();
        for (section, value) in table.get_ref() {
            let at = section.span().start;
            match value.get_ref() {
                DeValue::Array(tables) if section.get_ref() == UPSTREAM => {
                    for table in tables {
                        self.read_upstream(table, &place);
                    }
                }
                DeValue::Table(keys)
                    if SETTINGS
                        .iter()
                        .any(|setting| setting.section() == section.get_ref()) =>
                {
                    for (key, value) in keys {
                        let name = format!("{}.{}", section.get_ref(), key.get_ref());
                        layer.push((name, items_of(value.get_ref()), place(key.span().start)));
                    }
                }
                DeValue::Table(_) => {
                    let (section, meant) = (section.get_ref(), nearest_section(section.get_ref()));
                    let problem = format!("unknown section `{section}`: did you mean `{meant}`?");
                    self.fail(place(at), problem);
                }
                value => layer.push((section.get_ref().to_string(), items_of(value), place(at))),
            }
        }
        self.apply(layer);
    }

    fn read_upstream(&mut self, table: &Spanned<DeValue<'_>>, place: &dyn Fn(usize) -> Place) {
        let mut errors = Vec::new();
        let read = upstream::read(table, &mut |at, problem| errors.push((at, problem)));
        for (at, problem) in errors {
            self.fail(place(at), problem);
        }
        let Some(read) = read else {
            return;
        };
        let same = |one: &UpstreamConfig| one.name == read.name;
        if self.upstreams.iter().any(same) {
            let problem = format!("there are two upstreams `{}`", read.name);
            return self.fail(place(table.span().start), problem);
        }
        self.upstreams.push(read);
    }

    fn read_environment(&mut self, sources: &Sources) {
        let mut layer = Vec::new();
        for (variable, value) in &sources.environment {
            let Some((variable, name)) = variable
                .to_str()
                .and_then(|v| Some((v, v.strip_prefix(PREFIX)?)))
            else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let name = match name.split_once("__") {
                Some((section, key)) => format!("{section}.{key}"),
                None if meant_by_variable(&name).is_some() => name,
                // Not in the form of a setting, nor near to one: somebody else's.
                None => continue,
            };
            let place = Place::Variable(variable.to_owned());
            match value.to_str() {
                Some(value) => {
                    layer.push((name, Ok(vec![Zeroizing::new(value.to_owned())]), place))
                }
                None => self.fail(place, "its value is not UTF-8".to_owned()),
            }
        }
        self.apply(layer);
    }

    fn read_options(&mut self, sources: &Sources) {
        let place =
            |name| Place::Option(find(name).and_then(|setting| setting.flag).unwrap_or(name));
        let layer = sources.options.iter();
        let layer = layer.map(|(name, value)| {
            (
                (*name).to_owned(),
                Ok(vec![Zeroizing::new(value.clone())]),
                place(name),
            )
        });
        self.apply(layer.collect());
    }

    /// Lets one source win over those before it. Within one, a setting may be given once.
    fn apply(&mut self, layer: Vec<(String, Items, Place)>) {
        let mut given = BTreeMap::new();
        for (name, items, place) in layer {
            let Some((setting, is_file)) = known(&name) else {
                self.unknown(&name, &place);
                continue;
            };
            if let Some(other) = given.insert(setting.name, place.to_string()) {
                let problem = format!(
                    "`{0}` is given twice (also at {other}): give `{0}` or `{0}_file`",
                    setting.name
                );
                self.fail(&place, problem);
                continue;
            }
            let items = items.and_then(|items| {
                if is_file {
                    read_secret(&items)
                } else {
                    Ok(items)
                }
            });
            match items {
                Ok(items) => drop(self.values.insert(setting.name, Written { items, place })),
                Err(problem) => self.fail(&place, format!("`{name}`: {problem}")),
            }
        }
    }

    fn unknown(&mut self, name: &str, place: &Place) {
        let meant = nearest(name);
        let hint = match (place, known(meant)) {
            (Place::Variable(_), Some((setting, is_file))) => {
                let suffix = if is_file { "_FILE" } else { "" };
                format!("did you mean `{meant}` (`{}{suffix}`)?", setting.variable())
            }
            _ => format!("did you mean `{meant}`?"),
        };
        self.fail(place, format!("unknown setting `{name}`: {hint}"));
    }

    fn fail(&mut self, source: impl fmt::Display, problem: String) {
        self.errors.push(ConfigError {
            source: source.to_string(),
            problem,
        });
    }
}

/// The setting of a name, and whether the name is that of its file.
fn known(name: &str) -> Option<(&'static Setting, bool)> {
    find(name)
        .map(|setting| (setting, false))
        .or_else(|| find_by_file_name(name).map(|setting| (setting, true)))
}

/// The text of a scalar, or of each scalar of a list.
fn items_of(value: &DeValue<'_>) -> Items {
    match value {
        DeValue::Array(values) => values
            .iter()
            .map(|value| text_of(value.get_ref()))
            .collect(),
        value => Ok(vec![text_of(value)?]),
    }
}

fn text_of(value: &DeValue<'_>) -> Result<Zeroizing<String>, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(switch) => Ok(switch.to_string()),
        DeValue::Datetime(time) => Ok(time.to_string()),
        DeValue::Array(_) => Err("a list within a list means nothing here".to_owned()),
        DeValue::Table(_) => Err("a table means nothing here".to_owned()),
    }
    .map(Zeroizing::new)
}

/// The contents of a secret's file, without one newline at its end.
fn read_secret(items: &[Zeroizing<String>]) -> Items {
    let [path] = items else {
        return Err("expected the path of one file".to_owned());
    };
    Ok(vec![secret_of_file(path)?])
}

/// The same for one path.
pub(super) fn secret_of_file(path: &str) -> Result<Zeroizing<String>, String> {
    let mut text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| format!("the file `{path}` cannot be read: {error}"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
