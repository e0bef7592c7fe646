//! Sign any payload with a key file of the caller's, as `symbolon token sign` does: no store, no key of ours.

use symbolon_token::{Algorithm, KeyError, inspect};

/// What to sign, and how.
pub struct Request<'a> {
    /// A private JWK, or a raw secret with one trailing newline cut.
    pub key_file: &'a [u8],
    /// The algorithm that the key must have, where one is asked for.
    pub algorithm: Option<Algorithm>,
    /// The header's `typ`.
    pub typ: Option<String>,
    /// The header's `kid`; the key's own, if absent.
    pub kid: Option<String>,
    /// The payload, byte for byte.
    pub payload: &'a [u8],
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key file is not one that signs.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is for another algorithm.
    #[error("the key is for {0}")]
    Algorithm(Algorithm),
    /// Signing failed.
    #[error(transparent)]
    Token(#[from] symbolon_token::Error),
}

/// The token in compact form (RFC 7515 section 7.1).
///
/// # Errors
/// As [`Error`] lists.
pub fn sign(request: Request<'_>) -> Result<String, Error> {
    let key = inspect::signing_key_from_secret_file(request.key_file)?;
    if request
        .algorithm
        .is_some_and(|wanted| wanted != key.algorithm())
    {
        return Err(Error::Algorithm(key.algorithm()));
    }
    let mut header = serde_json::Map::new();
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    if let Some(typ) = request.typ {
        header.insert("typ".to_owned(), typ.into());
    }
    let kid = request.kid.unwrap_or_else(|| key.kid().to_owned());
    header.insert("kid".to_owned(), kid.into());
    let header = serde_json::Value::Object(header).to_string();
    Ok(key.sign_raw(header.as_bytes(), request.payload)?)
}
