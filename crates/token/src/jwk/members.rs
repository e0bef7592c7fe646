//! The members of a JWK as they stand in JSON, and what they must be.

use std::mem::take;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Jwk, Public, Secret, ed25519, rsa};
use crate::algorithm::Algorithm;
use crate::encoding;
use crate::error::KeyError;
use crate::slot::{FromJson, Present, Slot};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct RawJwk {
    kty: Slot<String>,
    #[serde(rename = "use")]
    usage: Slot<String>,
    key_ops: Slot<Vec<String>>,
    alg: Slot<String>,
    kid: Slot<String>,
    crv: Slot<String>,
    x: Slot<String>,
    y: Slot<String>,
    n: Slot<String>,
    e: Slot<String>,
    d: Slot<SecretText>,
    p: Slot<SecretText>,
    q: Slot<SecretText>,
    dp: Slot<SecretText>,
    dq: Slot<SecretText>,
    qi: Slot<SecretText>,
    oth: Present,
    k: Slot<SecretText>,
}

/// A private member, wiped when dropped.
struct SecretText(Zeroizing<String>);

impl FromJson for SecretText {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(Zeroizing::new(text.to_owned())))
    }
}

/// What `key_ops` lets a key do (RFC 7517 section 4.3); absent, everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operations {
    pub(crate) sign: bool,
    pub(crate) verify: bool,
}

impl Default for Operations {
    fn default() -> Self {
        Self {
            sign: true,
            verify: true,
        }
    }
}

impl RawJwk {
    /// The public key (none for a symmetric one) and the secret (none for a public one).
    pub(super) fn read(mut self) -> Result<(Option<Jwk>, Option<Secret>), KeyError> {
        let kty = text("kty", take(&mut self.kty))?;
        let operations = operations(take(&mut self.usage), take(&mut self.key_ops))?;
        let algorithm = match optional("alg", take(&mut self.alg))? {
            None => None,
            Some(name) => Some(Algorithm::from_jose(&name).ok_or(KeyError::Unsupported)?),
        };
        let kid = optional("kid", take(&mut self.kid))?;
        if kid.as_deref().is_some_and(|kid| !good_kid(kid)) {
            return Err(KeyError::BadKid);
        }
        if kty == "oct" {
            if algorithm.is_some_and(|algorithm| !algorithm.is_symmetric()) {
                return Err(KeyError::AlgorithmMismatch);
            }
            let k = secret("k", self.k)?.ok_or(KeyError::MissingMember("k"))?;
            let secret = Secret::Symmetric { k, kid, operations };
            return Ok((None, Some(secret)));
        }
        let public = self.public(&kty)?;
        if algorithm.is_some_and(|algorithm| !public.fits(algorithm)) {
            return Err(KeyError::AlgorithmMismatch);
        }
        let secret = self.private(&public)?;
        let jwk = Jwk {
            kid,
            algorithm,
            operations,
            public,
        };
        Ok((Some(jwk), secret))
    }

    fn public(&mut self, kty: &str) -> Result<Public, KeyError> {
        let crv = match kty {
            "EC" | "OKP" => text("crv", take(&mut self.crv))?,
            "RSA" => String::new(),
            _ => return Err(KeyError::Unsupported),
        };
        match (kty, crv.as_str()) {
            ("EC", "P-256") => Ok(Public::P256 {
                x: coordinate("x", take(&mut self.x))?,
                y: coordinate("y", take(&mut self.y))?,
            }),
            ("OKP", "Ed25519") => ed25519::checked(coordinate("x", take(&mut self.x))?),
            ("RSA", _) => {
                let n = number("n", take(&mut self.n))?;
                rsa::checked(n, number("e", take(&mut self.e))?)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    fn private(self, public: &Public) -> Result<Option<Secret>, KeyError> {
        // RFC 7518 section 6.3.2.7: nobody makes keys of more than two primes.
        if self.oth.0 {
            return Err(KeyError::Unsupported);
        }
        if !self.k.is_absent() {
            return Err(KeyError::MalformedMember("k"));
        }
        let d = secret("d", self.d)?;
        let crt = [
            secret("p", self.p)?,
            secret("q", self.q)?,
            secret("dp", self.dp)?,
            secret("dq", self.dq)?,
            secret("qi", self.qi)?,
        ];
        match (public, d, crt) {
            (_, None, [None, None, None, None, None]) => Ok(None),
            (Public::Rsa { .. }, Some(d), [Some(p), Some(q), Some(dp), Some(dq), Some(qi)]) => {
                let crt = [p, q, dp, dq, qi];
                Ok(Some(Secret::Rsa { d, crt }))
            }
            // RFC 7518 section 6.3.2 would let a key leave out all but `d`.
            (Public::Rsa { .. }, ..) => Err(KeyError::MissingMember("d, p, q, dp, dq, qi")),
            (_, Some(d), [None, None, None, None, None]) if d.len() == 32 => {
                Ok(Some(Secret::Curve { d }))
            }
            _ => Err(KeyError::MalformedMember("d")),
        }
    }
}

/// A `kid` is for a header and an index: short, and not empty.
pub(crate) fn good_kid(kid: &str) -> bool {
    (1..=256).contains(&kid.len())
}

fn operations(usage: Slot<String>, key_ops: Slot<Vec<String>>) -> Result<Operations, KeyError> {
    if optional("use", usage)?.is_some_and(|usage| usage != "sig") {
        return Err(KeyError::WrongUse);
    }
    let Some(names) = optional("key_ops", key_ops)? else {
        return Ok(Operations::default());
    };
    let twice = |(index, name)| names.iter().skip(index + 1).any(|later| later == name);
    if names.iter().enumerate().any(twice) {
        return Err(KeyError::MalformedMember("key_ops"));
    }
    let operations = Operations {
        sign: names.iter().any(|name| name == "sign"),
        verify: names.iter().any(|name| name == "verify"),
    };
    if operations.sign || operations.verify {
        Ok(operations)
    } else {
        Err(KeyError::WrongUse)
    }
}

fn text(name: &'static str, slot: Slot<String>) -> Result<String, KeyError> {
    slot.required(
        KeyError::MissingMember(name),
        KeyError::MalformedMember(name),
    )
}

fn optional<T>(name: &'static str, slot: Slot<T>) -> Result<Option<T>, KeyError> {
    slot.optional(KeyError::MalformedMember(name))
}

fn number(name: &'static str, slot: Slot<String>) -> Result<Vec<u8>, KeyError> {
    encoding::decode(text(name, slot)?.as_bytes()).map_err(|_| KeyError::MalformedMember(name))
}

/// RFC 7518 section 6.2.1.2 and RFC 8037 section 2: always the full length.
fn coordinate(name: &'static str, slot: Slot<String>) -> Result<[u8; 32], KeyError> {
    encoding::decode_exact(text(name, slot)?.as_bytes())
        .map_err(|_| KeyError::MalformedMember(name))
}

fn secret(
    name: &'static str,
    slot: Slot<SecretText>,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let Some(SecretText(text)) = optional(name, slot)? else {
        return Ok(None);
    };
    match encoding::decode(text.as_bytes()) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(_) => Err(KeyError::MalformedMember(name)),
    }
}
