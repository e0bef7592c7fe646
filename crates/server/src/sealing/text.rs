//! 32 bytes as people write them.

use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::KEY_BYTES;

/// 64 characters are hexadecimal, 43 or 44 one of the base64 alphabets.
pub(super) fn decode(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(match text.len() {
        64 => decode_hex(text.as_bytes())?,
        44 => STANDARD
            .decode_to_vec(text)
            .or_else(|_| URL_SAFE_NO_PAD.decode_to_vec(text.trim_end_matches('=')))
            .ok()?,
        43 => URL_SAFE_NO_PAD
            .decode_to_vec(text)
            .or_else(|_| STANDARD_NO_PAD.decode_to_vec(text))
            .ok()?,
        _ => return None,
    });
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

fn decode_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect()
}
