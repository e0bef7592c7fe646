//! The name of a key that follows from the key itself (RFC 7638).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::encoding;
use crate::error::Error;
use crate::slot::{FromJson, Slot};

/// The SHA-256 thumbprint of a public key (RFC 7638), as `jkt` and `dpop_jkt`
/// hold it: 43 characters of base64url in a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

/// The text is not 43 characters of unpadded base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the SHA-256 thumbprint of a key")]
pub struct NotThumbprint;

impl Thumbprint {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Thumbprint {
    type Err = NotThumbprint;

    fn from_str(text: &str) -> Result<Self, NotThumbprint> {
        match encoding::decode_exact(text.as_bytes()) {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(NotThumbprint),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&encoding::encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromJson for Thumbprint {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The claim `cnf`: whose key a token is bound to (RFC 7800 section 3.1,
/// RFC 9449 section 6.1).
///
/// A token with a `cnf` that names no key by `jkt` is refused: who took it for
/// an unbound one would let a thief use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// The thumbprint of the key that must sign the proofs.
    pub jkt: Thumbprint,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct RawConfirmation {
    jkt: Slot<Thumbprint>,
}

impl TryFrom<RawConfirmation> for Confirmation {
    type Error = Error;

    fn try_from(raw: RawConfirmation) -> Result<Self, Error> {
        let malformed = Error::MalformedClaim("cnf");
        let jkt = raw.jkt.required(malformed, malformed)?;
        Ok(Self { jkt })
    }
}
