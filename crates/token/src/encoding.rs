//! Base64url without padding (RFC 7515 section 2), strict: one text for one
//! value.
//!
//! Everything in this crate that encodes or decodes goes through here, so that
//! the implementation behind it can be exchanged in this one file.

use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The text was not strict unpadded base64url.
///
/// Padding, white space, characters of the plain base64 alphabet, an impossible
/// length and trailing bits that are not zero are all refused: otherwise two
/// different texts would stand for the same token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not unpadded base64url")]
pub struct NotBase64url;

/// Encodes bytes.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Encodes bytes to the end of `text`.
pub fn encode_to(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

/// Decodes a text into a new vector.
///
/// # Errors
///
/// [`NotBase64url`] for anything that [`encode`] would not have written.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, NotBase64url> {
    URL_SAFE_NO_PAD
        .decode_to_vec(text)
        .map_err(|_| NotBase64url)
}

/// Decodes a text into the front of `buffer` and returns that part.
///
/// # Errors
///
/// [`NotBase64url`] for anything that [`encode`] would not have written, and for
/// a text that needs more room than `buffer` has.
pub fn decode_into<'b>(text: &[u8], buffer: &'b mut [u8]) -> Result<&'b [u8], NotBase64url> {
    if decoded_length(text.len()) > buffer.len() {
        return Err(NotBase64url);
    }
    match URL_SAFE_NO_PAD.decode(text, Out::from_slice(buffer)) {
        Ok(decoded) => Ok(decoded),
        Err(_) => Err(NotBase64url),
    }
}

/// Decodes a text that must give exactly `N` bytes.
///
/// # Errors
///
/// [`NotBase64url`] for anything that [`encode`] would not have written, and for
/// any other length.
pub fn decode_exact<const N: usize>(text: &[u8]) -> Result<[u8; N], NotBase64url> {
    let mut bytes = [0; N];
    if text.len() != encoded_length(N) {
        return Err(NotBase64url);
    }
    decode_into(text, &mut bytes)?;
    Ok(bytes)
}

/// How many characters `bytes` bytes take.
pub const fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// How many bytes a text of `characters` characters stands for.
pub const fn decoded_length(characters: usize) -> usize {
    characters / 4 * 3 + (characters % 4 * 3) / 4
}
