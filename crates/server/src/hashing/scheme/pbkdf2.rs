//! PBKDF2 (RFC 8018 section 5.2) as `$pbkdf2-sha256$i=600000$SALT$HASH`.

use std::num::NonZeroU32;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::pbkdf2::{
    Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512, derive,
};

use super::super::Unusable;
use super::phc::{Phc, number};

/// Iterations times blocks of output: about a second on one core. Django's 1,200,000 and Keycloak's 210,000 of
/// SHA-512 fit.
const MOST_WORK: u64 = 2_000_000;
/// The least that RFC 2898 named, in the year 2000.
const LEAST_ITERATIONS: u32 = 1_000;

/// The digests by the names they have in the notation, with the length of their output in bytes.
const DIGESTS: [(&str, Algorithm, usize); 3] = [
    ("sha1", PBKDF2_HMAC_SHA1, 20),
    ("sha256", PBKDF2_HMAC_SHA256, 32),
    ("sha512", PBKDF2_HMAC_SHA512, 64),
];

/// A stored hash, read.
pub(super) struct Stored {
    digest: Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Stored {
    /// What stands behind `$pbkdf2-`.
    pub(super) fn read(rest: &str) -> Result<Self, Unusable> {
        let (name, rest) = rest.split_once('$').ok_or(Unusable::Malformed)?;
        let known = DIGESTS.into_iter().find(|(known, ..)| *known == name);
        let (_, digest, block) = known.ok_or(Unusable::Unknown)?;
        let phc = Phc::read(rest)?;
        let [iterations] = phc.params(["i"])?;
        let iterations = number(iterations)?;
        let blocks = phc.output.len().div_ceil(block) as u64;
        if u64::from(iterations) * blocks > MOST_WORK {
            return Err(Unusable::TooCostly);
        }
        if iterations < LEAST_ITERATIONS {
            return Err(Unusable::TooWeak);
        }
        Ok(Self {
            digest,
            iterations: NonZeroU32::new(iterations).ok_or(Unusable::TooWeak)?,
            salt: phc.salt,
            output: phc.output,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.output.len()];
        derive(
            self.digest,
            self.iterations,
            &self.salt,
            password,
            &mut computed,
        );
        verify_slices_are_equal(&computed, &self.output).is_ok()
    }
}
