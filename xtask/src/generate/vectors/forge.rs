//! Makes tokens, good ones and forged ones, the same at each run.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use serde_json::Value;
use symbolon_token::{
    Algorithm, Jwk, Jwks, KeySet, PrivateJwk, SigningKey, encoding, inspect::verify_signature_only,
};

use super::members::Members;

/// Keys for tests and nothing else: their private halves are in this repository for everybody to read.
const TEST_KEYS: &str = include_str!("test_keys.json");

pub(super) const ES256: &str = "test-es256";
pub(super) const EDDSA: &str = "test-eddsa";
pub(super) const EDDSA_NEXT: &str = "test-eddsa-next";
pub(super) const RS256: &str = "test-rs256";
pub(super) const PS256: &str = "test-ps256";
/// Was published once, and is no longer.
pub(super) const RETIRED: &str = "test-retired";
/// Of an attacker; was never published.
pub(super) const STRANGER: &str = "test-stranger";

const PUBLISHED: [&str; 5] = [ES256, EDDSA, EDDSA_NEXT, RS256, PS256];

/// The test keys by name.
pub(super) struct Keys(HashMap<String, (Value, SigningKey)>);

impl Keys {
    fn read() -> Result<Self> {
        let jwks: Vec<Value> = serde_json::from_str(TEST_KEYS)?;
        let keys = jwks.into_iter().map(|jwk| {
            let key = SigningKey::from_jwk(&PrivateJwk::parse(jwk.to_string().as_bytes())?)?;
            Ok((key.kid().to_owned(), (jwk, key)))
        });
        Ok(Self(keys.collect::<Result<_>>()?))
    }

    pub(super) fn get(&self, kid: &str) -> Result<&SigningKey> {
        let (_, key) = self.0.get(kid).with_context(|| format!("no key {kid}"))?;
        Ok(key)
    }

    pub(super) fn public(&self, kid: &str) -> Result<Jwk> {
        self.get(kid)?.public_jwk().context("no public half")
    }

    /// What the issuer publishes.
    pub(super) fn jwks(&self) -> Result<Jwks> {
        let keys = PUBLISHED.iter().map(|kid| self.public(kid));
        Ok(Jwks {
            keys: keys.collect::<Result<_>>()?,
        })
    }

    /// A key's numbers under another algorithm.
    pub(super) fn repurposed(&self, kid: &str, algorithm: Algorithm) -> Result<SigningKey> {
        let bytes = self.get(kid)?.to_private_bytes()?;
        Ok(SigningKey::from_private_bytes(algorithm, kid, &bytes)?)
    }
}

pub(super) struct Forge {
    pub(super) keys: Keys,
    /// Tokens of the existing file, and of this run, by what is signed.
    known: HashMap<String, Vec<String>>,
}

impl Forge {
    pub(super) fn new(existing: Option<&str>) -> Result<Self> {
        let mut known = HashMap::new();
        if let Some(Ok(file)) = existing.map(serde_json::from_str) {
            collect(&file, &mut known);
        }
        Ok(Self {
            keys: Keys::read()?,
            known,
        })
    }

    /// The header that the key's tokens have.
    pub(super) fn header(&self, kid: &str) -> Result<Members> {
        let algorithm = self.keys.get(kid)?.algorithm();
        Ok(Members::header(algorithm.as_str(), kid))
    }

    /// A good signature under the key's usual header.
    pub(super) fn signed(&mut self, kid: &str, claims: &Members) -> Result<String> {
        let header = self.header(kid)?.text();
        self.sign(kid, &header, claims.text().as_bytes())
    }

    /// The signature of a key under any header.
    ///
    /// # Errors
    /// With a key whose signatures are drawn by chance, a header that is not sound: no signature could be kept.
    pub(super) fn sign(&mut self, kid: &str, header: &str, payload: &[u8]) -> Result<String> {
        let key = self.keys.get(kid)?;
        let made = key.sign_raw(header.as_bytes(), payload)?;
        if !matches!(key.algorithm(), Algorithm::Es256 | Algorithm::Ps256) {
            return Ok(made);
        }
        let only = KeySet::new(vec![key.verifying_key()])?;
        let good = |token: &String| verify_signature_only(&only, token, &[key.algorithm()]).is_ok();
        anyhow::ensure!(good(&made), "a signature under {header} could not be kept");
        let (input, _) = made.rsplit_once('.').context("a token has dots")?;
        let known = self.known.entry(input.to_owned()).or_default();
        match known.iter().find(|token| good(token)) {
            Some(token) => Ok(token.clone()),
            None => {
                known.insert(0, made.clone());
                Ok(made)
            }
        }
    }

    /// A good Ed25519 signature over segments as they are written, however wrong that is.
    pub(super) fn sign_text(&self, kid: &str, header: &str, payload: &str) -> Result<String> {
        let (jwk, _) = self
            .keys
            .0
            .get(kid)
            .with_context(|| format!("no key {kid}"))?;
        let member = |name| {
            let text = jwk
                .get(name)
                .and_then(Value::as_str)
                .context("no such member")?;
            anyhow::Ok(encoding::decode(text.as_bytes())?)
        };
        let pair = Ed25519KeyPair::from_seed_and_public_key(&member("d")?, &member("x")?)
            .map_err(|_| anyhow::anyhow!("{kid} is no Ed25519 key"))?;
        let input = format!("{header}.{payload}");
        let signature = pair.sign(input.as_bytes());
        Ok(format!("{input}.{}", encoding::encode(signature.as_ref())))
    }
}

/// Any header and payload with any bytes for a signature.
pub(super) fn joined(header: &str, payload: &str, signature: &[u8]) -> String {
    let [header, payload, signature] =
        [header.as_bytes(), payload.as_bytes(), signature].map(encoding::encode);
    format!("{header}.{payload}.{signature}")
}

/// What an attacker signs with a library that takes any bytes for a secret.
pub(super) fn hs256(secret: &[u8], header: &str, payload: &str) -> String {
    let unsigned = joined(header, payload, &[]);
    let input = unsigned.trim_end_matches('.');
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", encoding::encode(tag.as_ref()))
}

fn collect(value: &Value, known: &mut HashMap<String, Vec<String>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        Value::Object(members) => members.values().for_each(|member| collect(member, known)),
        Value::String(text) if text.starts_with("ey") => {
            if let Some((input, _)) = text.rsplit_once('.') {
                let tokens = known.entry(input.to_owned()).or_default();
                if !tokens.contains(text) {
                    tokens.push(text.to_owned());
                }
            }
        }
        _ => {}
    }
}
