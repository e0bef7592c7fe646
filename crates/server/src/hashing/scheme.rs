//! The algorithms: how a hash is made, read and compared, and how much work one may ask for.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64_simd::STANDARD_NO_PAD;

use super::{HashError, HashOptions, Verdict};

/// bcrypt looks at no byte past this one. What is longer is refused, never cut.
pub(super) const BCRYPT_LONGEST: usize = 72;

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// What a stored hash may ask for at most (unless more is configured), so that an imported one is no denial of service:
/// libsodium's "moderate" and argon2-cffi's defaults fit; about a second on one core.
const MOST_MEMORY_KIB: u32 = 262_144;
const MOST_MEMORY_PASSES: u64 = 1_048_576;
const MOST_PARALLELISM: u32 = 64;
const MOST_BCRYPT_COST: u32 = 15;

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

/// Working memory for Argon2, kept between hashes: taking it anew costs a third more.
#[derive(Default)]
pub(super) struct Arena {
    blocks: Vec<Block>,
    /// Bytes of it that the pool has counted.
    pub(super) counted: usize,
}

impl Arena {
    fn blocks(&mut self, count: usize) -> Result<&mut [Block], HashError> {
        if let Some(more) = count.checked_sub(self.blocks.len()) {
            self.blocks
                .try_reserve_exact(more)
                .map_err(HashError::fault)?;
            self.blocks.resize(count, Block::default());
        }
        Ok(&mut self.blocks[..count])
    }

    /// Gives back what is held beyond `blocks`.
    pub(super) fn shrink_to(&mut self, blocks: usize) {
        if self.blocks.len() > blocks {
            self.blocks.truncate(blocks);
            self.blocks.shrink_to_fit();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
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
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        params: Params,
        salt: Vec<u8>,
        output: Vec<u8>,
    },
    Bcrypt {
        cost: u32,
        text: String,
    },
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored")
    }
}

impl Scheme {
    pub(super) fn new(options: &HashOptions) -> Result<Self, HashError> {
        let argon2 = Params::new(
            options.memory_kib,
            options.iterations,
            options.parallelism,
            Some(OUTPUT_BYTES),
        )
        .map_err(HashError::fault)?;
        if !(4..=31).contains(&options.bcrypt_cost) {
            return Err(HashError::fault("bcrypt's cost is from 4 to 31"));
        }
        // Nothing random: it never matches, and the first random bytes are too dear for the start of the process.
        let dummy = match options.algorithm {
            HashAlgorithm::Argon2id => Stored::Argon2 {
                algorithm: Algorithm::Argon2id,
                version: Version::V0x13,
                params: argon2.clone(),
                salt: vec![0; SALT_BYTES],
                output: vec![0; OUTPUT_BYTES],
            },
            HashAlgorithm::Bcrypt => Stored::Bcrypt {
                cost: options.bcrypt_cost,
                text: format!("$2b${:02}${}", options.bcrypt_cost, ".".repeat(53)),
            },
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
        salt: [u8; SALT_BYTES],
    ) -> Result<String, HashError> {
        match self.algorithm {
            HashAlgorithm::Argon2id => {
                let engine = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.argon2.clone());
                let mut output = [0; OUTPUT_BYTES];
                compute(&engine, arena, (password, &salt), &mut output)?;
                Ok(format!(
                    "$argon2id$v=19$m={},t={},p={}${}${}",
                    self.argon2.m_cost(),
                    self.argon2.t_cost(),
                    self.argon2.p_cost(),
                    STANDARD_NO_PAD.encode_to_string(salt),
                    STANDARD_NO_PAD.encode_to_string(output),
                ))
            }
            HashAlgorithm::Bcrypt if !fits_bcrypt(password) => Err(HashError::fault(
                "the password is longer than bcrypt can hash",
            )),
            HashAlgorithm::Bcrypt => bcrypt::hash_with_salt(password, self.bcrypt_cost, salt)
                .map(|parts| parts.format_for_version(bcrypt::Version::TwoB))
                .map_err(HashError::fault),
        }
    }

