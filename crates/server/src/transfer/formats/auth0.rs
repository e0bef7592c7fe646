//! Users of Auth0: its users export (a JSON object a line, or CSV), the form of its bulk import, and its export of
//! password hashes.

use base64_simd::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::Read;
use crate::hashing::{Unusable, notation};
use crate::transfer::fields::{Any, Fields};
use crate::transfer::{Record, Secret};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct User {
    user_id: Any,
    /// Of the export of password hashes: `{"$oid": …}`.
    _id: Value,
    email: Any,
    email_verified: Any,
    username: Any,
    name: Any,
    created_at: Any,
    blocked: Any,
    password_hash: Any,
    #[serde(rename = "passwordHash")]
    exported_hash: Any,
    custom_password_hash: Value,
}

pub(super) fn read(user: User) -> Read {
    let mut fields = Fields::default();
    let object_id = user._id["$oid"].as_str();
    let foreign_id = fields
        .text("/user_id", user.user_id)
        .or_else(|| object_id.map(|id| format!("auth0|{id}")));
    let email = fields.text("/email", user.email);
    let hashes = [
        fields.text("/password_hash", user.password_hash),
        fields.text("/passwordHash", user.exported_hash),
    ];
    let secret = match (
        hashes.into_iter().flatten().next(),
        &user.custom_password_hash,
    ) {
        (Some(hash), _) => Secret::Hash(hash),
        (None, Value::Null) => Secret::None,
        (None, custom) => custom_hash(custom).map_or_else(Secret::Unusable, Secret::Hash),
    };
    let not_the_email = |text: &String| !super::is_the_email(text, email.as_deref());
    let record = Record {
        id: None,
        foreign_id,
        username: fields
            .text("/username", user.username)
            .filter(not_the_email),
        // Auth0 writes the address where it knows no name.
        name: fields.text("/name", user.name).filter(not_the_email),
        email,
        roles: Vec::new(),
        disabled: fields.flag("/blocked", user.blocked),
        disabled_until: None,
        email_verified: fields.flag("/email_verified", user.email_verified),
        created_at: fields.moment("/created_at", user.created_at),
        secret,
    };
    fields.found(record)
}

/// `custom_password_hash` of the schema of bulk imports.
fn custom_hash(custom: &Value) -> Result<String, Unusable> {
    let hash = &custom["hash"];
    let value = hash["value"].as_str().ok_or(Unusable::Malformed)?;
    match custom["algorithm"].as_str() {
        Some("bcrypt" | "argon2" | "pbkdf2") => Ok(value.to_owned()),
        Some("scrypt") => {
            let number = |name: &str, default: u64| match &custom[name] {
                Value::Null => Ok(default),
                given => given.as_u64().ok_or(Unusable::Malformed),
            };
            let small = |name, default| {
                let given = number(name, default)?;
                u32::try_from(given).map_err(|_| Unusable::TooCostly)
            };
            let costs = (small("blockSize", 8)?, small("parallelization", 1)?);
            let salt = bytes(&custom["salt"], "utf8")?;
            notation::scrypt(
                number("cost", 16_384)?,
                costs,
                &salt,
                &bytes(hash, "base64")?,
            )
        }
        Some("md4" | "md5" | "sha1" | "sha256" | "sha512" | "hmac" | "ldap") => {
            Err(Unusable::TooWeak)
        }
        _ => Err(Unusable::Unknown),
    }
}

/// `{value, encoding}`.
fn bytes(given: &Value, default: &str) -> Result<Vec<u8>, Unusable> {
    let text = given["value"].as_str().ok_or(Unusable::Malformed)?;
    match given["encoding"].as_str().unwrap_or(default) {
        "utf8" => Ok(text.as_bytes().to_vec()),
        "hex" => unhex(text).ok_or(Unusable::Malformed),
        "base64" => STANDARD
            .decode_to_vec(text)
            .map_err(|_| Unusable::Malformed),
        _ => Err(Unusable::Malformed),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
        .collect()
}
