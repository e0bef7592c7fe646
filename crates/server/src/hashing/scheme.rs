//! The algorithms: how a hash is made, read and compared, and how much work one may ask for.

mod argon2;
mod bcrypt;
mod pbkdf2;
mod phc;
mod scrypt;

use std::fmt;
use std::str::FromStr;

use ::argon2::Params;

pub(super) use self::argon2::Arena;
pub(super) use self::bcrypt::BCRYPT_LONGEST;
use super::{HashError, HashOptions, Unusable, Verdict};

/// An algorithm that new hashes can be made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// Argon2id, version 1.3 (RFC 9106).
    Argon2id,
    /// bcrypt, in the form `$2b$`.
    Bcrypt,
}

impl HashAlgorithm {
    /// The name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Bcrypt => "bcrypt",
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HashAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "argon2id" => Ok(Self::Argon2id),
            "bcrypt" => Ok(Self::Bcrypt),
            _ => Err("expected `argon2id` or `bcrypt`".to_owned()),
        }
    }
}

/// The configured way of hashing.
#[derive(Debug)]
pub(super) struct Scheme {
    algorithm: HashAlgorithm,
    argon2: Params,
    bcrypt_cost: u32,
    /// A well-formed hash of nothing, compared with where there is none.
    dummy: Stored,
}

/// A stored hash, read.
enum Stored {
    Argon2(argon2::Stored),
    Bcrypt(bcrypt::Stored),
    Scrypt(scrypt::Stored),
    Pbkdf2(pbkdf2::Stored),
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored")
    }
}

impl Scheme {
    pub(super) fn new(options: &HashOptions) -> Result<Self, HashError> {
        let argon2 = argon2::params(options.memory_kib, options.iterations, options.parallelism)?;
        if !(4..=31).contains(&options.bcrypt_cost) {
            return Err(HashError::fault("bcrypt's cost is from 4 to 31"));
        }
        let dummy = match options.algorithm {
            HashAlgorithm::Argon2id => Stored::Argon2(argon2::Stored::dummy(&argon2)),
            HashAlgorithm::Bcrypt => Stored::Bcrypt(bcrypt::Stored::dummy(options.bcrypt_cost)),
        };
        Ok(Self {
            algorithm: options.algorithm,
            argon2,
            bcrypt_cost: options.bcrypt_cost,
            dummy,
        })
    }

    pub(super) fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The Argon2 blocks that a configured hash works on.
    pub(super) fn blocks(&self) -> usize {
        match self.algorithm {
            HashAlgorithm::Argon2id => self.argon2.block_count(),
            HashAlgorithm::Bcrypt => 0,
        }
    }

    pub(super) fn hash(
        &self,
        arena: &mut Arena,
        password: &[u8],
        salt: [u8; argon2::SALT_BYTES],
    ) -> Result<String, HashError> {
        match self.algorithm {
            HashAlgorithm::Argon2id => argon2::hash(arena, &self.argon2, password, salt),
            HashAlgorithm::Bcrypt => bcrypt::hash(password, self.bcrypt_cost, salt),
        }
    }

    /// The work is done whatever comes of it: without a stored hash, and with one that is not usable, on the dummy. Says
    /// also whether the hash was made with another algorithm or other costs than are configured.
    pub(super) fn verify(
        &self,
        arena: &mut Arena,
        password: &[u8],
        stored: Option<&str>,
    ) -> Result<(Verdict, bool), HashError> {
        let read = stored.and_then(|text| self.read(text).ok());
        if read.is_none() && stored.is_some() {
            tracing::warn!(
                "a stored password hash is unreadable or asks for too much work: it matches no password"
            );
        }
        let target = read.as_ref().unwrap_or(&self.dummy);
        let same = match target {
            Stored::Argon2(hash) => hash.matches(arena, password)?,
            Stored::Bcrypt(hash) => hash.matches(password),
            Stored::Scrypt(hash) => hash.matches(password)?,
            Stored::Pbkdf2(hash) => hash.matches(password),
        };
        let matches = same && read.is_some();
        let foreign = !self.is_configured(target);
        let can_renew = self.algorithm != HashAlgorithm::Bcrypt || bcrypt::fits(password);
        let verdict = Verdict {
            matches,
            rehash: matches && can_renew && foreign,
        };
        Ok((verdict, foreign))
    }

    /// Whether a hash can be kept: it is in a notation that is read here, and verifying it costs neither too much
    /// nor too little.
    pub(super) fn check(&self, text: &str) -> Result<(), Unusable> {
        self.read(text).map(|_| ())
    }

    fn is_configured(&self, stored: &Stored) -> bool {
        match stored {
            Stored::Argon2(hash) => {
                self.algorithm == HashAlgorithm::Argon2id && hash.is_of(&self.argon2)
            }
            Stored::Bcrypt(hash) => {
                self.algorithm == HashAlgorithm::Bcrypt && hash.cost == self.bcrypt_cost
            }
            Stored::Scrypt(_) | Stored::Pbkdf2(_) => false,
        }
    }

    fn read(&self, text: &str) -> Result<Stored, Unusable> {
        // `$2x$` marks hashes of a broken implementation: what matches there says nothing.
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|is| text.starts_with(is))
        {
            return bcrypt::Stored::read(text, self.bcrypt_cost).map(Stored::Bcrypt);
        }
        if text.starts_with("$argon2") {
            return argon2::Stored::read(text, &self.argon2).map(Stored::Argon2);
        }
        if let Some(rest) = text.strip_prefix("$pbkdf2-") {
            return pbkdf2::Stored::read(rest).map(Stored::Pbkdf2);
        }
        if let Some(rest) = text.strip_prefix("$scrypt$") {
            return scrypt::Stored::read(rest).map(Stored::Scrypt);
        }
        match text.strip_prefix("$firebase-scrypt$") {
            Some(rest) => scrypt::Stored::read_firebase(rest).map(Stored::Scrypt),
            None => Err(Unusable::Unknown),
        }
    }
}
