//! Prepared keys: parsed once, each for one algorithm.

mod material;
mod set;
mod signing;
mod verifying;

pub use set::KeySet;
pub use signing::SigningKey;
pub use verifying::VerifyingKey;

use crate::algorithm::Algorithm;
use crate::compact::encoded_header;
use crate::typ::Typ;

/// The header segments of the usual kinds of token for one key, encoded once:
/// the signer copies them, the verifier compares with them.
#[derive(Clone)]
struct Headers {
    at_jwt: String,
    jwt: String,
}

impl Headers {
    fn new(algorithm: Algorithm, kid: &str) -> Self {
        Self {
            at_jwt: encoded_header(algorithm, &Typ::AtJwt, kid),
            jwt: encoded_header(algorithm, &Typ::Jwt, kid),
        }
    }

    fn find(&self, typ: &Typ) -> Option<&str> {
        match typ {
            Typ::AtJwt => Some(&self.at_jwt),
            Typ::Jwt => Some(&self.jwt),
            Typ::Other(_) => None,
        }
    }
}

/// The uncompressed form of a point (SEC 1 section 2.3.3).
fn p256_point(x: &[u8; 32], y: &[u8; 32]) -> [u8; 65] {
    let mut point = [4; 65];
    for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(y)) {
        *to = *from;
    }
    point
}
