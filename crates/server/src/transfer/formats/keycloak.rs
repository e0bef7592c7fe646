//! Users of a Keycloak realm export (`UserRepresentation` and `CredentialRepresentation` of its Admin REST API).

use base64_simd::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::{Found, Read};
use crate::hashing::{Unusable, notation};
use crate::transfer::fields::{Any, Fields};
use crate::transfer::{Record, Secret};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct User {
    id: Any,
    username: Any,
    email: Any,
    first_name: Any,
    last_name: Any,
    enabled: Any,
    email_verified: Any,
    created_timestamp: Any,
    realm_roles: Any,
    service_account_client_id: Any,
    credentials: Vec<Credential>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Credential {
    r#type: Value,
    secret_data: Value,
    credential_data: Value,
    // Until version 7 these were members of their own.
    algorithm: Value,
    hash_iterations: Value,
    hashed_salted_value: Value,
    salt: Value,
}

pub(super) fn read(user: User) -> Read {
    let mut fields = Fields::default();
    if fields
        .text("/serviceAccountClientId", user.service_account_client_id)
        .is_some()
    {
        return Ok(Found::Other("a service account of a client"));
    }
    let foreign_id = fields.text("/id", user.id);
    let email = fields.text("/email", user.email);
    let first = fields.text("/firstName", user.first_name);
    let last = fields.text("/lastName", user.last_name);
    let names: Vec<String> = [first, last].into_iter().flatten().collect();
    let enabled = match user.enabled {
        Any::Nothing => true,
        given => fields.flag("/enabled", given),
    };
    let mut roles = fields.words("/realmRoles", user.realm_roles);
    // What Keycloak gives to everybody, and means nothing elsewhere.
    roles.retain(|role| {
        !role.starts_with("default-roles-")
            && !matches!(role.as_str(), "offline_access" | "uma_authorization")
    });
    let record = Record {
        id: foreign_id.as_deref().and_then(|id| id.parse().ok()),
        foreign_id,
        username: fields
            .text("/username", user.username)
            .filter(|username| !super::is_the_email(username, email.as_deref())),
        email,
        name: (!names.is_empty()).then(|| names.join(" ")),
        roles,
        disabled: !enabled,
        disabled_until: None,
        email_verified: fields.flag("/emailVerified", user.email_verified),
        created_at: fields.moment("/createdTimestamp", user.created_timestamp),
        secret: secret(&user.credentials),
    };
    fields.found(record)
}

fn secret(credentials: &[Credential]) -> Secret {
    let is_password = |credential: &&Credential| credential.r#type == "password";
    match credentials.iter().find(is_password).map(Credential::hash) {
        None => Secret::None,
        Some(Ok(hash)) => Secret::Hash(hash),
        Some(Err(unusable)) => Secret::Unusable(unusable),
    }
}

impl Credential {
    /// The hash in our notation.
    fn hash(&self) -> Result<String, Unusable> {
        let data = inner(&self.credential_data)?;
        let secret = inner(&self.secret_data)?;
        let either = |value: &Value, old: &Value| {
            let text = value.as_str().or(old.as_str());
            text.map(str::to_owned).ok_or(Unusable::Malformed)
        };
        let bytes = |text: String| {
            let decoded = STANDARD.decode_to_vec(text);
            decoded.map_err(|_| Unusable::Malformed)
        };
        let hash = bytes(either(&secret["value"], &self.hashed_salted_value)?)?;
        let salt = bytes(either(&secret["salt"], &self.salt)?)?;
        let iterations = match (&data["hashIterations"], &self.hash_iterations) {
            (Value::Number(number), _) | (_, Value::Number(number)) => number.to_string(),
            _ => return Err(Unusable::Malformed),
        };
        let algorithm = either(&data["algorithm"], &self.algorithm)?;
        let digest = match algorithm.as_str() {
            "pbkdf2" => "sha1",
            "pbkdf2-sha256" => "sha256",
            "pbkdf2-sha512" => "sha512",
            "argon2" => return argon2(&data["additionalParameters"], &iterations, &salt, &hash),
            _ => return Err(Unusable::Unknown),
        };
        Ok(notation::pbkdf2(digest, &iterations, &salt, &hash))
    }
}

/// JSON within a text.
fn inner(text: &Value) -> Result<Value, Unusable> {
    match text {
        Value::String(text) => serde_json::from_str(text).map_err(|_| Unusable::Malformed),
        Value::Null => Ok(Value::Null),
        _ => Err(Unusable::Malformed),
    }
}

/// The parameters are lists of one text each: `{"type":["id"],"version":["1.3"],"memory":["7168"],…}`.
fn argon2(given: &Value, passes: &str, salt: &[u8], hash: &[u8]) -> Result<String, Unusable> {
    let one = |name: &str| given[name][0].as_str().ok_or(Unusable::Malformed);
    let kind = one("type")?;
    let version = match one("version")? {
        "1.0" => 16,
        "1.3" => 19,
        _ => return Err(Unusable::Malformed),
    };
    Ok(format!(
        "$argon2{kind}$v={version}$m={},t={passes},p={}${}${}",
        one("memory")?,
        one("parallelism")?,
        STANDARD_NO_PAD.encode_to_string(salt),
        STANDARD_NO_PAD.encode_to_string(hash),
    ))
}
