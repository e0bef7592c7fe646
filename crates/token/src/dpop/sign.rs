//! Making proofs: what a client does.

use serde::Serialize;

use super::{TYP, access_token_hash, uri};
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::jwk::Jwk;
use crate::key::SigningKey;

/// A proof to be signed (RFC 9449 section 4.2), one for each request.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// An identifier that the client never uses again, such as 16 random bytes in base64url.
    pub jti: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// The URI of the request; a query or fragment is left out of the proof.
    pub uri: &'a str,
    /// The time, in seconds since 1970.
    pub iat_seconds: i64,
    /// The access token that the request carries, if it does.
    pub access_token: Option<&'a str>,
    /// The last `DPoP-Nonce` of that server, if it sent one.
    pub nonce: Option<&'a str>,
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    jwk: Jwk,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl Draft<'_> {
    /// The value of the header `DPoP`.
    ///
    /// # Errors
    ///
    /// [`Error::AlgorithmNotAllowed`] for a key that has no public half, and
    /// those of [`SigningKey::sign`].
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        let public = key.public_jwk().ok_or(Error::AlgorithmNotAllowed)?;
        let header = Header {
            typ: TYP,
            alg: Algorithm::as_str(key.algorithm()),
            // The numbers alone: a name would only make the proof longer.
            jwk: Jwk::new(public.public().clone()),
        };
        let claims = Claims {
            jti: self.jti,
            htm: self.method,
            htu: uri::without_query(self.uri),
            iat: self.iat_seconds,
            ath: self.access_token.map(access_token_hash),
            nonce: self.nonce,
        };
        let header = serde_json::to_vec(&header).map_err(|_| Error::Unsignable)?;
        let claims = serde_json::to_vec(&claims).map_err(|_| Error::Unsignable)?;
        key.sign_raw(&header, &claims)
    }
}
