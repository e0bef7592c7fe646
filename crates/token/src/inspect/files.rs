//! Key files as owners have them.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::jwk::{Jwk, Jwks, PrivateJwk};
use crate::key::{KeySet, SigningKey, VerifyingKey};

/// Reads keys to verify with: a JWK Set, or one JWK, of public keys; or of
/// symmetric keys only, as an owner may keep in a file but never publishes. With
/// an algorithm, only the keys that fit it are taken, for it (see
/// [`KeySet::from_jwks_for`]).
///
/// # Errors
///
/// Whatever [`KeyError`] describes of public keys; [`KeyError::PrivateMember`]
/// also for a set that mixes secrets and public keys.
pub fn keys_from_jwks_file(
    content: &[u8],
    algorithm: Option<Algorithm>,
) -> Result<KeySet, KeyError> {
    let jwks = match Jwks::parse(content) {
        Err(KeyError::MissingMember("keys")) => {
            Jwk::parse(content).map(|jwk| Jwks { keys: vec![jwk] })
        }
        jwks => jwks,
    };
    match (jwks, algorithm) {
        (Ok(jwks), Some(algorithm)) => KeySet::from_jwks_for(&jwks, algorithm),
        (Ok(jwks), None) => KeySet::from_jwks(&jwks),
        (Err(KeyError::PrivateMember), None | Some(Algorithm::Hs256)) => {
            let keys = symmetric_keys(content).map_err(|error| match error {
                KeyError::MixedSet => KeyError::PrivateMember,
                error => error,
            })?;
            match keys.iter().any(|key| key.public().is_some()) {
                true => Err(KeyError::PrivateMember),
                false => prepare(&keys),
            }
        }
        (Err(error), _) => Err(error),
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
    prepare(&symmetric_keys(content)?)
}

/// The keys of a set of symmetric keys, or the one private JWK.
fn symmetric_keys(content: &[u8]) -> Result<Vec<PrivateJwk>, KeyError> {
    match Jwks::parse_symmetric(content) {
        Err(KeyError::MissingMember("keys")) => Ok(vec![PrivateJwk::parse(content)?]),
        keys => keys,
    }
}

fn prepare(keys: &[PrivateJwk]) -> Result<KeySet, KeyError> {
    let keys = keys.iter().map(VerifyingKey::from_private_jwk);
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
