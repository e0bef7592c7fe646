use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::is_deceptive;
use crate::Problem;

/// In code points.
const MAX_LENGTH: usize = 200;

/// The name that people see: any text of 1 to 200 code points, in NFC, white space at the ends cut.
///
/// No control characters and none that turn or hide text. It is not escaped: whoever shows it does that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a display name.
    ///
    /// # Errors
    /// `name_too_short`, `name_too_long` or `name_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        // In bytes and before normalising, so that the work is bounded.
        if text.len() > MAX_LENGTH * 16 {
            return Err(too_long());
        }
        let name: String = text.trim().nfc().collect();
        if name.chars().any(|c| c.is_control() || is_deceptive(c)) {
            return Err(Problem::new(
                "name_malformed",
                "A name has no control characters and no invisible ones.",
            ));
        }
        if !name.chars().any(is_visible) {
            return Err(Problem::new(
                "name_too_short",
                "A name has at least one visible character.",
            ));
        }
        if name.chars().count() > MAX_LENGTH {
            return Err(too_long());
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn too_long() -> Problem {
    Problem::new(
        "name_too_long",
        format!("A name has at most {MAX_LENGTH} characters."),
    )
}

/// Not a blank: neither white space nor one of the fillers and joiners that show as nothing alone.
fn is_visible(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{200C}' | '\u{200D}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}
