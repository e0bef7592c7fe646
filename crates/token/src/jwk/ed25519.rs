//! What makes an Ed25519 key acceptable (RFC 8032 section 5.1).

use super::Public;
use crate::error::KeyError;

/// Refuses points of small order: under such a key anybody can make a
/// "signature" that fits any message.
pub(super) fn checked(x: [u8; 32]) -> Result<Public, KeyError> {
    let mut y = x;
    y[31] &= 0x7f;
    match small_order().contains(&y) {
        true => Err(KeyError::Invalid),
        false => Ok(Public::Ed25519 { x }),
    }
}

/// The y coordinates of the points whose order divides 8, little-endian, with
/// the values of at least p that some readers take for them.
fn small_order() -> [[u8; 32]; 7] {
    let near_p = |first| {
        let mut y = [0xff; 32];
        y[0] = first;
        y[31] = 0x7f;
        y
    };
    let mut one = [0; 32];
    one[0] = 1;
    [
        [0; 32],
        one,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
        near_p(0xec),
        near_p(0xed),
        near_p(0xee),
    ]
}
