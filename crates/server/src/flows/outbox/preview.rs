//! A mail as it would be written, about nobody.

use symbolon_domain::Email;
use symbolon_domain::mail::{Locale, MailKind};
use uuid::Uuid;

use crate::app::App;
use crate::flows::Error;
use crate::mail::{Device, Facts, Page};

/// The mail of this kind (none for a test) in a language, with examples in the place of what it would tell.
///
/// # Errors
/// A fault, when the keys are not open or a template cannot be rendered.
pub fn preview(app: &App, kind: Option<MailKind>, locale: Locale) -> Result<Page, Error> {
    let issuer = &app.issuance()?.issuer;
    let email = |text: &str| {
        let example = Email::parse(text);
        example.map_err(|problem| Error::fault("an example")(problem.detail.into()))
    };
    let (recipient, about) = (email("ada@example.com")?, email("ada@example.org")?);
    let now = app.clock.now();
    let link = format!("{issuer}/#example");
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let facts = Facts {
        id: Uuid::nil(),
        kind,
        locale,
        recipient: &recipient,
        issuer,
        link: Some(&link),
        about: Some(&about),
        address: Some("192.0.2.1"),
        device: Device::of(Some(agent), Some("192.0.2.1")),
        at: now,
        now,
    };
    let page = app.mail.preview(&facts);
    page.map_err(|unsent| Error::fault("a mail")(unsent.into()))
}
