//! The master key, and what is sealed under it: private keys in the database are worth nothing without it.

mod file;
mod single;
#[cfg(test)]
mod tests;
mod text;

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::rng::{Rng, RngError};
use crate::secret::Secret;

const KEY_BYTES: usize = 32;
/// The first byte of everything sealed: AES-256-GCM under the subkey `seal`.
const VERSION: u8 = 1;

/// 32 secret bytes that are kept outside the database.
#[derive(Clone)]
pub struct MasterKey(Secret<[u8; KEY_BYTES]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not 32 bytes in base64url, base64 or hexadecimal.
    #[error(
        "the master key is not 32 bytes written in base64 or hexadecimal (`openssl rand -base64 32` makes one)"
    )]
    Malformed,
    /// All bytes are the same: a placeholder.
    #[error("the master key is a placeholder, not a secret: all its bytes are the same")]
    Placeholder,
    /// Others than the owner may read the file.
    #[error("{path}: others may read this file; make it private with `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file is there, but holds no key.
    #[error("{path}: this file holds no master key: {source}")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with its contents.
        source: Box<MasterKeyError>,
    },
    /// The file cannot be opened, read or made. [`MasterKeyError::is_missing`] tells the one case that may be mended.
    #[error("{path}: the master key cannot be {action}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// "read" or "written".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// There are no random bytes to make a key from.
    #[error(transparent)]
    Random(#[from] RngError),
}

impl MasterKeyError {
    /// True when there is no file at that path at all.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, action: "read", .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// True when a file was to be made at that path and there is one.
    #[must_use]
    pub fn is_there_already(&self) -> bool {
        matches!(self, Self::Io { source, action: "written", .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// Why something sealed does not open, or cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sealed under another master key or for another purpose, or damaged.
    #[error("this was sealed under another master key, or is damaged")]
    NotOurs,
    /// There are no random bytes for a nonce.
    #[error(transparent)]
    Random(#[from] RngError),
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// Reads the key from a setting.
    ///
    /// # Errors
    /// When it is not 32 bytes in base64url, base64 or hexadecimal, or is plainly no secret.
    pub fn from_config(setting: &Secret<String>) -> Result<Self, MasterKeyError> {
        Self::from_text(setting.expose())
    }

    /// A new key, kept nowhere yet.
    ///
    /// # Errors
    /// When there is no entropy.
    pub fn generate(rng: &Rng) -> Result<Self, MasterKeyError> {
        Ok(Self(Secret::new(rng.bytes()?)))
    }

    /// Reads the key from a file that only its owner may read.
    ///
    /// # Errors
    /// When the file is missing ([`MasterKeyError::is_missing`]), unreadable, readable by others, or holds no key.
    pub fn read_file(path: &Path) -> Result<Self, MasterKeyError> {
        let text = file::read_private(path)?;
        Self::from_text(text.trim_end_matches(['\r', '\n'])).map_err(|source| {
            MasterKeyError::BadFile {
                path: path.to_owned(),
                source: Box::new(source),
            }
        })
    }

    /// Makes a new key and its file. When this returns, both survive a loss of power; when it fails, or the process dies
    /// in it, there is either no file at `path` or a whole one.
    ///
    /// # Errors
    /// When a file exists at `path` already, or it cannot be written.
    pub fn create_file(path: &Path, rng: &Rng) -> Result<Self, MasterKeyError> {
        let key = Self::generate(rng)?;
        let mut text = Zeroizing::new(URL_SAFE_NO_PAD.encode_to_string(key.0.expose()));
        text.push('\n');
        let draft = URL_SAFE_NO_PAD.encode_to_string(rng.bytes::<6>()?);
        file::create_private(path, &draft, text.as_bytes())?;
        Ok(key)
    }

    /// Encrypts and authenticates `plaintext`. `context` says what it is and whose, and must be given again to open it,
    /// so that nothing sealed for one place opens in another.
    ///
    /// The result is a version byte, a random nonce of 12 bytes, the ciphertext and a tag of 16 bytes.
    ///
    /// # Errors
    /// When there is no entropy.
    pub fn seal(&self, rng: &Rng, context: &str, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = rng.bytes::<NONCE_LEN>()?;
        let mut sealed =
            Vec::with_capacity(1 + NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .sealing_key()?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                &mut sealed[1 + NONCE_LEN..],
            )
            .map_err(|_| SealError::NotOurs)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`MasterKey::seal`] made for the same `context`.
    ///
    /// # Errors
    /// When it was sealed under another key or for another context, or a bit of it has changed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::NotOurs)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::NotOurs)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::NotOurs)?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        let length = self
            .sealing_key()?
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut plaintext)
            .map_err(|_| SealError::NotOurs)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }

    /// 32 bytes for one purpose (HKDF-SHA256, RFC 5869): knowing them tells nothing of the master key or of the bytes
    /// for another label.
    ///
    /// # Errors
    /// Only when the crypto library refuses, which it has no reason to.
    pub fn subkey(&self, label: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"symbolon master key v1")
            .extract(self.0.expose())
            .expand(&[label.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(bytes.as_mut_slice()))
            .map_err(|_| SealError::NotOurs)?;
        Ok(bytes)
    }

    /// A value by which a store knows its master key again: 22 characters of base64url. It may be stored in the open.
    ///
    /// # Errors
    /// As [`MasterKey::subkey`].
    pub fn check_value(&self) -> Result<String, SealError> {
        Ok(URL_SAFE_NO_PAD.encode_to_string(&self.mac("check", b"check value")?[..16]))
    }

    /// The MAC of `text` under the subkey `label` (HMAC-SHA256, RFC 2104).
    ///
    /// # Errors
    /// As [`MasterKey::subkey`].
    pub fn mac(&self, label: &str, text: &[u8]) -> Result<[u8; KEY_BYTES], SealError> {
        let tag = hmac::sign(&self.mac_key(label)?, text);
        tag.as_ref().try_into().map_err(|_| SealError::NotOurs)
    }

    /// Whether `tag` is what [`MasterKey::mac`] gives; takes the same time for every wrong one.
    ///
    /// # Errors
    /// As [`MasterKey::subkey`].
    pub fn mac_is(&self, label: &str, text: &[u8], tag: &[u8]) -> Result<bool, SealError> {
        Ok(hmac::verify(&self.mac_key(label)?, text, tag).is_ok())
    }

    fn mac_key(&self, label: &str) -> Result<hmac::Key, SealError> {
        Ok(hmac::Key::new(
            hmac::HMAC_SHA256,
            self.subkey(label)?.as_slice(),
        ))
    }

    fn sealing_key(&self) -> Result<LessSafeKey, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, self.subkey("seal")?.as_slice());
        key.map(LessSafeKey::new).map_err(|_| SealError::NotOurs)
    }

    fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = text::decode(text).ok_or(MasterKeyError::Malformed)?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(MasterKeyError::Placeholder);
        }
        Ok(Self(Secret::new(*bytes)))
    }
}
