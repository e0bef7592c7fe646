//! Private keys as the cryptographic library holds them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use super::p256_point;
use crate::algorithm::Algorithm;
use crate::encoding;
use crate::error::{Error, KeyError};
use crate::jwk::{Public, Secret, p256_from_point, rsa_from_pkcs1};

pub(super) enum Material {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    Hmac {
        key: Box<hmac::Key>,
        secret: Zeroizing<Vec<u8>>,
    },
}

impl Material {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let material = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::P256)
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Self::Ed25519),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rsa)
            }
            Algorithm::Hs256 => return Err(KeyError::AlgorithmMismatch),
        };
        material.map_err(|_| KeyError::Failed)
    }

    pub(super) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let material = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Self::P256)
            }
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519),
            Algorithm::Rs256 | Algorithm::Ps256 => RsaKeyPair::from_pkcs8(der).map(Self::Rsa),
            Algorithm::Hs256 => return Err(KeyError::AlgorithmMismatch),
        };
        material.map_err(|_| KeyError::Malformed)
    }

    pub(super) fn from_jwk(public: &Public, secret: &Secret) -> Result<Self, KeyError> {
        let material = match (public, secret) {
            (Public::P256 { x, y }, Secret::Curve { d }) => {
                EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    d,
                    &p256_point(x, y),
                )
                .map(Self::P256)
            }
            (Public::Ed25519 { x }, Secret::Curve { d }) => {
                Ed25519KeyPair::from_seed_and_public_key(d, x).map(Self::Ed25519)
            }
            (
                Public::Rsa { n, e },
                Secret::Rsa {
                    d,
                    crt: [p, q, dp, dq, qi],
                },
            ) => RsaKeyPair::from_components(&KeyPairComponents {
                public_key: RsaPublicKeyComponents {
                    n: n.as_slice(),
                    e: e.as_slice(),
                },
                d: d.as_slice(),
                p: p.as_slice(),
                q: q.as_slice(),
                dP: dp.as_slice(),
                dQ: dq.as_slice(),
                qInv: qi.as_slice(),
            })
            .map(Self::Rsa),
            _ => return Err(KeyError::Invalid),
        };
        material.map_err(|_| KeyError::Invalid)
    }

    pub(super) fn public(&self) -> Result<Option<Public>, KeyError> {
        match self {
            Self::P256(pair) => p256_from_point(pair.public_key().as_ref()).map(Some),
            Self::Ed25519(pair) => match pair.public_key().as_ref().try_into() {
                Ok(x) => Ok(Some(Public::Ed25519 { x })),
                Err(_) => Err(KeyError::Failed),
            },
            Self::Rsa(pair) => rsa_from_pkcs1(pair.public_key().as_ref()).map(Some),
            Self::Hmac { .. } => Ok(None),
        }
    }

    /// PKCS#8 DER, for HMAC the secret itself.
    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let bytes = match self {
            Self::Hmac { secret, .. } => return Ok(secret.clone()),
            Self::P256(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Self::Ed25519(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Self::Rsa(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|document| document.as_ref().to_vec())
            }
        };
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Failed)
    }

    pub(super) fn signature_length(&self) -> usize {
        match self {
            Self::Rsa(pair) => pair.public_modulus_len(),
            Self::Hmac { .. } => 32,
            Self::P256(_) | Self::Ed25519(_) => 64,
        }
    }

    /// Signs the whole text and appends a dot and the signature.
    pub(super) fn append_signature(
        &self,
        algorithm: Algorithm,
        token: &mut String,
    ) -> Result<(), Error> {
        let random = SystemRandom::new();
        match self {
            Self::Hmac { key, .. } => {
                let tag = hmac::sign(key, token.as_bytes());
                append(tag.as_ref(), token);
            }
            Self::Ed25519(pair) => {
                let signature = pair.try_sign(token.as_bytes());
                append(signature.map_err(|_| Error::SigningFailed)?.as_ref(), token);
            }
            Self::P256(pair) => {
                let signature = pair.sign(&random, token.as_bytes());
                append(signature.map_err(|_| Error::SigningFailed)?.as_ref(), token);
            }
            Self::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; self.signature_length()];
                pair.sign(padding, &random, token.as_bytes(), &mut signature)
                    .map_err(|_| Error::SigningFailed)?;
                append(&signature, token);
            }
        }
        Ok(())
    }
}

fn append(signature: &[u8], token: &mut String) {
    token.push('.');
    encoding::encode_to(signature, token);
}
