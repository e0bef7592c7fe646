use std::fmt;

use symbolon_token::{Jwks, VerifyingKey};

use crate::Problem;

/// In bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The public keys of a client: a JWK set (RFC 7517 section 5) of keys that assertions can be verified with.
///
/// Kept as the server writes it: public members only, in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientJwks {
    text: Box<str>,
    keys: Jwks,
}

impl ClientJwks {
    /// How many keys a set has at most.
    pub const MOST_KEYS: usize = 10;

    /// Reads a set: 1 to 10 keys, each public, for signatures, of an algorithm of ours, on its curve, long enough, with a
    /// `kid` of its own.
    ///
    /// # Errors
    /// `jwks_malformed`, and what is wrong with a key: `jwks_` and the code of [`symbolon_token::KeyError`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_LENGTH {
            return Err(malformed());
        }
        let keys = Jwks::parse_all(text.as_bytes()).map_err(refused)?;
        if !(1..=Self::MOST_KEYS).contains(&keys.keys.len()) {
            return Err(malformed());
        }
        // Whether a point is on its curve shows here.
        for key in &keys.keys {
            VerifyingKey::from_jwk(key).map_err(refused)?;
        }
        Ok(Self {
            text: keys.to_json().into(),
            keys,
        })
    }

    /// The JWK set in JSON.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The keys.
    pub fn keys(&self) -> &Jwks {
        &self.keys
    }
}

impl fmt::Display for ClientJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for ClientJwks {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

fn malformed() -> Problem {
    Problem::new(
        "jwks_malformed",
        "Keys are a JWK set in JSON: {\"keys\": [...]}, 1 to 10 of them, 16 KiB at most.",
    )
}

fn refused(error: symbolon_token::KeyError) -> Problem {
    let code = match error {
        symbolon_token::KeyError::Malformed | symbolon_token::KeyError::MissingMember("keys") => {
            return malformed();
        }
        symbolon_token::KeyError::PrivateMember => "jwks_private",
        symbolon_token::KeyError::DuplicateKid => "jwks_duplicate_kid",
        _ => "jwks_key_refused",
    };
    Problem::new(code, format!("A key of the set is refused: {error}."))
}
