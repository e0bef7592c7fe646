//! Opaque refresh tokens.
//!
//! Each token of a session is computed from the one before, so that a server
//! that is asked again gives the same answer without having stored it; a store
//! keeps digests only. Nobody without the key can compute a successor, and the
//! tag refuses garbage before any store is asked.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::encoding;

/// What every token begins with, so that secret scanners know one when they see it.
pub const PREFIX: &str = "sbr_";

/// Characters of a token: the prefix, and 66 bytes of base64url.
pub const LENGTH: usize = PREFIX.len() + encoding::encoded_length(BYTES);

const VERSION: u8 = 1;
const TAG: usize = 8;
/// Version, key number, session, generation, secret.
const BODY: usize = 1 + 1 + 16 + 8 + 32;
const BYTES: usize = BODY + TAG;

/// The key of a line of tokens. Two keys are derived from the master: one for
/// successors, one for tags. `Debug` shows the number only.
pub struct ChainKey {
    number: u8,
    chain: hmac::Key,
    tag: hmac::Key,
}

impl ChainKey {
    /// Derives the keys from 32 secret random bytes. The number stands in each
    /// token and tells which key it belongs to.
    pub fn from_bytes(number: u8, master: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let derive = |label: &[u8]| {
            let mut context = hmac::Context::with_key(&master);
            context.update(label);
            context.update(&[number]);
            hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref())
        };
        Self {
            number,
            chain: derive(b"symbolon refresh chain v1"),
            tag: derive(b"symbolon refresh tag v1"),
        }
    }

    /// The number of the key.
    pub fn number(&self) -> u8 {
        self.number
    }

    fn secret(&self, label: &[u8], session: &[u8; 16], generation: u64, from: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.chain);
        context.update(label);
        context.update(session);
        context.update(&generation.to_be_bytes());
        context.update(from);
        first_bytes(context.sign().as_ref())
    }

    fn tag(&self, body: &[u8]) -> [u8; TAG] {
        first_bytes(hmac::sign(&self.tag, body).as_ref())
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainKey")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// One refresh token. Wiped when dropped; `Debug` does not show the secret.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RefreshToken {
    key: u8,
    session: [u8; 16],
    generation: u64,
    secret: [u8; 32],
    tag: [u8; TAG],
}

impl RefreshToken {
    /// The first token of a session, from 32 secret random bytes. Generation 0.
    pub fn first(key: &ChainKey, session: [u8; 16], seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let secret = key.secret(b"first", &session, 0, seed.as_ref());
        Self::new(key, session, 0, secret)
    }

    /// The token after this one: always the same for the same token and key.
    pub fn successor(&self, key: &ChainKey) -> Self {
        let generation = self.generation.saturating_add(1);
        let secret = key.secret(b"next", &self.session, generation, &self.secret);
        Self::new(key, self.session, generation, secret)
    }

    fn new(key: &ChainKey, session: [u8; 16], generation: u64, secret: [u8; 32]) -> Self {
        let mut token = Self {
            key: key.number,
            session,
            generation,
            secret,
            tag: [0; TAG],
        };
        token.tag = key.tag(token.body().as_ref());
        token
    }

    /// What a store keeps: SHA-256 over session, generation and secret.
    pub fn digest(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"symbolon refresh digest v1");
        context.update(&self.session);
        context.update(&self.generation.to_be_bytes());
        context.update(&self.secret);
        first_bytes(context.finish().as_ref())
    }

    /// The number of the key that the token belongs to.
    pub fn key(&self) -> u8 {
        self.key
    }

    /// The session.
    pub fn session(&self) -> [u8; 16] {
        self.session
    }

    /// How many tokens of the session came before this one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The text that a client gets.
    pub fn encode(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let (body, tag) = bytes.split_at_mut(BODY);
        body.copy_from_slice(self.body().as_ref());
        tag.copy_from_slice(&self.tag);
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        encoding::encode_to(bytes.as_ref(), &mut text);
        text
    }

    fn body(&self) -> Zeroizing<[u8; BODY]> {
        let mut body = Zeroizing::new([0; BODY]);
        let bytes = [VERSION, self.key]
            .into_iter()
            .chain(self.session)
            .chain(self.generation.to_be_bytes())
            .chain(self.secret);
        for (to, from) in body.iter_mut().zip(bytes) {
            *to = from;
        }
        body
    }

    /// The number of the key that a text claims to belong to; `None` if it is no
    /// refresh token at all.
    pub fn key_number(text: &str) -> Option<u8> {
        let bytes = decode(text)?;
        bytes.get(1).copied()
    }

    /// Reads a token; `None` for everything that [`RefreshToken::encode`] did not
    /// write with this key.
    pub fn parse(key: &ChainKey, text: &str) -> Option<Self> {
        let bytes = decode(text)?;
        let (body, tag) = bytes.split_at(BODY);
        verify_slices_are_equal(&key.tag(body), tag).ok()?;
        let (head, rest) = body.split_at(2);
        if head != [VERSION, key.number] {
            return None;
        }
        let (session, rest) = rest.split_at(16);
        let (generation, secret) = rest.split_at(8);
        Some(Self {
            key: key.number,
            session: session.try_into().ok()?,
            generation: u64::from_be_bytes(generation.try_into().ok()?),
            secret: secret.try_into().ok()?,
            tag: tag.try_into().ok()?,
        })
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("key", &self.key)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

fn decode(text: &str) -> Option<Zeroizing<[u8; BYTES]>> {
    let encoded = text.strip_prefix(PREFIX)?;
    let bytes = encoding::decode_exact::<BYTES>(encoded.as_bytes()).ok()?;
    (bytes.first() == Some(&VERSION)).then(|| Zeroizing::new(bytes))
}

fn first_bytes<const N: usize>(from: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(from) {
        *to = *from;
    }
    bytes
}
