use aws_lc_rs::digest::{Context, SHA256, digest};
use symbolon_domain::Timestamp;
use symbolon_domain::audit::AuditEvent;
use uuid::Uuid;

use crate::Error;
use crate::value::Row;

/// A value of the chain: SHA-256.
pub type ChainValue = [u8; 32];

/// How the bytes are laid out that a digest is over.
const LAYOUT: u8 = 1;

/// A line of the audit log as it stands in its table, to the byte: what the chain is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What; a word that is perhaps not known here.
    pub kind: String,
    /// Who did it.
    pub actor: Option<Uuid>,
    /// To whom.
    pub subject: Option<Uuid>,
    /// On which session.
    pub session: Option<Uuid>,
    /// From which network address.
    pub address: Option<String>,
    /// With which browser or program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
}

impl AuditLine {
    /// The line that an event becomes.
    pub fn new(id: Uuid, event: &AuditEvent) -> Self {
        Self {
            id,
            at: event.at,
            kind: event.kind.as_str().to_owned(),
            actor: event.actor.map(|id| Uuid::from_bytes(*id.as_bytes())),
            subject: event.subject.map(|id| Uuid::from_bytes(*id.as_bytes())),
            session: event.session.map(|id| Uuid::from_bytes(*id.as_bytes())),
            address: event.address.clone(),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            detail: event.detail.clone(),
        }
    }

    /// SHA-256 over every field: a byte for the layout, the id, the time as 8 bytes, then the others in the order of
    /// this struct, each behind its length as 8 bytes; one that is missing is 8 bytes of ones. No two lines have the
    /// same bytes.
    pub fn digest(&self) -> ChainValue {
        let mut bytes = Bytes(Context::new(&SHA256));
        bytes.0.update(&[LAYOUT]);
        bytes.0.update(self.id.as_bytes());
        bytes.0.update(&self.at.millis().to_be_bytes());
        bytes.field(Some(self.kind.as_bytes()));
        for id in [&self.actor, &self.subject, &self.session] {
            bytes.field(id.as_ref().map(|id| id.as_bytes().as_slice()));
        }
        for text in [
            &self.address,
            &self.user_agent,
            &self.request_id,
            &self.detail,
        ] {
            bytes.field(text.as_deref().map(str::as_bytes));
        }
        value(bytes.0.finish().as_ref())
    }
}

/// What the first line follows.
pub fn chain_origin() -> ChainValue {
    // As the migration computes it.
    value(digest(&SHA256, b"symbolon audit log").as_ref())
}

/// The value of a line's chain, from that of the line before it and the line's own digest.
pub fn follow(before: &ChainValue, line: &ChainValue) -> ChainValue {
    // As ADVANCE computes it in the database.
    value(digest(&SHA256, &[before.as_slice(), line].concat()).as_ref())
}

struct Bytes(Context);

impl Bytes {
    fn field(&mut self, field: Option<&[u8]>) {
        let length = field.map_or(u64::MAX, |bytes| bytes.len() as u64);
        self.0.update(&length.to_be_bytes());
        self.0.update(field.unwrap_or_default());
    }
}

/// A digest of 32 bytes, as all of SHA-256 are.
pub(super) fn value(bytes: &[u8]) -> ChainValue {
    bytes.try_into().unwrap_or_default()
}

pub(super) fn read(row: &Row<'_>) -> Result<AuditLine, Error> {
    let id = |column| Ok::<_, Error>(row.array_or_none(column)?.map(Uuid::from_bytes));
    Ok(AuditLine {
        id: Uuid::from_bytes(row.array(0)?),
        at: row.time(1)?,
        kind: row.text(2)?,
        actor: id(3)?,
        subject: id(4)?,
        session: id(5)?,
        address: row.text_or_none(6)?,
        user_agent: row.text_or_none(7)?,
        request_id: row.text_or_none(8)?,
        detail: row.text_or_none(9)?,
    })
}
