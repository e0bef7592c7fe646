//! The notations in which other systems write down their hashes, turned into those that are stored here.
//!
//! Stored are Argon2 and bcrypt as everybody writes them, `$scrypt$ln=…,r=…,p=…$SALT$HASH`,
//! `$pbkdf2-DIGEST$i=…$SALT$HASH` and `$firebase-scrypt$ln=…,r=…,p=…,sep=…,key=…$SALT$HASH`: salt and hash in base64
//! without padding.

use std::borrow::Cow;

use base64_simd::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::Unusable;

/// The longest hash that is looked at, in bytes.
const MOST_TEXT: usize = 1024;

/// How a Firebase project hashes: the "password hash parameters" of its console.
pub struct FirebaseProject {
    /// The key that every password of the project encrypts.
    pub signer_key: Zeroizing<Vec<u8>>,
    /// What is added to each salt.
    pub salt_separator: Vec<u8>,
    /// scrypt's block size.
    pub rounds: u32,
    /// The base-two logarithm of scrypt's N.
    pub mem_cost: u32,
}

impl FirebaseProject {
    /// The stored form of a hash of this project.
    #[must_use]
    pub fn hash(&self, salt: &[u8], hash: &[u8]) -> String {
        let key = Zeroizing::new(STANDARD_NO_PAD.encode_to_string(&*self.signer_key));
        format!(
            "$firebase-scrypt$ln={},r={},p=1,sep={},key={}${}${}",
            self.mem_cost,
            self.rounds,
            STANDARD_NO_PAD.encode_to_string(&self.salt_separator),
            key.as_str(),
            STANDARD_NO_PAD.encode_to_string(salt),
            STANDARD_NO_PAD.encode_to_string(hash),
        )
    }
}

/// The stored form of a PBKDF2 hash; `digest` is `sha1`, `sha256` or `sha512`.
#[must_use]
pub fn pbkdf2(digest: &str, iterations: &str, salt: &[u8], hash: &[u8]) -> String {
    format!(
        "$pbkdf2-{digest}$i={iterations}${}${}",
        STANDARD_NO_PAD.encode_to_string(salt),
        STANDARD_NO_PAD.encode_to_string(hash),
    )
}

/// The stored form of an scrypt hash; `n` is not its logarithm.
///
/// # Errors
/// `Malformed` when `n` is no power of two.
pub fn scrypt(n: u64, (r, p): (u32, u32), salt: &[u8], hash: &[u8]) -> Result<String, Unusable> {
    if !n.is_power_of_two() {
        return Err(Unusable::Malformed);
    }
    Ok(format!(
        "$scrypt$ln={},r={r},p={p}${}${}",
        n.ilog2(),
        STANDARD_NO_PAD.encode_to_string(salt),
        STANDARD_NO_PAD.encode_to_string(hash),
    ))
}

/// A hash in one of the notations that are known, in the stored one. Its contents are not judged.
pub(super) fn stored(text: &str) -> Result<Cow<'_, str>, Unusable> {
    if text.len() > MOST_TEXT {
        return Err(Unusable::Malformed);
    }
    if text.starts_with("$pbkdf2") {
        return passlib_pbkdf2(text).map(Cow::Owned);
    }
    if text.starts_with('$') {
        return if is_old_crypt(text) {
            Err(Unusable::TooWeak)
        } else {
            Ok(Cow::Borrowed(text))
        };
    }
    django(text)
}

/// Of crypt(3) and of web programs: MD5, many times or once.
fn is_old_crypt(text: &str) -> bool {
    ["$1$", "$apr1$", "$P$", "$H$", "$3$"]
        .iter()
        .any(|name| text.starts_with(name))
}

/// `$pbkdf2-sha256$29000$SALT$HASH` of passlib, whose base64 has `.` for `+`, and `$pbkdf2$` for SHA-1; or the PHC
/// form, in which the length of the hash (`l=`) is told beside it.
fn passlib_pbkdf2(text: &str) -> Result<String, Unusable> {
    let parts: Vec<&str> = text.split('$').skip(1).collect();
    let [name, params, salt, hash] = parts[..] else {
        return Err(Unusable::Malformed);
    };
    let digest = match name.strip_prefix("pbkdf2") {
        Some("") => "sha1",
        Some(rest) => rest.strip_prefix('-').ok_or(Unusable::Unknown)?,
        None => return Err(Unusable::Unknown),
    };
    let iterations = params
        .split(',')
        .find_map(|param| param.strip_prefix("i="))
        .unwrap_or(params);
    let plain = |text: &str| text.replace('.', "+");
    Ok(format!(
        "$pbkdf2-{digest}$i={iterations}${}${}",
        plain(salt),
        plain(hash)
    ))
}

/// `NAME$…` of Django's hashers (django/contrib/auth/hashers.py).
fn django(text: &str) -> Result<Cow<'_, str>, Unusable> {
    let (name, rest) = match text.split_once('$') {
        Some(parts) => parts,
        None if is_digest(text) => return Err(Unusable::TooWeak),
        None => return Err(Unusable::Unknown),
    };
    let parts: Vec<&str> = rest.split('$').collect();
    match (name, &parts[..]) {
        ("pbkdf2_sha256" | "pbkdf2_sha1", [iterations, salt, hash]) => {
            let digest = name.trim_start_matches("pbkdf2_");
            let hash = padded(hash)?;
            Ok(pbkdf2(digest, iterations, salt.as_bytes(), &hash).into())
        }
        ("scrypt", [n, salt, r, p, hash]) => {
            let number = |text: &str| text.parse().map_err(|_| Unusable::Malformed);
            let n = n.parse().map_err(|_| Unusable::Malformed)?;
            let costs = (number(r)?, number(p)?);
            Ok(scrypt(n, costs, salt.as_bytes(), &padded(hash)?)?.into())
        }
        // The dollar sign that the hash begins with is the one behind the name.
        ("argon2", _) => Ok(Cow::Borrowed(&text["argon2".len()..])),
        ("bcrypt", ["", ..]) => Ok(Cow::Borrowed(rest)),
        ("md5" | "sha1" | "unsalted_md5" | "unsalted_sha1" | "crypt", _) => Err(Unusable::TooWeak),
        _ => Err(Unusable::Unknown),
    }
}

fn padded(text: &str) -> Result<Vec<u8>, Unusable> {
    STANDARD
        .decode_to_vec(text)
        .map_err(|_| Unusable::Malformed)
}

/// A bare digest in hexadecimal (MD5, SHA-1, SHA-2), or one of a directory (`{SSHA}…`).
fn is_digest(text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128))
        || ["{SSHA", "{SHA", "{MD5}", "{SMD5}", "{CRYPT}"]
            .iter()
            .any(|name| text.starts_with(name))
}

#[cfg(test)]
mod tests;
