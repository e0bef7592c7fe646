//! Names in the revocation feed.

use aws_lc_rs::digest;

/// The feed's name for a revoked thing: the first 16 bytes of SHA-256 over
/// `KIND:ID`, so that the public feed names nobody.
///
/// `kind` is `session`, `user`, `token`, `client`, `key` or `all`; `id` the
/// token's `sid`, `sub`, `jti`, `client_id` or `kid`, and empty for `all`.
pub fn feed_key(kind: &str, id: &str) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(kind.as_bytes());
    context.update(b":");
    context.update(id.as_bytes());
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    key
}
