//! Strings such as `$scrypt$ln=14,r=8,p=1$SALT$HASH`: the PHC string format, salt and hash in base64 without padding.

use base64_simd::STANDARD_NO_PAD;

use super::super::Unusable;

/// The longest string that is looked at, in bytes.
const MOST_TEXT: usize = 1024;
/// In bytes. A shorter one would be met by guessing, a longer one only costs.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=128;
const MOST_SALT: usize = 256;

/// A string taken apart.
pub(super) struct Phc<'a> {
    params: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl<'a> Phc<'a> {
    /// What stands behind `$NAME$`.
    pub(super) fn read(rest: &'a str) -> Result<Self, Unusable> {
        if rest.len() > MOST_TEXT {
            return Err(Unusable::Malformed);
        }
        let mut parts = rest.split('$');
        let (Some(params), Some(salt), Some(output), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Unusable::Malformed);
        };
        let (salt, output) = (bytes(salt)?, bytes(output)?);
        if salt.len() > MOST_SALT || !OUTPUT.contains(&output.len()) {
            return Err(Unusable::Malformed);
        }
        Ok(Self {
            params,
            salt,
            output,
        })
    }

    /// The parameters, which must be these in this order.
    pub(super) fn params<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[&'a str; N], Unusable> {
        let mut values = [""; N];
        let mut given = self.params.split(',');
        for (value, name) in values.iter_mut().zip(names) {
            let pair = given.next().and_then(|pair| pair.split_once('='));
            match pair {
                Some((found, text)) if found == name => *value = text,
                _ => return Err(Unusable::Malformed),
            }
        }
        match given.next() {
            None => Ok(values),
            Some(_) => Err(Unusable::Malformed),
        }
    }
}

/// A number in its one spelling.
pub(super) fn number(text: &str) -> Result<u32, Unusable> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    match text.parse() {
        Ok(number) if plain => Ok(number),
        // Digits that do not fit ask for more than can be.
        Err(_) if plain && !text.is_empty() => Err(Unusable::TooCostly),
        _ => Err(Unusable::Malformed),
    }
}

pub(super) fn bytes(text: &str) -> Result<Vec<u8>, Unusable> {
    STANDARD_NO_PAD
        .decode_to_vec(text)
        .map_err(|_| Unusable::Malformed)
}
