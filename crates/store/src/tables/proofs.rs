use symbolon_domain::mail::{EmailChange, Proof, ProofKind};
use symbolon_domain::{Email, Timestamp, UserId};
use uuid::Uuid;

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND = "SELECT id, kind, subject, email, created_at, expires_at FROM proofs WHERE id = $1";
    FIND_BY_DIGEST = "SELECT id, kind, subject, email, created_at, expires_at FROM proofs WHERE digest = $1";
    PUT =
        "INSERT INTO proofs (id, kind, subject, email, digest, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (subject, kind) DO UPDATE SET id = excluded.id, email = excluded.email, \
         digest = excluded.digest, created_at = excluded.created_at, expires_at = excluded.expires_at";
    TAKE = "DELETE FROM proofs WHERE id = $1";
    DELETE_OF = "DELETE FROM proofs WHERE subject = $1";
    PURGE = "DELETE FROM proofs WHERE id IN (SELECT id FROM proofs WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    FIND_CHANGE =
        "SELECT id, user_id, email, new_confirmed, old_confirmed, expires_at FROM email_changes WHERE user_id = $1";
    PUT_CHANGE =
        "INSERT INTO email_changes (user_id, id, email, new_confirmed, old_confirmed, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, email = excluded.email, \
         new_confirmed = excluded.new_confirmed, old_confirmed = excluded.old_confirmed, \
         expires_at = excluded.expires_at";
    CONFIRM_CHANGE =
        "UPDATE email_changes SET new_confirmed = $1, old_confirmed = $2 \
         WHERE user_id = $3 AND id = $4 AND new_confirmed = $5 AND old_confirmed = $6";
    TAKE_CHANGE =
        "DELETE FROM email_changes WHERE user_id = $1 AND id = $2 AND new_confirmed = $3 AND old_confirmed = $4";
    DELETE_CHANGE = "DELETE FROM email_changes WHERE user_id = $1";
    PURGE_CHANGES =
        "DELETE FROM email_changes WHERE user_id IN \
         (SELECT user_id FROM email_changes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

impl Store {
    /// The proof of this id, if it was not used or replaced. It may have expired.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_proof(&self, id: Uuid) -> Result<Option<Proof>, Error> {
        self.find(FIND, &[id.into()], read_proof).await
    }

    /// The same by the digest of the token that is made of it.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_proof_by_digest(&self, digest: [u8; 32]) -> Result<Option<Proof>, Error> {
        self.find(FIND_BY_DIGEST, &[digest.into()], read_proof)
            .await
    }

    /// The change of address that waits for its confirmations. It may have expired.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_email_change(&self, user: UserId) -> Result<Option<EmailChange>, Error> {
        self.find(FIND_CHANGE, &[user.into()], read_change).await
    }

    /// Drops proofs that have expired, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_proofs(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![now.into(), i64::from(limit).into()])
            .await
    }

    /// The same for changes of address.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_email_changes(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE_CHANGES, vec![now.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Keeps a proof and the digest of its token, in the place of the one before of the same kind and subject.
    pub fn put_proof(&mut self, proof: &Proof, digest: [u8; 32]) -> &mut Self {
        let values = [
            proof.id.into(),
            proof.kind.as_str().into(),
            proof.subject.into(),
            proof.email.as_str().to_owned().into(),
            digest.into(),
            proof.created_at.into(),
            proof.expires_at.into(),
        ];
        self.push(PUT, Expect::One, values)
    }

    /// Uses a proof up. The commit is [`Error::Stale`] if it was used or replaced.
    pub fn take_proof(&mut self, id: Uuid) -> &mut Self {
        self.push(TAKE, Expect::One, [id.into()])
    }

    /// Makes void whatever was proved of a user or an invitation.
    pub fn delete_proofs(&mut self, subject: Uuid) -> &mut Self {
        self.push(DELETE_OF, Expect::Any, [subject.into()])
    }

    /// Keeps a change of address, in the place of the one before.
    pub fn put_email_change(&mut self, change: &EmailChange) -> &mut Self {
        let values = [
            change.user.into(),
            change.id.into(),
            change.email.as_str().to_owned().into(),
            change.new_confirmed.into(),
            change.old_confirmed.into(),
            change.expires_at.into(),
        ];
        self.push(PUT_CHANGE, Expect::One, values)
    }

    /// Stores the confirmations of `next`. Compare-and-set on those of `expected`.
    pub fn confirm_email_change(
        &mut self,
        expected: &EmailChange,
        next: &EmailChange,
    ) -> &mut Self {
        let values = [
            next.new_confirmed.into(),
            next.old_confirmed.into(),
            expected.user.into(),
            expected.id.into(),
            expected.new_confirmed.into(),
            expected.old_confirmed.into(),
        ];
        self.push(CONFIRM_CHANGE, Expect::One, values)
    }

    /// Takes a change that happens now away. Compare-and-set on its confirmations.
    pub fn take_email_change(&mut self, expected: &EmailChange) -> &mut Self {
        let values = [
            expected.user.into(),
            expected.id.into(),
            expected.new_confirmed.into(),
            expected.old_confirmed.into(),
        ];
        self.push(TAKE_CHANGE, Expect::One, values)
    }

    /// Gives up the change of address of a user, if there is one.
    pub fn delete_email_change(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_CHANGE, Expect::Any, [user.into()])
    }
}

fn read_proof(row: &Row<'_>) -> Result<Proof, Error> {
    Ok(Proof {
        id: Uuid::from_bytes(row.array(0)?),
        kind: row.parsed(1, str::parse::<ProofKind>)?,
        subject: Uuid::from_bytes(row.array(2)?),
        email: row.parsed(3, Email::parse)?,
        created_at: row.time(4)?,
        expires_at: row.time(5)?,
    })
}

fn read_change(row: &Row<'_>) -> Result<EmailChange, Error> {
    Ok(EmailChange {
        id: Uuid::from_bytes(row.array(0)?),
        user: UserId::from_bytes(row.array(1)?),
        email: row.parsed(2, Email::parse)?,
        new_confirmed: row.bool(3)?,
        old_confirmed: row.bool(4)?,
        expires_at: row.time(5)?,
    })
}
