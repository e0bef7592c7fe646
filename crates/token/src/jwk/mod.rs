//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037), read strictly.

mod ed25519;
mod members;
mod private;
mod rsa;
mod set;
mod spki;

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize, Serializer};

use crate::algorithm::Algorithm;
use crate::encoding;
use crate::error::KeyError;
use crate::strict;
use crate::thumbprint::Thumbprint;

pub(crate) use members::{Operations, RawJwk, good_kid};
pub use private::PrivateJwk;
pub(crate) use private::Secret;
pub(crate) use rsa::from_pkcs1 as rsa_from_pkcs1;
pub use set::Jwks;
pub(crate) use set::refuse_duplicates;
pub(crate) use spki::p256_from_point;

/// A public key for signatures.
///
/// It has no room for private members: reading a key that carries any is an
/// error, and writing one cannot leak them. What is read is valid as far as
/// numbers show it; whether a point lies on its curve is checked when a
/// [`crate::VerifyingKey`] is made of it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawJwk")]
pub struct Jwk {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    operations: Operations,
    public: Public,
}

/// The numbers of a public key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Public {
    P256 { x: [u8; 32], y: [u8; 32] },
    Ed25519 { x: [u8; 32] },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl Jwk {
    /// Reads a public key from JSON.
    ///
    /// # Errors
    ///
    /// Whatever [`KeyError`] describes of a public key; private members are an
    /// error too.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        strict::from_slice::<RawJwk>(json)?.try_into()
    }

    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7), the inside
    /// of a `PUBLIC KEY` PEM file.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] for what is no such key on P-256, Ed25519 or RSA,
    /// and the refusals of unsafe RSA numbers.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::new(spki::read(der)?))
    }

    pub(crate) fn new(public: Public) -> Self {
        Self {
            kid: None,
            algorithm: None,
            operations: Operations::default(),
            public,
        }
    }

    /// The same key under a name and for one algorithm.
    pub(crate) fn named(self, kid: &str, algorithm: Algorithm) -> Self {
        Self {
            kid: Some(kid.to_owned()),
            algorithm: Some(algorithm),
            ..self
        }
    }

    /// The key's name.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm that the key declares with `alg`.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The algorithm that the key is for: the declared one, else the one of its
    /// type, which is RS256 for RSA.
    pub fn algorithm_or_default(&self) -> Algorithm {
        self.algorithm.unwrap_or(match self.public {
            Public::P256 { .. } => Algorithm::Es256,
            Public::Ed25519 { .. } => Algorithm::EdDsa,
            Public::Rsa { .. } => Algorithm::Rs256,
        })
    }

    /// Whether the key can serve an algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|declared| declared == algorithm) && self.public.fits(algorithm)
    }

    pub(crate) fn operations(&self) -> Operations {
        self.operations
    }

    pub(crate) fn public(&self) -> &Public {
        &self.public
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url.
    pub fn thumbprint(&self) -> String {
        encoding::encode(&self.thumbprint_bytes())
    }

    /// The SHA-256 thumbprint (RFC 7638), as what tokens are bound to (RFC 9449 section 6.1).
    pub fn jkt(&self) -> Thumbprint {
        Thumbprint::new(self.thumbprint_bytes())
    }

    /// The SHA-256 thumbprint (RFC 7638).
    pub fn thumbprint_bytes(&self) -> [u8; 32] {
        let encode = |bytes: &[u8]| encoding::encode(bytes);
        // RFC 7638 section 3.2: the required members only, in the order of
        // their names, without white space. No value needs an escape.
        let json = match &self.public {
            Public::P256 { x, y } => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                encode(x),
                encode(y)
            ),
            Public::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
            Public::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
        };
        let hash = digest::digest(&digest::SHA256, json.as_bytes());
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
            *to = *from;
        }
        bytes
    }
}

impl Public {
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::P256 { .. } => algorithm == Algorithm::Es256,
            Self::Ed25519 { .. } => algorithm == Algorithm::EdDsa,
            Self::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
        }
    }
}

impl TryFrom<RawJwk> for Jwk {
    type Error = KeyError;

    fn try_from(raw: RawJwk) -> Result<Self, KeyError> {
        let (jwk, secret) = raw.read()?;
        match (jwk, secret) {
            (Some(jwk), None) => Ok(jwk),
            _ => Err(KeyError::PrivateMember),
        }
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            kty: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            crv: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            n: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            e: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            x: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            y: Option<String>,
            #[serde(rename = "use")]
            usage: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            alg: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            kid: Option<&'a str>,
        }
        let encode = |bytes: &[u8]| Some(encoding::encode(bytes));
        let (kty, crv, n, e, x, y) = match &self.public {
            Public::P256 { x, y } => ("EC", Some("P-256"), None, None, encode(x), encode(y)),
            Public::Ed25519 { x } => ("OKP", Some("Ed25519"), None, None, encode(x), None),
            Public::Rsa { n, e } => ("RSA", None, encode(n), encode(e), None, None),
        };
        Members {
            kty,
            crv,
            n,
            e,
            x,
            y,
            usage: "sig",
            alg: self.algorithm.map(Algorithm::as_str),
            kid: self.kid(),
        }
        .serialize(serializer)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm_or_default())
            .field("thumbprint", &self.thumbprint())
            .finish()
    }
}
