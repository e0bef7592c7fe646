//! Where settings come from, before any of it is read.

use std::ffi::OsString;
use std::path::PathBuf;

/// The file of the working directory that is read if it is there.
const DEFAULT_FILE: &str = "symbolon.toml";

/// The sources of the settings. The default has none, which leaves the default of each setting.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A file that must be there.
    pub file: Option<PathBuf>,
    /// A file that may be there, read when there is no `file`.
    pub default_file: Option<PathBuf>,
    /// Environment variables, of which those that begin with `SYMBOLON_` are looked at.
    pub environment: Vec<(OsString, OsString)>,
    /// Options of the command line: the name of the setting and its value.
    pub options: Vec<(&'static str, String)>,
}

impl Sources {
    /// The environment of this process, and `symbolon.toml` in its working directory if that is there.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that the ban sends callers to"
    )]
    pub fn of_process() -> Self {
        Self {
            default_file: Some(PathBuf::from(DEFAULT_FILE)),
            environment: std::env::vars_os().collect(),
            ..Self::default()
        }
    }

    /// Reads this file (`--config`), if one is given, instead of the default one.
    #[must_use]
    pub fn with_file(mut self, file: Option<PathBuf>) -> Self {
        self.file = file.or(self.file);
        self
    }

    /// Lets an option of the command line, if it was given, win over all other sources. `setting` is a name such as
    /// `server.listen`.
    #[must_use]
    pub fn with_option(mut self, setting: &'static str, value: Option<String>) -> Self {
        self.options.extend(value.map(|value| (setting, value)));
        self
    }

    /// As [`Sources::with_option`], for tests: sets an environment variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}