    /// The work is done whatever comes of it: without a stored hash, and with one that is not usable, on the dummy.
    pub(super) fn verify(
        &self,
        arena: &mut Arena,
        password: &[u8],
        stored: Option<&str>,
    ) -> Result<Verdict, HashError> {
        let read = stored.and_then(|text| self.read(text));
        if read.is_none() && stored.is_some() {
            tracing::warn!(
                "a stored password hash is unreadable or asks for too much work: it matches no password"
            );
        }
        let target = read.as_ref().unwrap_or(&self.dummy);
        let same = match target {
            Stored::Argon2 {
                algorithm,
                version,
                params,
                salt,
                output,
            } => {
                let engine = Argon2::new(*algorithm, *version, params.clone());
                let mut computed = vec![0; output.len()];
                compute(&engine, arena, (password, salt), &mut computed)?;
                verify_slices_are_equal(&computed, output).is_ok()
            }
            // bcrypt would cut a longer password: the work is done, and the verdict is no.
            Stored::Bcrypt { text, .. } => {
                bcrypt::verify(password, text).unwrap_or(false) && fits_bcrypt(password)
            }
        };
        let matches = same && read.is_some();
        let can_renew = self.algorithm != HashAlgorithm::Bcrypt || fits_bcrypt(password);
        Ok(Verdict {
            matches,
            rehash: matches && can_renew && !self.is_configured(target),
        })
    }

    fn is_configured(&self, stored: &Stored) -> bool {
        match stored {
            Stored::Argon2 {
                algorithm,
                version,
                params,
                salt,
                ..
            } => {
                self.algorithm == HashAlgorithm::Argon2id
                    && (*algorithm, *version) == (Algorithm::Argon2id, Version::V0x13)
                    && *params == self.argon2
                    && salt.len() >= SALT_BYTES
            }
            Stored::Bcrypt { cost, .. } => {
                self.algorithm == HashAlgorithm::Bcrypt && *cost == self.bcrypt_cost
            }
        }
    }

    /// Reads a PHC string of Argon2 or a bcrypt hash; `None` when it is neither, or asks for too much work.
    fn read(&self, text: &str) -> Option<Stored> {
        match text.get(..4)? {
            "$2a$" | "$2b$" | "$2y$" => self.read_bcrypt(text),
            "$arg" => self.read_argon2(text),
            _ => None,
        }
    }

    fn read_bcrypt(&self, text: &str) -> Option<Stored> {
        let cost = text.parse::<bcrypt::HashParts>().ok()?.get_cost();
        let most = MOST_BCRYPT_COST.max(self.bcrypt_cost);
        (4..=most).contains(&cost).then(|| Stored::Bcrypt {
            cost,
            text: text.to_owned(),
        })
    }

    fn read_argon2(&self, text: &str) -> Option<Stored> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        // A hash without a version is of the first one (PHC string format of Argon2).
        let version = hash
            .version
            .map_or(Ok(Version::V0x10), Version::try_from)
            .ok()?;
        let params = Params::try_from(&hash).ok()?;
        let usable =
            params.keyid().is_empty() && params.data().is_empty() && self.tolerates(&params);
        let (salt, output) = (hash.salt?, hash.hash?);
        usable.then(|| Stored::Argon2 {
            algorithm,
            version,
            params,
            salt: salt.to_vec(),
            output: output.as_bytes().to_vec(),
        })
    }

    fn tolerates(&self, asked: &Params) -> bool {
        let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
        asked.m_cost() <= MOST_MEMORY_KIB.max(self.argon2.m_cost())
            && work(asked) <= MOST_MEMORY_PASSES.max(work(&self.argon2))
            && asked.p_cost() <= MOST_PARALLELISM.max(self.argon2.p_cost())
    }
}

fn compute(
    engine: &Argon2<'_>,
    arena: &mut Arena,
    (password, salt): (&[u8], &[u8]),
    output: &mut [u8],
) -> Result<(), HashError> {
    let blocks = arena.blocks(engine.params().block_count())?;
    engine
        .hash_password_into_with_memory(password, salt, output, blocks)
        .map_err(HashError::fault)
}

fn fits_bcrypt(password: &[u8]) -> bool {
    password.len() <= BCRYPT_LONGEST && !password.contains(&0)
}
