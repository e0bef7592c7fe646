//! The `jsonwebtoken` crate with the same key.

use anyhow::{Context as _, Result};
use jsonwebtoken::{
    Algorithm as Alg, DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::Jwk,
};
use symbolon_token::{Algorithm, SigningKey};

use super::claims::{AUDIENCE, Claims, ISSUER};

pub struct Peer {
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Peer {
    pub fn new(key: &SigningKey) -> Result<Self> {
        let private = key.to_private_bytes()?;
        let (algorithm, encoding) = match key.algorithm() {
            Algorithm::Es256 => (Alg::ES256, EncodingKey::from_ec_der(&private)),
            Algorithm::EdDsa => (Alg::EdDSA, EncodingKey::from_ed_der(&private)),
            Algorithm::Rs256 => (Alg::RS256, EncodingKey::from_rsa_der(pkcs1(&private)?)),
            Algorithm::Ps256 => (Alg::PS256, EncodingKey::from_rsa_der(pkcs1(&private)?)),
            Algorithm::Hs256 => (Alg::HS256, EncodingKey::from_secret(&private)),
        };
        let decoding = match key.public_jwk() {
            Some(jwk) => {
                let jwk: Jwk = serde_json::from_value(serde_json::to_value(jwk)?)?;
                DecodingKey::from_jwk(&jwk)?
            }
            None => DecodingKey::from_secret(&private),
        };
        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".into());
        header.kid = Some(key.kid().into());
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.leeway = 0;
        Ok(Self {
            header,
            encoding,
            decoding,
            validation,
        })
    }

    pub fn verify(&self, token: &str) -> Result<Claims> {
        Ok(decode(token, &self.decoding, &self.validation)?.claims)
    }

    pub fn sign(&self, claims: &Claims) -> Result<String> {
        Ok(encode(&self.header, claims, &self.encoding)?)
    }
}

/// The RSA key inside PKCS#8: `jsonwebtoken` takes that form (RFC 8017 appendix A.1.2) only.
fn pkcs1(pkcs8: &[u8]) -> Result<&[u8]> {
    // SEQUENCE and its length (4), version (3), algorithm (15), OCTET STRING and its length (4):
    // the same for every key whose length takes two bytes (RFC 5958 section 2).
    pkcs8.get(26..).context("not an RSA key in PKCS#8")
}
