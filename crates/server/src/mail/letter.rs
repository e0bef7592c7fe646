//! A mail as it travels: text and HTML in MIME (RFC 2045 ff.), with headers that cannot be written into from outside.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use symbolon_domain::mail::{Locale, MailKind};
use symbolon_domain::{Email, Timestamp};
use uuid::Uuid;

use super::Device;
use super::out::Unsent;

/// What a mail tells. Names that people chose for themselves are not among it: nothing they write is to look like ours.
pub struct Facts<'a> {
    /// Its id.
    pub id: Uuid,
    /// What it is about; nothing for a test.
    pub kind: Option<MailKind>,
    /// In which language.
    pub locale: Locale,
    /// Who gets it.
    pub recipient: &'a Email,
    /// The public URL.
    pub issuer: &'a str,
    /// Where its button leads.
    pub link: Option<&'a str>,
    /// The other address of a change.
    pub about: Option<&'a Email>,
    /// From where it was caused.
    pub address: Option<&'a str>,
    /// With which kind of device.
    pub device: Device,
    /// When.
    pub at: Timestamp,
    /// When it is sent.
    pub now: Timestamp,
}

/// A mail that was rendered.
pub struct Page {
    /// In one line.
    pub subject: String,
    /// What mail readers without HTML show.
    pub text: String,
    /// What the others show.
    pub html: String,
}

/// A mail that can be handed in.
pub struct Letter {
    pub(super) id: Uuid,
    pub(super) at: Timestamp,
    pub(super) kind: &'static str,
    pub(super) recipient: Email,
    /// What must not be seen in what a server says of it.
    pub(super) link: Option<String>,
    pub(super) message: Message,
}

impl Facts<'_> {
    /// The word for its kind.
    pub(super) fn word(&self) -> &'static str {
        self.kind.map_or("test", MailKind::as_str)
    }

    /// The host of the public URL: what the service is called.
    pub(super) fn service(&self) -> &str {
        let rest = self
            .issuer
            .split_once("://")
            .map_or(self.issuer, |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

impl Letter {
    pub(super) fn of(facts: &Facts<'_>, page: Page, from: &Mailbox) -> Result<Self, Unsent> {
        let to = facts.recipient.as_str().parse();
        let to = to.map_err(|_| Unsent::refused("no mail can go to such an address"))?;
        let since = u64::try_from(facts.now.millis()).unwrap_or(0);
        let date: SystemTime = UNIX_EPOCH + Duration::from_millis(since);
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .date(date)
            .subject(page.subject)
            // The same however often it is tried, so that a receiver can tell a repetition.
            .message_id(Some(format!("<{}@{}>", facts.id, from.email.domain())))
            // RFC 3834 section 5: nobody's absence is to answer it.
            .raw_header(fixed("Auto-Submitted", "auto-generated"))
            .raw_header(fixed("X-Auto-Response-Suppress", "All"))
            .raw_header(fixed("Content-Language", facts.locale.as_str()))
            .multipart(MultiPart::alternative_plain_html(page.text, page.html))
            .map_err(|error| Unsent::refused(&error.to_string()))?;
        Ok(Self {
            id: facts.id,
            at: facts.now,
            kind: facts.word(),
            recipient: facts.recipient.clone(),
            link: facts.link.map(str::to_owned),
            message,
        })
    }

    /// The bytes, as they go over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.message.formatted()
    }
}

fn fixed(name: &'static str, value: &'static str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
