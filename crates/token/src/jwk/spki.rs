//! Public keys in DER: `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).

use aws_lc_rs::signature::RsaSubjectPublicKey;

use super::{Public, ed25519, rsa};
use crate::error::KeyError;

pub(super) fn read(der: &[u8]) -> Result<Public, KeyError> {
    if let Some(point) = der.strip_prefix(&P256_SPKI_PREFIX) {
        p256_from_point(point)
    } else if let Some(x) = der.strip_prefix(&ED25519_SPKI_PREFIX) {
        ed25519::checked(x.try_into().map_err(|_| KeyError::Malformed)?)
    } else {
        let key = RsaSubjectPublicKey::from_der(der).map_err(|_| KeyError::Malformed)?;
        rsa::from_pkcs1(key.as_ref())
    }
}

/// `SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING (66) }`.
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// `SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING (33) }`.
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Reads an uncompressed point, `04 || x || y`.
pub(crate) fn p256_from_point(point: &[u8]) -> Result<Public, KeyError> {
    let Some((4, coordinates)) = point.split_first().map(|(first, rest)| (*first, rest)) else {
        return Err(KeyError::Malformed);
    };
    let Some((x, y)) = coordinates.split_at_checked(32) else {
        return Err(KeyError::Malformed);
    };
    match (x.try_into(), y.try_into()) {
        (Ok(x), Ok(y)) => Ok(Public::P256 { x, y }),
        _ => Err(KeyError::Malformed),
    }
}
