//! Every mail in every language, written to files so that people can look at them: `target/tmp/mail`.

use std::fs;
use std::path::Path;

use symbolon::config::{Config, Sources};
use symbolon::mail::{Device, Facts, Mailer};
use symbolon_domain::Email;
use symbolon_domain::mail::{Locale, MailKind};

use super::Read;
use crate::app::{Folder, START};

#[test]
fn every_mail_is_whole_in_every_language() {
    let mailer = Mailer::new(&Config::load(&Sources::default()).unwrap()).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mail");
    fs::create_dir_all(&folder).unwrap();
    let (recipient, about) = (
        Email::parse("ada@example.com").unwrap(),
        Email::parse("new@example.org").unwrap(),
    );
    let mut subjects = std::collections::BTreeSet::new();
    for locale in Locale::ALL {
        for kind in MailKind::ALL {
            let letter = mailer.write(&Facts {
                id: uuid::Uuid::nil(),
                kind: Some(*kind),
                locale: *locale,
                recipient: &recipient,
                issuer: "https://login.example.com",
                link: Some("https://login.example.com/verify-email?token=sbl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                about: Some(&about),
                address: Some("203.0.113.7"),
                device: Device::of(Some("Firefox/140.0 (X11; Linux)"), None),
                at: START,
                now: START,
            });
            let raw = String::from_utf8(letter.unwrap().bytes()).unwrap();
            let mail = Read::of(&raw);
            let whole = format!("{}{}{}", mail.subject, mail.text, mail.html);
            assert!(!whole.contains("{{") && !whole.contains("}}"), "{whole}");
            assert!(mail.text.contains("login.example.com"), "{}", mail.text);
            assert_eq!(
                mail.text.contains("token="),
                kind.is_asked_for(),
                "{kind}: {}",
                mail.text
            );
            let longest = raw.lines().map(str::len).max().unwrap();
            assert!(longest <= 998, "RFC 5322 section 2.1.1: {longest}");
            subjects.insert(mail.subject.clone());
            fs::write(folder.join(format!("{kind}.{locale}.html")), &mail.html).unwrap();
            fs::write(folder.join(format!("{kind}.{locale}.txt")), &mail.text).unwrap();
        }
    }
    assert_eq!(subjects.len(), 6 * MailKind::ALL.len());
}

fn with_templates(folder: &Folder) -> Result<Mailer, String> {
    let path = folder.path().to_str().unwrap().to_owned();
    let sources = Sources::default().with_option("mail.templates", Some(path));
    Mailer::new(&Config::load(&sources).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn owners_have_words_and_layouts_of_their_own_and_hear_of_mistakes_at_the_start() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "layout.txt",
        "{{ subject }}|{% for line in before %}{{ line }}{% endfor %}|{{ link }}",
    );
    write(
        "en.toml",
        "[reset_password]\nsubject = \"Hi from {{ service }}\"\nbefore = [\"x\"]\nbutton = \"y\"\nafter = []\n",
    );
    let mailer = with_templates(&folder).unwrap();
    let recipient = Email::parse("ada@example.com").unwrap();
    let letter = mailer.write(&Facts {
        id: uuid::Uuid::nil(),
        kind: Some(MailKind::ResetPassword),
        locale: Locale::En,
        recipient: &recipient,
        issuer: "https://login.example.com",
        link: Some("https://login.example.com/x"),
        about: None,
        address: None,
        device: Device::of(None, None),
        at: START,
        now: START,
    });
    let mail = Read::of(&String::from_utf8(letter.unwrap().bytes()).unwrap());
    assert_eq!(
        mail.text.trim_end(),
        "Hi from login.example.com|x|https://login.example.com/x"
    );
    for (name, text, expected) in [
        (
            "en.toml",
            "[nonsense]\nsubject = \"\"\nbefore = []\nafter = []\n",
            "there is no mail `nonsense`",
        ),
        (
            "en.toml",
            "[reset_password]\nsubject = \"{{ nonsense }}\"\nbefore = []\nafter = []\n",
            "reset_password",
        ),
        ("layout.html", "{% if %}", "layout.html"),
    ] {
        write(name, text);
        let error = with_templates(&folder).err().expect("a mistake");
        assert!(error.contains(expected), "{error}");
    }
}
