//! The tokens of links. One is derived from the id of a proof under a key that is not in the database, whenever the mail
//! with it is rendered: nothing secret waits in the outbox, and a mail that is repeated has the same link.

use aws_lc_rs::digest as hash;
use symbolon_token::encoding;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::sealing::{MasterKey, SealError};

/// By which secret scanners know a token.
const PREFIX: &str = "sbl_";
/// The subkey of links.
const LABEL: &str = "mail links";
/// Of 32 bytes in base64url.
const TEXT_BYTES: usize = 43;

/// The token of a link.
pub struct Link(Zeroizing<String>);

impl Link {
    /// The token of a proof: HMAC-SHA256 over its id.
    ///
    /// # Errors
    /// Only when the crypto library refuses, which it has no reason to.
    pub fn of(master: &MasterKey, proof: Uuid) -> Result<Self, SealError> {
        let secret = Zeroizing::new(master.mac(LABEL, proof.as_bytes())?);
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + TEXT_BYTES));
        text.push_str(PREFIX);
        text.push_str(&Zeroizing::new(encoding::encode(secret.as_slice())));
        Ok(Self(text))
    }

    /// The token, on its way into a mail.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// By what the store knows it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

/// The digest of a token that somebody brings; nothing for what cannot be one, so that the store is not asked.
#[must_use]
pub fn digest(token: &str) -> Option<[u8; 32]> {
    let rest = token.strip_prefix(PREFIX)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (rest.len() == TEXT_BYTES && rest.bytes().all(plain)).then(|| sha256(token))
}

fn sha256(text: &str) -> [u8; 32] {
    let digest = hash::digest(&hash::SHA256, text.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
