//! The one place that draws random bytes. Tests seed it.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use symbolon_domain::Timestamp;
use uuid::Uuid;

/// The random source. Clones draw from the same stream.
#[derive(Clone)]
pub struct Rng(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Seeded>),
}

struct Seeded {
    key: hmac::Key,
    next: AtomicU64,
}

/// The operating system gave no random bytes: nothing that needs a secret can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RngError;

impl std::fmt::Debug for Rng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Rng(system)",
            Source::Seeded(_) => "Rng(seeded)",
        })
    }
}

impl Rng {
    /// Cryptographically strong bytes, from AWS-LC's generator, which the operating system seeds.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes on every run, for tests: HMAC-SHA256 of a counter under the seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
        let next = AtomicU64::new(0);
        Self(Source::Seeded(Arc::new(Seeded { key, next })))
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), RngError> {
        match &self.0 {
            Source::System => fill_from_system(bytes),
            Source::Seeded(seeded) => {
                for chunk in bytes.chunks_mut(32) {
                    let number = seeded.next.fetch_add(1, Ordering::SeqCst);
                    let block = hmac::sign(&seeded.key, &number.to_be_bytes());
                    chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
                }
                Ok(())
            }
        }
    }

    /// `N` bytes.
    ///
    /// # Errors
    /// As [`Rng::fill`].
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RngError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A seed for a hash table: others cannot guess it, but it is no secret to build on. It comes from the standard
    /// library's own source, since the first bytes of AWS-LC's cost tens of milliseconds at the start of the process.
    #[must_use]
    pub fn table_seed(&self) -> [u8; 16] {
        match &self.0 {
            Source::System => {
                let half = || RandomState::new().hash_one(0_u8).to_be_bytes();
                let mut seed = [0; 16];
                seed[..8].copy_from_slice(&half());
                seed[8..].copy_from_slice(&half());
                seed
            }
            Source::Seeded(_) => self.bytes().unwrap_or_default(),
        }
    }

    /// An id that sorts by the millisecond of its making (RFC 9562 section 5.7). It tells when it was made, and is no
    /// secret. A time before 1970 counts as 1970.
    ///
    /// # Errors
    /// As [`Rng::fill`].
    pub fn uuid_v7(&self, now: Timestamp) -> Result<Uuid, RngError> {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()?).into_uuid())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that the ban sends callers to"
)]
fn fill_from_system(bytes: &mut [u8]) -> Result<(), RngError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| RngError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let (a, b) = (Rng::seeded(7), Rng::seeded(7));
        assert_eq!(a.bytes::<70>(), b.bytes::<70>());
        assert_ne!(a.bytes::<32>(), b.bytes::<16>().map(|_| [0; 32]));
        assert_ne!(Rng::seeded(7).bytes::<32>(), Rng::seeded(8).bytes::<32>());
    }

    #[test]
    fn clones_share_the_stream() {
        let rng = Rng::seeded(1);
        assert_ne!(rng.bytes::<32>(), rng.clone().bytes::<32>());
    }

    #[test]
    fn the_system_source_does_not_repeat() {
        let rng = Rng::system();
        assert_ne!(rng.bytes::<32>(), rng.bytes::<32>());
    }

    #[test]
    fn table_seeds_differ_unless_they_are_seeded() {
        assert_ne!(Rng::system().table_seed(), Rng::system().table_seed());
        assert_eq!(Rng::seeded(1).table_seed(), Rng::seeded(1).table_seed());
    }

    #[test]
    fn ids_carry_their_time_and_version() {
        let rng = Rng::seeded(1);
        let id = rng
            .uuid_v7(Timestamp::from_millis(0x0123_4567_89ab))
            .unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_bytes()[..6], [0x01, 0x23, 0x45, 0x67, 0x89, 0xab]);
        assert_ne!(
            id,
            rng.uuid_v7(Timestamp::from_millis(0x0123_4567_89ab))
                .unwrap()
        );
        let before = rng.uuid_v7(Timestamp::from_millis(-5)).unwrap();
        assert_eq!(before.as_bytes()[..6], [0; 6]);
    }
}
