//! Users of `firebase auth:export`, as JSON and as CSV, and the hash parameters of the project.

use base64_simd::STANDARD;
use serde::Deserialize;
use symbolon_domain::FieldError;
use zeroize::Zeroizing;

use super::Read;
use crate::hashing::Unusable;
use crate::hashing::notation::FirebaseProject;
use crate::transfer::fields::{Any, Fields};
use crate::transfer::{Record, Secret, Unreadable};

/// The columns of the CSV, which has no header (the documentation of the Firebase CLI, "auth:import and
/// auth:export"; `disabled` came later). Those of other providers are of no use here.
pub(super) const COLUMNS: [&str; 27] = [
    "localId",
    "email",
    "emailVerified",
    "passwordHash",
    "salt",
    "displayName",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "createdAt",
    "",
    "",
    "disabled",
];

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct User {
    local_id: Any,
    email: Any,
    email_verified: Any,
    password_hash: Any,
    salt: Any,
    display_name: Any,
    created_at: Any,
    disabled: Any,
}

pub(super) fn read(user: User, project: Option<&FirebaseProject>) -> Read {
    let mut fields = Fields::default();
    let hash = fields.text("/passwordHash", user.password_hash);
    let salt = fields.text("/salt", user.salt);
    let secret = match (hash, project) {
        (None, _) => Secret::None,
        (Some(hash), Some(project)) => {
            let parts = (bytes(&hash), bytes(&salt.unwrap_or_default()));
            match parts {
                (Some(hash), Some(salt)) => Secret::Hash(project.hash(&salt, &hash)),
                _ => Secret::Unusable(Unusable::Malformed),
            }
        }
        (Some(_), None) => {
            fields.errors.push(FieldError {
                pointer: "/passwordHash".to_owned(),
                code: "hash_config_missing",
                detail: "The hash needs the hash parameters of its project: --hash-config FILE."
                    .to_owned(),
            });
            Secret::None
        }
    };
    let record = Record {
        id: None,
        foreign_id: fields.text("/localId", user.local_id),
        email: fields.text("/email", user.email),
        username: None,
        name: fields.text("/displayName", user.display_name),
        roles: Vec::new(),
        disabled: fields.flag("/disabled", user.disabled),
        disabled_until: None,
        email_verified: fields.flag("/emailVerified", user.email_verified),
        created_at: fields.moment("/createdAt", user.created_at),
        secret,
    };
    fields.found(record)
}

/// Base64 of either alphabet: the CLI writes the one, the interface that it asks the other.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.replace('-', "+").replace('_', "/");
    STANDARD.decode_to_vec(text).ok()
}

/// Reads the "password hash parameters" as the console of Firebase shows them: `hash_config { algorithm: SCRYPT,
/// base64_signer_key: …, base64_salt_separator: …, rounds: 8, mem_cost: 14 }`. JSON with these names is good too.
///
/// # Errors
/// What is missing or cannot be read. Nothing of the text is quoted.
pub fn parse_hash_config(text: &str) -> Result<FirebaseProject, Unreadable> {
    let said = |what: &str| Unreadable(format!("In the hash parameters, {what}."));
    let find = |name: &str| {
        let lines = text.split(['\n', ',', '{', '}']);
        let mut pairs = lines.filter_map(|line| line.split_once(':'));
        let unquoted = |text: &str| text.trim().trim_matches('"').to_owned();
        pairs
            .find(|(found, _)| unquoted(found) == name)
            .map(|(_, value)| unquoted(value))
            .ok_or_else(|| said(&format!("`{name}` is missing")))
    };
    if find("algorithm")? != "SCRYPT" {
        return Err(said("only the algorithm SCRYPT is known"));
    }
    let decoded =
        |name: &str| bytes(&find(name)?).ok_or_else(|| said(&format!("`{name}` is not base64")));
    let number = |name: &str| {
        let number = find(name)?.parse::<u32>();
        number.map_err(|_| said(&format!("`{name}` is not a number")))
    };
    Ok(FirebaseProject {
        signer_key: Zeroizing::new(decoded("base64_signer_key")?),
        salt_separator: decoded("base64_salt_separator")?,
        rounds: number("rounds")?,
        mem_cost: number("mem_cost")?,
    })
}
