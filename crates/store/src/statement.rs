//! A statement: its text, its values, and how many rows it must change.

use crate::value::Value;

/// How many rows a statement must change; anything else rolls the whole batch back as [`crate::Error::Stale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// However many there are.
    Any,
    /// The row behind a primary key: one, or none.
    One,
    /// So many of several.
    Exactly(u64),
}

impl Expect {
    pub(crate) fn is_met(self, changed: u64) -> bool {
        match self {
            Self::Any => true,
            Self::One => changed == 1,
            Self::Exactly(rows) => changed == rows,
        }
    }
}

/// A statement that writes, ready to run on either engine.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) text: &'static str,
    pub(crate) values: Vec<Value>,
    pub(crate) expect: Expect,
}

impl Statement {
    /// The only statement of a batch, if there is never anything to undo when its expectation is missed: then it
    /// needs no transaction of its own.
    pub(crate) fn alone(batch: &[Self]) -> Option<&Self> {
        match batch {
            [only] if !matches!(only.expect, Expect::Exactly(_)) => Some(only),
            _ => None,
        }
    }
}

/// Names the texts of a module's statements, and lists them for the tests that prepare each on both engines.
///
/// One text for both: binds are `$1` to `$n`, and since SQLite counts them where they first stand, they must
/// first stand in that order.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$meta])* const $name: &str = $text;)+

        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

pub(crate) use statements;
