//! The work that no implementation can leave out, and no more.

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
        VerificationAlgorithm,
    },
};
use base64_simd::URL_SAFE_NO_PAD as BASE64;
use symbolon_token::{Algorithm, SigningKey};

use super::claims::Claims;

/// One key, prepared.
pub struct Bare {
    signer: Signer,
    verifier: Checker,
    /// The header of its tokens, encoded, with the dot.
    header: String,
    random: SystemRandom,
}

enum Signer {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Hmac(Box<hmac::Key>),
}

/// Verifies with a prepared key, and reads the claims.
pub enum Checker {
    Public(ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

impl Bare {
    pub fn new(key: &SigningKey) -> Result<Self> {
        let private = key.to_private_bytes()?;
        let (signer, verifier) = match key.algorithm() {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)?;
                let public = public(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())?;
                (Signer::Ecdsa(pair), public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&private)?;
                let public = public(&ED25519, pair.public_key().as_ref())?;
                (Signer::Ed25519(pair), public)
            }
            Algorithm::Rs256 => rsa(&private, &RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256)?,
            Algorithm::Ps256 => rsa(&private, &RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256)?,
            Algorithm::Hs256 => {
                let key = Box::new(hmac::Key::new(hmac::HMAC_SHA256, &private));
                (Signer::Hmac(key.clone()), Checker::Hmac(key))
            }
        };
        let header = serde_json::json!({
            "alg": key.algorithm().as_str(), "typ": "at+jwt", "kid": key.kid(),
        });
        let header = BASE64.encode_to_string(header.to_string()) + ".";
        Ok(Self {
            signer,
            verifier,
            header,
            random: SystemRandom::new(),
        })
    }

    pub fn verify(&self, token: &str) -> Result<Claims> {
        self.verifier.verify(token)
    }

    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let payload = serde_json::to_vec(claims)?;
        let mut token = String::with_capacity(self.header.len() + payload.len() * 3 / 2 + 360);
        token.push_str(&self.header);
        BASE64.encode_append(&payload, &mut token);
        let signed = token.as_bytes();
        let mut large = [0; 512];
        let signature = match &self.signer {
            Signer::Ecdsa(pair) => pair.sign(&self.random, signed)?,
            Signer::Ed25519(pair) => pair.sign(signed),
            Signer::Hmac(key) => {
                let tag = hmac::sign(key, signed);
                token.push('.');
                BASE64.encode_append(tag, &mut token);
                return Ok(token);
            }
            Signer::Rsa(pair, encoding) => {
                let length = pair.public_modulus_len();
                let Some(out) = large.get_mut(..length) else {
                    bail!("a longer key than this has room for");
                };
                pair.sign(*encoding, &self.random, signed, out)?;
                token.push('.');
                BASE64.encode_append(out, &mut token);
                return Ok(token);
            }
        };
        token.push('.');
        BASE64.encode_append(signature, &mut token);
        Ok(token)
    }
}

impl Checker {
    /// With the ES256 key of a JWK set that has signed this token.
    pub fn of_jwks(jwks: &serde_json::Value, token: &str) -> Result<Self> {
        let keys = jwks.get("keys").and_then(|keys| keys.as_array());
        for key in keys.context("no keys")? {
            let mut point = vec![4];
            for name in ["x", "y"] {
                let number = key.get(name).and_then(|number| number.as_str());
                point.extend(BASE64.decode_to_vec(number.context("no point")?)?);
            }
            let checker = public(&ECDSA_P256_SHA256_FIXED, &point)?;
            if checker.verify(token).is_ok() {
                return Ok(checker);
            }
        }
        bail!("no key has signed the token")
    }

    pub fn verify(&self, token: &str) -> Result<Claims> {
        let (signed, signature) = token.rsplit_once('.').context("no dot")?;
        let (_, payload) = signed.split_once('.').context("one dot")?;
        let signature = BASE64.decode_to_vec(signature)?;
        match self {
            Self::Public(key) => key.verify_sig(signed.as_bytes(), &signature)?,
            Self::Hmac(key) => hmac::verify(key, signed.as_bytes(), &signature)?,
        }
        Ok(serde_json::from_slice(&BASE64.decode_to_vec(payload)?)?)
    }
}

fn public(algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8]) -> Result<Checker> {
    Ok(Checker::Public(ParsedPublicKey::new(algorithm, bytes)?))
}

fn rsa(
    pkcs8: &[u8],
    encoding: &'static dyn RsaEncoding,
    verification: &'static dyn VerificationAlgorithm,
) -> Result<(Signer, Checker)> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8)?;
    let public = public(verification, pair.public_key().as_ref())?;
    Ok((Signer::Rsa(pair, encoding), public))
}
