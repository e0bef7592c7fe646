//! Signature algorithms (RFC 7518 section 3, RFC 8037, RFC 9864).

use std::fmt;
use std::str::FromStr;

/// A signature algorithm. There is no `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// Ed25519 (RFC 8037 section 3.1), also called `Ed25519` since RFC 9864.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256,
    /// RSASSA-PSS with SHA-256 and MGF1 (RFC 7518 section 3.5).
    Ps256,
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256,
}

impl Algorithm {
    /// Every algorithm, for messages and settings.
    pub const ALL: [Self; 5] = [
        Self::Es256,
        Self::EdDsa,
        Self::Rs256,
        Self::Ps256,
        Self::Hs256,
    ];

    /// The JOSE name, as in the `alg` header that we write.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Hs256 => "HS256",
        }
    }

    /// Reads a JOSE name, byte for byte.
    pub fn from_jose(name: &str) -> Option<Self> {
        Some(match name {
            "ES256" => Self::Es256,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "HS256" => Self::Hs256,
            _ => return None,
        })
    }

    /// Whether one secret both signs and verifies.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name is none of the algorithms of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of ES256, EdDSA, RS256, PS256, HS256")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::from_jose(name).ok_or(UnknownAlgorithm)
    }
}
