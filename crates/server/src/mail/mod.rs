//! Mail: what it says, how it looks, and how it is handed in. Which mail is due, and when, `flows::outbox` knows.

mod device;
mod letter;
mod link;
mod out;
mod smtp;
#[cfg(test)]
mod tests;
mod texts;

pub use device::Device;
pub use letter::{Facts, Letter, Page};
pub use link::{Link, digest};
pub use out::{Sent, Unsent};
pub use smtp::SmtpUrl;

use lettre::message::Mailbox;

use symbolon_domain::mail::Locale;

use crate::config::Config;
use out::Way;
use texts::Texts;

/// Renders mail and hands it in. One for a process.
pub struct Mailer {
    texts: Texts,
    from: Mailbox,
    way: Way,
}

/// Why mail cannot be sent at all, in one sentence for whoever starts the program.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A template that the owner wrote cannot be used.
    #[error("the template {0}: {1}")]
    Template(String, String),
    /// There is no way to the mail server.
    #[error("`mail.url`: {0}")]
    Way(String),
    /// The sender is not one that a mail can have.
    #[error("`mail.from` is not an address that mail can be from")]
    From,
}

impl Mailer {
    /// Reads templates and prepares the way to the mail server; nothing is connected yet.
    ///
    /// # Errors
    /// Templates that cannot be used, or certificates that cannot be read.
    pub fn new(config: &Config) -> Result<Self, MailError> {
        let from = config.mail.from.as_deref();
        Ok(Self {
            texts: Texts::load(config.mail.templates.as_deref())?,
            from: from
                .unwrap_or("Symbolon <symbolon@localhost>")
                .parse()
                .map_err(|_| MailError::From)?,
            way: Way::of(config)?,
        })
    }

    /// Whether mail goes to a server, and not only to a folder.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.way, Way::Smtp(_))
    }

    /// Where mail goes, in words, without secrets.
    #[must_use]
    pub fn way(&self) -> String {
        self.way.to_string()
    }

    /// The languages that mails are written in.
    pub fn locales(&self) -> impl Iterator<Item = Locale> {
        self.texts.locales()
    }

    /// Writes a mail out.
    ///
    /// # Errors
    /// A template that cannot be rendered, which the start rules out, or an address that no mail can go to.
    pub fn write(&self, facts: &Facts<'_>) -> Result<Letter, Unsent> {
        let page = self.texts.render(facts)?;
        Letter::of(facts, page, &self.from)
    }

    /// A mail as it would be written, for somebody to look at.
    ///
    /// # Errors
    /// A template that cannot be rendered, which the start rules out.
    pub fn preview(&self, facts: &Facts<'_>) -> Result<Page, Unsent> {
        self.texts.render(facts)
    }

    /// Hands a mail in.
    ///
    /// # Errors
    /// What the mail server said, or why it could not be asked.
    pub async fn send(&self, letter: &Letter) -> Result<Sent, Unsent> {
        self.way.take(letter).await
    }

    /// Drops the oldest files of the folder that mail goes to without a server.
    pub fn tidy(&self) {
        self.way.tidy();
    }
}
