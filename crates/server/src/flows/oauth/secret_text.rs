//! Secrets that are shown once and kept as digests: codes, names of pushed requests, codes of devices.

use aws_lc_rs::digest::{SHA256, digest};
use symbolon_domain::refresh::Digest;
use symbolon_token::encoding;
use zeroize::Zeroizing;

use crate::app::App;
use crate::flows::Error;

/// 256 random bits behind `prefix`, which says what it is.
pub(super) fn draw(app: &App, prefix: &str) -> Result<Zeroizing<String>, Error> {
    let bytes = app.rng.bytes::<32>();
    let bytes = Zeroizing::new(bytes.map_err(|error| Error::fault("random source")(error.into()))?);
    Ok(Zeroizing::new(format!(
        "{prefix}{}",
        encoding::encode(&*bytes)
    )))
}

/// SHA-256 of a secret that begins with `prefix`; nothing for another text, which needs no look at the store.
pub(super) fn digest_of(prefix: &str, text: &str) -> Option<Digest> {
    let secret = text.strip_prefix(prefix)?;
    (secret.len() == 43).then(|| sha256(text.as_bytes()))
}

/// SHA-256.
pub(super) fn sha256(text: &[u8]) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text).as_ref());
    Digest::new(bytes)
}
