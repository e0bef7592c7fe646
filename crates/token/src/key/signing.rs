//! Keys that sign.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::{KeyPairComponents, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Headers, VerifyingKey, p256_point};
use crate::algorithm::Algorithm;
use crate::compact::{MAX_TOKEN_BYTES, encoded_header};
use crate::encoding;
use crate::error::{Error, KeyError};
use crate::jwk::{Jwk, PrivateJwk, Public, Secret, good_kid, p256_from_point, rsa_from_pkcs1};
use crate::strict;
use crate::typ::Typ;

/// A key that signs with one algorithm. `Debug` shows its name and algorithm only.
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    material: Material,
    public: Option<Jwk>,
    verifying: VerifyingKey,
    headers: Headers,
}

enum Material {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    Hmac {
        key: hmac::Key,
        secret: Zeroizing<Vec<u8>>,
    },
}

impl SigningKey {
    /// Makes a new key: RSA of 2048 bits, an HMAC secret of 32 bytes. Its `kid`
    /// is its thumbprint (RFC 7638), for HMAC 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Failed`] if the cryptographic library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let material = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Material::P256)
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Material::Ed25519),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                RsaKeyPair::generate(KeySize::Rsa2048).map(Material::Rsa)
            }
            Algorithm::Hs256 => {
                let (mut kid, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
                let random = SystemRandom::new();
                random.fill(&mut kid).map_err(|_| KeyError::Failed)?;
                random.fill(secret.as_mut()).map_err(|_| KeyError::Failed)?;
                return Self::hmac(&encoding::encode(&kid), secret.as_ref());
            }
        };
        Self::new(algorithm, None, material.map_err(|_| KeyError::Failed)?)
    }

    /// Makes an HS256 key of a shared secret, used as it is.
    ///
    /// # Errors
    ///
    /// [`KeyError::SecretTooShort`] below 32 bytes (RFC 7518 section 3.2),
    /// [`KeyError::SecretIsKeyFile`] for a PEM, DER or JWK public key, which is
    /// no secret at all, and [`KeyError::BadKid`].
    pub fn hmac(kid: &str, secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < 32 {
            return Err(KeyError::SecretTooShort);
        }
        if is_key_file(secret) {
            return Err(KeyError::SecretIsKeyFile);
        }
        let material = Material::Hmac {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            secret: Zeroizing::new(secret.to_vec()),
        };
        Self::new(Algorithm::Hs256, Some(kid), material)
    }

    /// Reads a private key from PKCS#8 DER (RFC 5958). Its `kid` is its thumbprint.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] if it is no private key for `algorithm`, and the
    /// refusals of unsafe RSA numbers.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        Self::new(algorithm, None, Material::from_pkcs8(algorithm, der)?)
    }

    /// Reads a private or symmetric JWK. Its `kid` is that of the JWK, else its
    /// thumbprint, for a symmetric key `secret`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Invalid`] if its numbers do not belong together,
    /// [`KeyError::WrongUse`] if `key_ops` does not allow signing, and those of
    /// [`SigningKey::hmac`].
    pub fn from_jwk(jwk: &PrivateJwk) -> Result<Self, KeyError> {
        if !jwk.operations().sign {
            return Err(KeyError::WrongUse);
        }
        if let Secret::Symmetric { k, .. } = jwk.secret() {
            return Self::hmac(jwk.kid().unwrap_or("secret"), k);
        }
        let public = jwk.public().ok_or(KeyError::NotPrivate)?;
        let material = Material::from_jwk(public.public(), jwk.secret())?;
        Self::new(jwk.algorithm(), jwk.kid(), material)
    }

    /// Reads what [`SigningKey::to_private_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Those of [`SigningKey::from_pkcs8`] and [`SigningKey::hmac`].
    pub fn from_private_bytes(
        algorithm: Algorithm,
        kid: &str,
        bytes: &[u8],
    ) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Hs256 => Self::hmac(kid, bytes),
            _ => Self::new(
                algorithm,
                Some(kid),
                Material::from_pkcs8(algorithm, bytes)?,
            ),
        }
    }

    /// The private key for safe keeping: PKCS#8 DER, for HMAC the secret itself.
    ///
    /// # Errors
    ///
    /// [`KeyError::Failed`] if the cryptographic library fails.
    pub fn to_private_bytes(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let bytes = match &self.material {
            Material::Hmac { secret, .. } => return Ok(secret.clone()),
            Material::P256(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Material::Ed25519(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Material::Rsa(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|document| document.as_ref().to_vec())
            }
        };
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Failed)
    }

    fn new(algorithm: Algorithm, kid: Option<&str>, material: Material) -> Result<Self, KeyError> {
        let public = material.public()?.map(Jwk::new);
        let kid = match (kid, &public) {
            (Some(kid), _) if good_kid(kid) => kid.to_owned(),
            (None, Some(public)) => public.thumbprint(),
            _ => return Err(KeyError::BadKid),
        };
        let public = public.map(|public| public.named(&kid, algorithm));
        let verifying = match (&material, &public) {
            (Material::Hmac { key, .. }, _) => VerifyingKey::from_hmac(Some(&kid), key.clone()),
            (_, Some(public)) => VerifyingKey::from_jwk(public)?,
            (_, None) => return Err(KeyError::Failed),
        };
        Ok(Self {
            headers: Headers::new(algorithm, &kid),
            kid,
            algorithm,
            material,
            public,
            verifying,
        })
    }

    /// The key's name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half with `kid`, `use` and `alg`; HMAC has none.
    pub fn public_jwk(&self) -> Option<Jwk> {
        self.public.clone()
    }

    /// The key that verifies what this one signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// Signs claims. The header is `{"alg","typ","kid"}`, in that order.
    ///
    /// # Errors
    ///
    /// [`Error::Unsignable`] if the claims are not a JSON object or the token
    /// would be too long to be accepted, [`Error::SigningFailed`] if the
    /// cryptographic library fails.
    pub fn sign(&self, typ: Typ, claims: &impl Serialize) -> Result<String, Error> {
        let payload = serde_json::to_vec(claims).map_err(|_| Error::Unsignable)?;
        if payload.first() != Some(&b'{') {
            return Err(Error::Unsignable);
        }
        match self.headers.find(&typ) {
            Some(header) => self.sign_segments(header, &payload),
            None => self.sign_segments(&encoded_header(self.algorithm, &typ, &self.kid), &payload),
        }
    }

    /// Signs any payload under a header that the caller has written, whatever it
    /// says: for command-line use and tests.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::sign`].
    pub fn sign_raw(&self, header_json: &[u8], payload: &[u8]) -> Result<String, Error> {
        self.sign_segments(&encoding::encode(header_json), payload)
    }

    fn sign_segments(&self, header: &str, payload: &[u8]) -> Result<String, Error> {
        let signature_length = match &self.material {
            Material::Rsa(pair) => pair.public_modulus_len(),
            Material::Hmac { .. } => 32,
            Material::P256(_) | Material::Ed25519(_) => 64,
        };
        let length = header.len()
            + encoding::encoded_length(payload.len())
            + encoding::encoded_length(signature_length)
            + 2;
        if length > MAX_TOKEN_BYTES {
            return Err(Error::Unsignable);
        }
        let mut token = String::with_capacity(length);
        token.push_str(header);
        token.push('.');
        encoding::encode_to(payload, &mut token);
        self.append_signature(signature_length, &mut token)?;
        Ok(token)
    }

    fn append_signature(&self, length: usize, token: &mut String) -> Result<(), Error> {
        let random = SystemRandom::new();
        match &self.material {
            Material::Hmac { key, .. } => {
                let tag = hmac::sign(key, token.as_bytes());
                append(tag.as_ref(), token);
            }
            Material::Ed25519(pair) => {
                let signature = pair.try_sign(token.as_bytes());
                append(signature.map_err(|_| Error::SigningFailed)?.as_ref(), token);
            }
            Material::P256(pair) => {
                let signature = pair.sign(&random, token.as_bytes());
                append(signature.map_err(|_| Error::SigningFailed)?.as_ref(), token);
            }
            Material::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; length];
                pair.sign(padding, &random, token.as_bytes(), &mut signature)
                    .map_err(|_| Error::SigningFailed)?;
                append(&signature, token);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Material {
    fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
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

    fn from_jwk(public: &Public, secret: &Secret) -> Result<Self, KeyError> {
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

    fn public(&self) -> Result<Option<Public>, KeyError> {
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
}

fn append(signature: &[u8], token: &mut String) {
    token.push('.');
    encoding::encode_to(signature, token);
}

/// Whether a would-be secret is a key file: PEM, a JWK, or the DER of a public
/// or private key. Whoever verifies with such a file as an HMAC secret accepts
/// tokens that anybody can make (CVE-2022-29217 and its many likes).
fn is_key_file(secret: &[u8]) -> bool {
    const PEM: &[u8] = b"-----BEGIN ";
    let is_pem = secret.windows(PEM.len()).any(|window| window == PEM);
    let is_json = strict::from_slice::<serde::de::IgnoredAny>(secret).is_ok();
    let is_der = Jwk::from_spki_der(secret).is_ok();
    is_pem || is_json || is_der
}
