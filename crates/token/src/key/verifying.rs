//! Keys that verify.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};

use super::{Headers, p256_point};
use crate::algorithm::Algorithm;
use crate::encoding::{self, encoded_length};
use crate::error::{Error, KeyError};
use crate::jwk::{Jwk, PrivateJwk, Public, Secret};
use crate::key::SigningKey;
use crate::typ::Typ;

/// The signature of an RSA key of 8192 bits.
const MAX_RSA_SIGNATURE: usize = 1024;

/// A key that verifies with one algorithm, whatever a token's header says.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<String>,
    algorithm: Algorithm,
    material: Material,
    headers: Option<Headers>,
}

#[derive(Clone)]
enum Material {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl VerifyingKey {
    /// Prepares a public key for its algorithm (see [`Jwk::algorithm_or_default`]).
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_jwk_for`].
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        Self::from_jwk_for(jwk, jwk.algorithm_or_default())
    }

    /// Prepares a public key for an algorithm that it does not contradict.
    ///
    /// # Errors
    ///
    /// [`KeyError::AlgorithmMismatch`], [`KeyError::WrongUse`] if `key_ops` does
    /// not allow verifying, and [`KeyError::Invalid`] for a point off its curve.
    pub fn from_jwk_for(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, KeyError> {
        if !jwk.fits(algorithm) {
            return Err(KeyError::AlgorithmMismatch);
        }
        if !jwk.operations().verify {
            return Err(KeyError::WrongUse);
        }
        let parsed = match jwk.public() {
            Public::P256 { x, y } => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, p256_point(x, y))
            }
            Public::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
            Public::Rsa { n, e } => {
                let padding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(padding)
            }
        };
        let material = Material::Public(parsed.map_err(|_| KeyError::Invalid)?);
        Ok(Self::new(jwk.kid(), algorithm, material))
    }

    /// Prepares the verifying half of a private or symmetric JWK. A symmetric
    /// key without a `kid` answers to any, as does any key without one.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_jwk`] and [`SigningKey::hmac`].
    pub fn from_private_jwk(jwk: &PrivateJwk) -> Result<Self, KeyError> {
        match (jwk.secret(), jwk.public()) {
            (Secret::Symmetric { k, .. }, _) if jwk.operations().verify => Self::hmac(jwk.kid(), k),
            (Secret::Symmetric { .. }, _) => Err(KeyError::WrongUse),
            (_, Some(public)) => Self::from_jwk(public),
            (_, None) => Err(KeyError::Malformed),
        }
    }

    /// Prepares a shared secret for HS256.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::hmac`].
    pub fn hmac(kid: Option<&str>, secret: &[u8]) -> Result<Self, KeyError> {
        let key = SigningKey::hmac(kid.unwrap_or("secret"), secret)?.verifying_key();
        Ok(Self::new(kid, key.algorithm, key.material))
    }

    pub(crate) fn from_hmac(kid: Option<&str>, key: Box<hmac::Key>) -> Self {
        Self::new(kid, Algorithm::Hs256, Material::Hmac(key))
    }

    fn new(kid: Option<&str>, algorithm: Algorithm, material: Material) -> Self {
        Self {
            headers: kid.map(|kid| Headers::new(algorithm, kid)),
            kid: kid.map(str::to_owned),
            algorithm,
            material,
        }
    }

    /// The key's name, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether a header segment is exactly the one that our signer writes with
    /// this key for this kind of token: then nothing in it is left to be read.
    pub(crate) fn writes_header(&self, typ: &Typ, segment: &[u8]) -> bool {
        let header = self.headers.as_ref().and_then(|headers| headers.find(typ));
        header.is_some_and(|header| header.as_bytes() == segment)
    }

    /// Checks a signature segment over the signing input (RFC 7515 section 5.2).
    pub(crate) fn check(&self, signing_input: &[u8], segment: &[u8]) -> Result<(), Error> {
        match &self.material {
            Material::Hmac(key) => {
                let tag: [u8; 32] = fixed(segment)?;
                // In constant time.
                hmac::verify(key, signing_input, &tag).map_err(|_| Error::BadSignature)
            }
            // RFC 7518 section 3.4, RFC 8032 section 5.1.6: exactly 64 bytes.
            Material::Public(key)
                if matches!(self.algorithm, Algorithm::Es256 | Algorithm::EdDsa) =>
            {
                let signature: [u8; 64] = fixed(segment)?;
                key.verify_sig(signing_input, &signature)
                    .map_err(|_| Error::BadSignature)
            }
            Material::Public(key) => {
                if segment.len() > encoded_length(MAX_RSA_SIGNATURE) {
                    return Err(Error::BadSignature);
                }
                let mut buffer = [0; MAX_RSA_SIGNATURE];
                let signature = encoding::decode_into(segment, &mut buffer)?;
                key.verify_sig(signing_input, signature)
                    .map_err(|_| Error::BadSignature)
            }
        }
    }
}

/// Decodes a signature of a fixed length. One of any other length is a wrong
/// signature, not a malformed token.
fn fixed<const N: usize>(segment: &[u8]) -> Result<[u8; N], Error> {
    if segment.len() != encoded_length(N) {
        return Err(Error::BadSignature);
    }
    Ok(encoding::decode_exact(segment)?)
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
