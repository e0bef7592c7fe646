//! scrypt (RFC 7914) in PHC strings, and the variant of Firebase.
//!
//! Firebase derives a key from the password by scrypt, and encrypts a key of the project with it, by AES-256 in
//! counter mode from zero; the ciphertext is the hash (the README of firebase/scrypt). That key of the project is
//! a part of each hash here, so that a hash needs nothing beside it.

use ::scrypt::Params;
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::super::{HashError, Unusable};
use super::phc::{Phc, bytes, number};

/// N × r × p: about a second on one core. N × r is a 128th of the memory in bytes: 256 MiB at most.
const MOST_WORK: u64 = 1 << 21;
/// Below half a mebibyte of memory it is no harder to guess than a plain digest.
const LEAST_WORK: u64 = 1 << 12;
/// Lanes are computed one after the other.
const MOST_LANES: u32 = 16;

/// A stored hash, read.
pub(super) struct Stored {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
    /// The key that Firebase's variant encrypts.
    signer: Option<Zeroizing<Vec<u8>>>,
}

impl Stored {
    /// What stands behind `$scrypt$`.
    pub(super) fn read(rest: &str) -> Result<Self, Unusable> {
        let phc = Phc::read(rest)?;
        let [ln, r, p] = phc.params(["ln", "r", "p"])?;
        Ok(Self {
            params: params(ln, r, p)?,
            salt: phc.salt,
            output: phc.output,
            signer: None,
        })
    }

    /// What stands behind `$firebase-scrypt$`.
    pub(super) fn read_firebase(rest: &str) -> Result<Self, Unusable> {
        let phc = Phc::read(rest)?;
        let [ln, r, p, separator, key] = phc.params(["ln", "r", "p", "sep", "key"])?;
        let signer = Zeroizing::new(bytes(key)?);
        if signer.len() != phc.output.len() {
            return Err(Unusable::Malformed);
        }
        let mut salt = phc.salt;
        salt.extend(bytes(separator)?);
        Ok(Self {
            params: params(ln, r, p)?,
            salt,
            output: phc.output,
            signer: Some(signer),
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        let computed = match &self.signer {
            None => {
                let mut computed = vec![0; self.output.len()];
                self.derive(password, &mut computed)?;
                computed
            }
            Some(signer) => {
                let mut derived = Zeroizing::new([0; 32]);
                self.derive(password, derived.as_mut())?;
                encrypted(&derived, signer)?
            }
        };
        Ok(verify_slices_are_equal(&computed, &self.output).is_ok())
    }

    fn derive(&self, password: &[u8], output: &mut [u8]) -> Result<(), HashError> {
        ::scrypt::scrypt(password, &self.salt, &self.params, output).map_err(HashError::fault)
    }
}

/// In counter mode encrypting and decrypting are one; only the latter takes a counter that is given.
fn encrypted(key: &[u8; 32], text: &[u8]) -> Result<Vec<u8>, HashError> {
    let fault = |_| HashError::fault("AES failed");
    let key = UnboundCipherKey::new(&AES_256, key).map_err(fault)?;
    let key = DecryptingKey::ctr(key).map_err(fault)?;
    let mut text = text.to_vec();
    let zero = DecryptionContext::Iv128(FixedLength::from([0; 16]));
    key.decrypt(&mut text, zero).map_err(fault)?;
    Ok(text)
}

fn params(ln: &str, r: &str, p: &str) -> Result<Params, Unusable> {
    let (ln, r, p) = (number(ln)?, number(r)?, number(p)?);
    let work = 1_u64
        .checked_shl(ln)
        .and_then(|n| n.checked_mul(r.into())?.checked_mul(p.into()));
    match work {
        Some(work) if work <= MOST_WORK && p <= MOST_LANES && ln < 32 => {
            if work < LEAST_WORK {
                return Err(Unusable::TooWeak);
            }
            let ln = u8::try_from(ln).map_err(|_| Unusable::TooCostly)?;
            Params::new(ln, r, p).map_err(|_| Unusable::Malformed)
        }
        _ => Err(Unusable::TooCostly),
    }
}
