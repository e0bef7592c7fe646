//! Nonces that the server need not remember (RFC 9449 section 8).

use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroizing;

use crate::encoding;
use crate::error::KeyError;

/// For how many seconds one nonce is given out.
const SLOT: i64 = 60;

/// Makes and recognises nonces: each is the MAC of the minute in which it is
/// given out, and is good in that minute and the next. Everybody with the same
/// secret makes the same ones.
#[derive(Clone)]
pub struct Nonces(hmac::Key);

impl Nonces {
    /// Nonces that follow from a secret, which several nodes may share.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Nonces of this process alone.
    ///
    /// # Errors
    ///
    /// [`KeyError::Failed`] if there is no entropy.
    #[expect(
        clippy::disallowed_methods,
        reason = "as keys that are made here, for owners who have no secret to give"
    )]
    pub fn random() -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        let random = SystemRandom::new();
        random.fill(secret.as_mut()).map_err(|_| KeyError::Failed)?;
        Ok(Self::new(&secret))
    }

    /// The nonce to give out at a time in seconds since 1970: 22 characters of base64url.
    #[must_use]
    pub fn current(&self, now_seconds: i64) -> String {
        self.of_slot(now_seconds.div_euclid(SLOT))
    }

    /// Whether a nonce was given out in the minute of `now_seconds` or the one before.
    #[must_use]
    pub fn accepts(&self, nonce: &str, now_seconds: i64) -> bool {
        let slot = now_seconds.div_euclid(SLOT);
        [slot, slot.saturating_sub(1)].into_iter().any(|slot| {
            let good = self.of_slot(slot);
            constant_time::verify_slices_are_equal(good.as_bytes(), nonce.as_bytes()).is_ok()
        })
    }

    fn of_slot(&self, slot: i64) -> String {
        let tag = hmac::sign(&self.0, &slot.to_be_bytes());
        let (half, _) = tag.as_ref().split_at(16);
        encoding::encode(half)
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}
