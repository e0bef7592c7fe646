//! What the links in mails prove: each once, until it expires, is replaced, or what it was made for has changed.

use symbolon_domain::mail::{MailKind, Proof, ProofKind};
use symbolon_domain::{Refusal, Timestamp, User};
use symbolon_store::Batch;

use super::Error;
use super::outbox::VOID_KEPT;
use crate::app::App;
use crate::mail::digest;

/// The proof behind the token of a link. It is not used up: [`Batch::take_proof`] does that, with what it is for.
///
/// # Errors
/// One and the same for a token that is wrong, used, replaced, expired or of another kind.
pub(super) async fn find(
    app: &App,
    token: &str,
    kinds: &[ProofKind],
    now: Timestamp,
) -> Result<Proof, Error> {
    let digest = digest(token).ok_or(Refusal::InvalidLink)?;
    let found = app.store.find_proof_by_digest(digest).await?;
    let good = found.filter(|proof| kinds.iter().any(|kind| proof.is_good(*kind, now)));
    Ok(good.ok_or(Refusal::InvalidLink)?)
}

/// Makes void what was proved of a user and what waits for proof, with the mails that would begin it anew: another
/// password or another address has made it wrong.
pub(super) fn end_all(batch: &mut Batch, user: &User, now: Timestamp) {
    batch
        .delete_proofs(user.id.uuid())
        .delete_email_change(user.id)
        .void_mail(&user.email, MailKind::ResetPassword, now.plus(VOID_KEPT));
}
