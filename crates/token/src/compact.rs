//! The compact form (RFC 7515 section 7.1) and the protected header (section 4).

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::encoding;
use crate::error::Error;
use crate::slot::{Present, Slot};
use crate::strict;
use crate::typ::Typ;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// The longest header, in base64url characters.
const MAX_HEADER_CHARACTERS: usize = 4096;

/// The segments of a token, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'t> {
    pub(crate) header: &'t [u8],
    pub(crate) payload: &'t [u8],
    pub(crate) signature: &'t [u8],
    pub(crate) signing_input: &'t [u8],
}

impl<'t> Compact<'t> {
    /// Splits a token at its first and its last dot. A dot in between stays in
    /// the payload, where decoding refuses it: JWE has five segments.
    pub(crate) fn split(token: &'t str) -> Result<Self, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLong);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Error::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Error::Malformed)?;
        if header.len() >= MAX_HEADER_CHARACTERS {
            return Err(Error::HeaderTooLarge);
        }
        Ok(Self {
            header: header.as_bytes(),
            payload: payload.as_bytes(),
            signature: signature.as_bytes(),
            signing_input: signing_input.as_bytes(),
        })
    }

    /// Decodes the payload and hands it to `read`; usual sizes need no allocation.
    pub(crate) fn with_payload<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut stack = [0; 1024];
        if encoding::decoded_length(self.payload.len()) <= stack.len() {
            read(encoding::decode_into(self.payload, &mut stack)?)
        } else {
            read(&encoding::decode(self.payload)?)
        }
    }
}

/// A protected header, read strictly.
pub(crate) struct Header {
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
}

/// `jwk`, `jku`, `x5u`, `x5c` and their like are not read at all: a token never
/// brings its own key (RFC 8725 section 3.10).
#[derive(Deserialize, Default)]
#[serde(default)]
struct RawHeader {
    alg: Slot<String>,
    typ: Slot<String>,
    kid: Slot<String>,
    crit: Present,
    b64: Present,
    enc: Present,
}

impl Header {
    pub(crate) fn read(segment: &[u8]) -> Result<Self, Error> {
        let json = encoding::decode(segment)?;
        let raw: RawHeader = strict::from_slice(&json)?;
        // RFC 7515 section 4.1.11: we understand no extension, so any `crit` is
        // refused, an empty list and null included. RFC 7797: `b64` would
        // change what is signed.
        if raw.crit.0 || raw.b64.0 {
            return Err(Error::CriticalHeader);
        }
        // RFC 7516 section 9: a header with `enc` is a JWE's.
        if raw.enc.0 {
            return Err(Error::Malformed);
        }
        let alg = raw.alg.required(Error::Malformed, Error::Malformed)?;
        Ok(Self {
            algorithm: Algorithm::from_jose(&alg),
            typ: raw.typ.optional(Error::Malformed)?,
            kid: raw.kid.optional(Error::Malformed)?,
        })
    }
}

/// The header segment that our signer writes, encoded.
pub(crate) fn encoded_header(algorithm: Algorithm, typ: &Typ, kid: &str) -> String {
    let mut json = String::with_capacity(64 + kid.len());
    json.push_str(r#"{"alg":""#);
    json.push_str(algorithm.as_str());
    json.push_str(r#"","typ":"#);
    push_json_string(typ.as_str(), &mut json);
    json.push_str(r#","kid":"#);
    push_json_string(kid, &mut json);
    json.push('}');
    encoding::encode(json.as_bytes())
}

fn push_json_string(text: &str, json: &mut String) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
