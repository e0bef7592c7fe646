//! Keys that sign.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::material::Material;
use super::{Headers, VerifyingKey};
use crate::algorithm::Algorithm;
use crate::compact::{MAX_TOKEN_BYTES, encoded_header};
use crate::encoding;
use crate::error::{Error, KeyError};
use crate::jwk::{Jwk, PrivateJwk, Secret, good_kid, p256_from_point};
use crate::strict::{self, Fault};
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

impl SigningKey {
    /// Makes a new key: RSA of 2048 bits, an HMAC secret of 32 bytes. Its `kid`
    /// is its thumbprint (RFC 7638), for HMAC 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Failed`] if the cryptographic library fails.
    #[expect(
        clippy::disallowed_methods,
        reason = "keys of the other algorithms are made by the library, from the same source"
    )]
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        if algorithm.is_symmetric() {
            let (mut kid, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
            let random = SystemRandom::new();
            random.fill(&mut kid).map_err(|_| KeyError::Failed)?;
            random.fill(secret.as_mut()).map_err(|_| KeyError::Failed)?;
            return Self::hmac(&encoding::encode(&kid), secret.as_ref());
        }
        Self::new(algorithm, None, Material::generate(algorithm)?)
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
            key: Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)),
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
        self.material.to_bytes()
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
        let length = header.len()
            + encoding::encoded_length(payload.len())
            + encoding::encoded_length(self.material.signature_length())
            + 2;
        if length > MAX_TOKEN_BYTES {
            return Err(Error::Unsignable);
        }
        let mut token = String::with_capacity(length);
        token.push_str(header);
        token.push('.');
        encoding::encode_to(payload, &mut token);
        self.material.append_signature(self.algorithm, &mut token)?;
        Ok(token)
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

/// Whether a would-be secret is a key file: PEM, a JWK, the DER or the bare point
/// of a public key. Whoever verifies with such a file as an HMAC secret accepts
/// tokens that anybody can make (CVE-2022-29217 and its many likes).
fn is_key_file(secret: &[u8]) -> bool {
    const PEM: &[u8] = b"-----BEGIN ";
    let is_pem = secret.windows(PEM.len()).any(|window| window == PEM);
    let is_jwk = secret.trim_ascii_start().starts_with(b"{")
        && strict::from_slice::<IgnoredAny>(secret) != Err(Fault::Syntax);
    let is_der = Jwk::from_spki_der(secret).is_ok();
    let is_point = p256_from_point(secret)
        .is_ok_and(|public| VerifyingKey::from_jwk(&Jwk::new(public)).is_ok());
    is_pem || is_jwk || is_der || is_point
}
