use crate::Problem;

use super::token_text::text_type;

/// In characters.
const MAX_LENGTH: usize = 64;
/// What our own sign-in calls itself in tokens.
const RESERVED: &str = "symbolon";

text_type! {
    /// The `client_id`: 1 to 64 of `A`-`Z`, `a`-`z`, `0`-`9`, `.`, `_` and `-`, with a letter or digit first.
    ///
    /// Compared byte by byte. `symbolon`, in whatever case, is our own sign-in.
    ClientId
}

impl ClientId {
    /// Reads the id of a client.
    ///
    /// # Errors
    /// `client_id_malformed`, `client_id_reserved`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let first_allowed = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if !first_allowed || !text.bytes().all(is_allowed) || text.len() > MAX_LENGTH {
            return Err(Problem::new(
                "client_id_malformed",
                "The id of a client has 1 to 64 letters A to Z and a to z, digits, '.', '_' and '-', a letter or digit \
                 first.",
            ));
        }
        if text.eq_ignore_ascii_case(RESERVED) {
            return Err(Problem::new(
                "client_id_reserved",
                "This id stands for the server's own sign-in.",
            ));
        }
        Ok(Self(text.into()))
    }
}
