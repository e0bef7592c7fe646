//! Key files as owners have them.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::jwk::{Jwk, Jwks, PrivateJwk};
use crate::key::{KeySet, SigningKey, VerifyingKey};

/// Reads public keys: a JWK Set, or one public JWK. With an algorithm, only the
/// keys that fit it are taken, for it (see [`KeySet::from_jwks_for`]).
///
/// # Errors
///
/// Whatever [`KeyError`] describes of public keys.
pub fn keys_from_jwks_file(
    content: &[u8],
    algorithm: Option<Algorithm>,
) -> Result<KeySet, KeyError> {
    let jwks = match Jwks::parse(content) {
        Err(KeyError::MissingMember("keys")) => Jwks {
            keys: vec![Jwk::parse(content)?],
        },
        jwks => jwks?,
    };
    match algorithm {
        Some(algorithm) => KeySet::from_jwks_for(&jwks, algorithm),
        None => KeySet::from_jwks(&jwks),
    }
}

/// Reads secrets to verify with: a private or symmetric JWK, a JWK Set of
/// symmetric keys only, or the raw secret with one trailing newline cut off.
/// A raw secret answers to any `kid`.
///
/// # Errors
///
/// Whatever [`KeyError`] describes of secrets and private keys.
pub fn keys_from_secret_file(content: &[u8]) -> Result<KeySet, KeyError> {
    if !is_json(content) {
        return KeySet::new(vec![VerifyingKey::hmac(None, raw(content))?]);
    }
    let jwks = match Jwks::parse_symmetric(content) {
        Err(KeyError::MissingMember("keys")) => vec![PrivateJwk::parse(content)?],
        jwks => jwks?,
    };
    let keys = jwks.iter().map(VerifyingKey::from_private_jwk);
    KeySet::new(keys.collect::<Result<_, _>>()?)
}

/// Reads a key to sign with: a private or symmetric JWK, or the raw secret with
/// one trailing newline cut off, whose `kid` is `secret`.
///
/// # Errors
///
/// Whatever [`KeyError`] describes of secrets and private keys.
pub fn signing_key_from_secret_file(content: &[u8]) -> Result<SigningKey, KeyError> {
    match is_json(content) {
        true => SigningKey::from_jwk(&PrivateJwk::parse(content)?),
        false => SigningKey::hmac("secret", raw(content)),
    }
}

fn is_json(content: &[u8]) -> bool {
    content.trim_ascii_start().starts_with(b"{")
}

fn raw(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}
