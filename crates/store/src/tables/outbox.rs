use symbolon_domain::mail::{Locale, Mail, MailKind, MailState};
use symbolon_domain::{Email, Timestamp, UserId};
use uuid::Uuid;

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

/// The columns that [`read_mail`] reads.
macro_rules! mail_columns {
    () => {
        "id, kind, recipient, locale, subject, about, address, user_agent, created_at, proof, due_at, attempts, \
         state, error"
    };
}

statements! {
    FIND = concat!("SELECT ", mail_columns!(), " FROM outbox WHERE id = $1");
    LIST_DUE = concat!(
        "SELECT ", mail_columns!(), " FROM outbox WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at LIMIT $2"
    );
    LIST_IN_STATE = concat!(
        "SELECT ", mail_columns!(), " FROM outbox WHERE state = $1 ORDER BY due_at LIMIT $2"
    );
    COUNT_WAITING =
        "SELECT count(*) FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' LIMIT $1)";
    INSERT =
        "INSERT INTO outbox (id, kind, recipient, recipient_key, asked, locale, subject, about, address, user_agent, \
         created_at, due_at, attempts, state) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 0, 'waiting' \
         WHERE (SELECT count(*) FROM outbox WHERE recipient_key = $4 AND asked = $5 AND created_at > $12) < $13";
    CLAIM =
        "UPDATE outbox SET due_at = $1, proof = $2, attempts = attempts + 1 \
         WHERE id = $3 AND due_at = $4 AND state = 'waiting'";
    SETTLE =
        "UPDATE outbox SET state = $1, due_at = $2, error = $3 WHERE id = $4 AND due_at = $5 AND state = 'waiting'";
    VOID =
        "UPDATE outbox SET state = 'void', due_at = $1 WHERE recipient_key = $2 AND asked = $3 AND kind = $4 \
         AND state = 'waiting'";
    PURGE =
        "DELETE FROM outbox WHERE id IN \
         (SELECT id FROM outbox WHERE state = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3)";
    FIND_LOCALE = "SELECT locale FROM users WHERE id = $1";
    UPDATE_LOCALE = "UPDATE users SET locale = $1 WHERE id = $2";
}

/// How long the mails of an address are counted together.
const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

/// A mail as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRow {
    /// What is to be sent.
    pub mail: Mail,
    /// The proof that its link is made of, once there is one.
    pub proof: Option<Uuid>,
    /// When there is something to do with it: hand it in, or, in another state, drop it.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What became of it.
    pub state: MailState,
    /// What the last try came to.
    pub error: Option<String>,
}

impl Store {
    /// The mail of this id.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_mail(&self, id: Uuid) -> Result<Option<MailRow>, Error> {
        self.find(FIND, &[id.into()], read_mail).await
    }

    /// Mails that are to be handed in at `now`, those that wait longest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_due_mail(&self, now: Timestamp, limit: u32) -> Result<Vec<MailRow>, Error> {
        let values = vec![now.into(), i64::from(limit).into()];
        self.list(LIST_DUE, values, limit, read_mail).await
    }

    /// Mails of one state, in the order in which there is something to do with them.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_mail(&self, state: MailState, limit: u32) -> Result<Vec<MailRow>, Error> {
        let values = vec![state.as_str().into(), i64::from(limit).into()];
        self.list(LIST_IN_STATE, values, limit, read_mail).await
    }

    /// How many mails wait; counted up to `most`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_waiting_mail(&self, most: u32) -> Result<u32, Error> {
        self.count(COUNT_WAITING, &[i64::from(most).into()]).await
    }

    /// The language of a user, where it is known.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_locale(&self, user: UserId) -> Result<Option<Locale>, Error> {
        let found = self
            .find(FIND_LOCALE, &[user.into()], |row| {
                row.parsed_or_none(0, str::parse::<Locale>)
            })
            .await?;
        Ok(found.flatten())
    }

    /// Drops mails of a state whose time is over, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_mail(
        &self,
        state: MailState,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, Error> {
        let values = vec![state.as_str().into(), now.into(), i64::from(limit).into()];
        self.purge(PURGE, values).await
    }
}

impl Batch {
    /// Writes a mail that is to go out at once, unless its address had all that it gets in an hour: then the commit
    /// is good and there is no such mail. Commits at the same time on PostgreSQL may each miss the other's.
    pub fn insert_mail(&mut self, mail: &Mail) -> &mut Self {
        self.push(
            INSERT,
            Expect::Any,
            [
                mail.id.into(),
                mail.kind.as_str().into(),
                mail.recipient.as_str().to_owned().into(),
                mail.recipient.key().into(),
                mail.kind.is_asked_for().into(),
                mail.locale.as_str().into(),
                mail.subject.into(),
                mail.about
                    .as_ref()
                    .map(|email| email.as_str().to_owned())
                    .into(),
                mail.address.clone().into(),
                mail.user_agent.clone().into(),
                mail.created_at.into(),
                mail.created_at.minus(HOUR).into(),
                i64::from(mail.kind.hourly()).into(),
            ],
        )
    }

    /// Takes a mail to hand it in, until `lease`; then another may take it. Compare-and-set on [`MailRow::due_at`].
    pub fn claim_mail(
        &mut self,
        row: &MailRow,
        proof: Option<Uuid>,
        lease: Timestamp,
    ) -> &mut Self {
        let values = [
            lease.into(),
            proof.into(),
            row.mail.id.into(),
            row.due_at.into(),
        ];
        self.push(CLAIM, Expect::One, values)
    }

    /// Says what became of a mail that is due, or that was claimed until `row.due_at`. Compare-and-set on that.
    pub fn settle_mail(
        &mut self,
        row: &MailRow,
        state: MailState,
        due_at: Timestamp,
        error: Option<&str>,
    ) -> &mut Self {
        let values = [
            state.as_str().into(),
            due_at.into(),
            error.map(str::to_owned).into(),
            row.mail.id.into(),
            row.due_at.into(),
        ];
        self.push(SETTLE, Expect::One, values)
    }

    /// Makes void what waits for an address and has become wrong; it is dropped at `due_at`.
    pub fn void_mail(&mut self, recipient: &Email, kind: MailKind, due_at: Timestamp) -> &mut Self {
        let values = [
            due_at.into(),
            recipient.key().into(),
            kind.is_asked_for().into(),
            kind.as_str().into(),
        ];
        self.push(VOID, Expect::Any, values)
    }

    /// Notes the language of a user. It changes nothing of what a user is, so that the version stays.
    pub fn update_locale(&mut self, user: UserId, locale: Locale) -> &mut Self {
        self.push(
            UPDATE_LOCALE,
            Expect::Any,
            [locale.as_str().into(), user.into()],
        )
    }
}

fn read_mail(row: &Row<'_>) -> Result<MailRow, Error> {
    Ok(MailRow {
        mail: Mail {
            id: Uuid::from_bytes(row.array(0)?),
            kind: row.parsed(1, str::parse::<MailKind>)?,
            recipient: row.parsed(2, Email::parse)?,
            locale: row.parsed(3, str::parse::<Locale>)?,
            subject: row.array_or_none(4)?.map(Uuid::from_bytes),
            about: row.parsed_or_none(5, Email::parse)?,
            address: row.text_or_none(6)?,
            user_agent: row.text_or_none(7)?,
            created_at: row.time(8)?,
        },
        proof: row.array_or_none(9)?.map(Uuid::from_bytes),
        due_at: row.time(10)?,
        attempts: u32::try_from(row.int(11)?).map_err(Error::fault)?,
        state: row.parsed(12, str::parse::<MailState>)?,
        error: row.text_or_none(13)?,
    })
}
