//! How a person is named: address, user name, display name.

mod display_name;
mod email;
#[cfg(test)]
mod tests;
mod username;

pub use display_name::DisplayName;
pub use email::Email;
pub use username::Username;

use crate::Problem;

/// What someone signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identifier {
    /// It holds an `@`, which no user name does.
    Email(Email),
    /// It holds none, which every address does.
    Username(Username),
}

impl Identifier {
    /// Reads an identifier of either kind.
    ///
    /// # Errors
    /// The problem of the kind that the text looks like.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.contains('@') {
            Email::parse(text).map(Self::Email)
        } else {
            Username::parse(text).map(Self::Username)
        }
    }
}

/// Characters that change how the text around them is shown, or that show as nothing at all. The zero-width
/// joiner and non-joiner are not among them: Persian and many emoji need them.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200E}' | '\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        | '\u{2028}' | '\u{2029}'
        | '\u{00AD}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2065}'
        | '\u{206A}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}
