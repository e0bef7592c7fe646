//! Sealing what is made as often as anybody asks: each text under a key of its own.
//!
//! AES-GCM under one key bears 2^32 random nonces (NIST SP 800-38D section 8.3), which tokens would come near. Here 24
//! random bytes choose the key and nothing is sealed under it again, so that the nonce is no matter: two texts share a key
//! after some 2^96 of them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{MasterKey, SealError};
use crate::rng::Rng;

/// The first byte of everything sealed so.
const VERSION: u8 = 2;
const SALT_BYTES: usize = 24;

impl MasterKey {
    /// Encrypts and authenticates `plaintext`, as [`MasterKey::seal`] does for what is made seldom.
    ///
    /// The result is a version byte, 24 random bytes, the ciphertext and a tag of 16 bytes.
    ///
    /// # Errors
    /// When there is no entropy.
    pub fn seal_single(
        &self,
        rng: &Rng,
        context: &str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let salt = rng.bytes::<SALT_BYTES>()?;
        let mut sealed =
            Vec::with_capacity(1 + SALT_BYTES + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plaintext);
        let body = &mut sealed[1 + SALT_BYTES..];
        let tag = self
            .single_key(&salt)?
            .seal_in_place_separate_tag(nonce(), Aad::from(context.as_bytes()), body)
            .map_err(|_| SealError::NotOurs)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`MasterKey::seal_single`] made for the same `context`.
    ///
    /// # Errors
    /// As [`MasterKey::open`].
    pub fn open_single(
        &self,
        context: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::NotOurs)?;
        let (salt, body) = rest
            .split_at_checked(SALT_BYTES)
            .ok_or(SealError::NotOurs)?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        let length = self
            .single_key(salt)?
            .open_in_place(nonce(), Aad::from(context.as_bytes()), &mut plaintext)
            .map_err(|_| SealError::NotOurs)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }

    fn single_key(&self, salt: &[u8]) -> Result<LessSafeKey, SealError> {
        let label = format!("seal single {}", URL_SAFE_NO_PAD.encode_to_string(salt));
        let key = UnboundKey::new(&AES_256_GCM, self.subkey(&label)?.as_slice());
        key.map(LessSafeKey::new).map_err(|_| SealError::NotOurs)
    }
}

/// The only one that a key is used with.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
