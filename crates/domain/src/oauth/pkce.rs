use super::OAuthError;

/// `code_challenge` of the method S256 (RFC 7636 section 4.2): SHA-256 in base64url, 43 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(Box<str>);

impl Challenge {
    /// Reads a challenge.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if text.len() != 43 || !text.bytes().all(plain) {
            return Err(OAuthError::invalid_request(
                "The parameter code_challenge is a SHA-256 digest in base64url: 43 characters.",
            ));
        }
        Ok(Self(text.into()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `code_verifier` (RFC 7636 section 4.1): 43 to 128 unreserved characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Verifier<'a>(&'a str);

impl<'a> Verifier<'a> {
    /// Reads a verifier.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn parse(text: &'a str) -> Result<Self, OAuthError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
            return Err(OAuthError::invalid_request(
                "The parameter code_verifier has 43 to 128 letters, digits, hyphens, periods, underscores and tildes.",
            ));
        }
        Ok(Self(text))
    }

    /// As it was given: what the challenge is the digest of.
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}
