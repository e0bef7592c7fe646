//! Argon2 (RFC 9106) in PHC strings.

use ::argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64_simd::STANDARD_NO_PAD;

use super::super::{HashError, Unusable};

pub(super) const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// What a stored hash may ask for at most (unless more is configured), so that an imported one is no denial of service:
/// libsodium's "moderate" and argon2-cffi's defaults fit; about a second on one core.
const MOST_MEMORY_KIB: u32 = 262_144;
const MOST_MEMORY_PASSES: u64 = 1_048_576;
const MOST_PARALLELISM: u32 = 64;

/// Working memory, kept between hashes: taking it anew costs a third more.
#[derive(Default)]
pub(in super::super) struct Arena {
    blocks: Vec<Block>,
    /// Bytes of it that the pool has counted.
    pub(in super::super) counted: usize,
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
    pub(in super::super) fn shrink_to(&mut self, blocks: usize) {
        if self.blocks.len() > blocks {
            self.blocks.truncate(blocks);
            self.blocks.shrink_to_fit();
        }
    }

    pub(in super::super) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }
}

/// The costs of new hashes.
pub(super) fn params(memory_kib: u32, passes: u32, lanes: u32) -> Result<Params, HashError> {
    Params::new(memory_kib, passes, lanes, Some(OUTPUT_BYTES)).map_err(HashError::fault)
}

/// A stored hash, read.
pub(super) struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Stored {
    /// A well-formed hash of nothing. Nothing random: it never matches, and the first random bytes are too dear for
    /// the start of the process.
    pub(super) fn dummy(params: &Params) -> Self {
        Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: params.clone(),
            salt: vec![0; SALT_BYTES],
            output: vec![0; OUTPUT_BYTES],
        }
    }

    pub(super) fn read(text: &str, configured: &Params) -> Result<Self, Unusable> {
        let hash = PasswordHash::new(text).map_err(|_| Unusable::Malformed)?;
        let algorithm =
            Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| Unusable::Malformed)?;
        // A hash without a version is of the first one (PHC string format of Argon2).
        let version = hash
            .version
            .map_or(Ok(Version::V0x10), Version::try_from)
            .map_err(|_| Unusable::Malformed)?;
        let params = Params::try_from(&hash).map_err(|_| Unusable::Malformed)?;
        if !params.keyid().is_empty() || !params.data().is_empty() {
            return Err(Unusable::Malformed);
        }
        if !tolerates(&params, configured) {
            return Err(Unusable::TooCostly);
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(Unusable::Malformed);
        };
        Ok(Self {
            algorithm,
            version,
            params,
            salt: salt.to_vec(),
            output: output.as_bytes().to_vec(),
        })
    }

    pub(super) fn matches(&self, arena: &mut Arena, password: &[u8]) -> Result<bool, HashError> {
        let engine = Argon2::new(self.algorithm, self.version, self.params.clone());
        let mut computed = vec![0; self.output.len()];
        compute(&engine, arena, (password, &self.salt), &mut computed)?;
        Ok(verify_slices_are_equal(&computed, &self.output).is_ok())
    }

    /// Whether a new hash would be made in the same way.
    pub(super) fn is_of(&self, configured: &Params) -> bool {
        (self.algorithm, self.version) == (Algorithm::Argon2id, Version::V0x13)
            && self.params == *configured
            && self.salt.len() >= SALT_BYTES
    }
}

pub(super) fn hash(
    arena: &mut Arena,
    params: &Params,
    password: &[u8],
    salt: [u8; SALT_BYTES],
) -> Result<String, HashError> {
    let engine = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut output = [0; OUTPUT_BYTES];
    compute(&engine, arena, (password, &salt), &mut output)?;
    Ok(format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode_to_string(salt),
        STANDARD_NO_PAD.encode_to_string(output),
    ))
}

fn tolerates(asked: &Params, configured: &Params) -> bool {
    let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    asked.m_cost() <= MOST_MEMORY_KIB.max(configured.m_cost())
        && work(asked) <= MOST_MEMORY_PASSES.max(work(configured))
        && asked.p_cost() <= MOST_PARALLELISM.max(configured.p_cost())
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
