//! What makes RSA numbers acceptable (RFC 7518 sections 3.3 and 6.3.1).

use super::Public;
use crate::error::KeyError;

/// Checks a modulus and an exponent, both big-endian.
pub(super) fn checked(n: Vec<u8>, e: Vec<u8>) -> Result<Public, KeyError> {
    // RFC 7518 section 6.3.1.1: the minimum number of octets.
    if n.first().is_none_or(|&first| first == 0) {
        return Err(KeyError::MalformedMember("n"));
    }
    if e.first().is_none_or(|&first| first == 0) {
        return Err(KeyError::MalformedMember("e"));
    }
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !(2048..=8192).contains(&bits) || !odd(&n) || is_roca(&n) {
        return Err(KeyError::WeakModulus);
    }
    // FIPS 186-5 section A.1.1 asks for 2^16 < e; the library takes 33 bits.
    if e.len() > 5 || !odd(&e) {
        return Err(KeyError::UnsafeExponent);
    }
    let exponent = e
        .iter()
        .fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
    if !(65_537..1 << 33).contains(&exponent) {
        return Err(KeyError::UnsafeExponent);
    }
    Ok(Public::Rsa { n, e })
}

/// Reads `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`
/// (RFC 8017 appendix A.1.1).
pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Public, KeyError> {
    let (sequence, rest) = element(0x30, der).ok_or(KeyError::Malformed)?;
    let (n, after_n) = element(0x02, sequence).ok_or(KeyError::Malformed)?;
    let (e, after_e) = element(0x02, after_n).ok_or(KeyError::Malformed)?;
    if !rest.is_empty() || !after_e.is_empty() {
        return Err(KeyError::Malformed);
    }
    let unsigned = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
    checked(unsigned(n), unsigned(e))
}

/// Splits off one DER element with a given tag.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    let (&short, rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(short & 3))?;
            let length = bytes
                .iter()
                .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Whether a modulus has the fingerprint of the broken Infineon generator
/// (ROCA, CVE-2017-15361): modulo every small prime it lies in the subgroup
/// that 65537 generates. By chance about one good key in 2^27 looks so.
fn is_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.into_iter().all(|prime| {
        let residue = n
            .iter()
            .fold(0, |sum, &byte| (sum << 8 | u32::from(byte)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * 65_537 % prime;
            power == residue
        })
    })
}
