//! Where mail goes: to a mail server, or, where there is none, to files that one can look at.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::smtp::SmtpUrl;
use super::{Letter, MailError};
use crate::config::Config;

/// How long it may take to hand one mail in, all steps together: shorter than the lease under which it is done.
const PATIENCE: Duration = Duration::from_secs(120);
/// Files that the folder holds; the oldest go first.
const MOST_FILES: usize = 1_000;
/// Characters of what a server said that are kept.
const MOST_SAID: usize = 300;

pub(super) enum Way {
    Smtp(Box<Smtp>),
    Folder(PathBuf),
}

pub(super) struct Smtp {
    place: String,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// A mail was accepted.
#[derive(Debug)]
pub struct Sent {
    /// What accepted it said, or the file that it is in.
    pub said: String,
}

/// A mail was not accepted.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub struct Unsent {
    /// Whether the server said no, and not merely "not now".
    pub refused: bool,
    /// What it said, or why it could not be asked. No link is in it.
    pub said: String,
}

impl Unsent {
    pub(super) fn refused(said: &str) -> Self {
        Self {
            refused: true,
            said: said.to_owned(),
        }
    }

    fn later(said: &str) -> Self {
        Self {
            refused: false,
            said: said.to_owned(),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(smtp) => f.write_str(&smtp.place),
            Self::Folder(folder) => write!(f, "the folder {}", folder.display()),
        }
    }
}

impl Way {
    pub(super) fn of(config: &Config) -> Result<Self, MailError> {
        let Some(url) = &config.mail.url else {
            return Ok(Self::Folder(config.server.data.join("outbox")));
        };
        let url = SmtpUrl::parse(url.expose()).map_err(MailError::Way)?;
        Ok(Self::Smtp(Box::new(Smtp {
            place: url.place(),
            transport: url.transport().map_err(MailError::Way)?,
        })))
    }

    pub(super) async fn take(&self, letter: &Letter) -> Result<Sent, Unsent> {
        match self {
            Self::Smtp(smtp) => {
                let sending = smtp.transport.send(letter.message.clone());
                match tokio::time::timeout(PATIENCE, sending).await {
                    Err(_) => Err(Unsent::later("the mail server took too long")),
                    Ok(Err(error)) => Err(Unsent {
                        refused: error.is_permanent(),
                        said: printable(&told(&error), letter),
                    }),
                    Ok(Ok(response)) => {
                        let said: Vec<&str> = response.message().collect();
                        let said = format!("{} {}", response.code(), said.join(" "));
                        Ok(Sent {
                            said: printable(&said, letter),
                        })
                    }
                }
            }
            Self::Folder(folder) => {
                let file = write(folder, letter)
                    .map_err(|error| Unsent::later(&format!("{}: {error}", folder.display())))?;
                // Who gets what, and never the link.
                tracing::info!(kind = letter.kind, to = %letter.recipient, file = %file.display(),
                    "mail kept in the folder: no mail server is set");
                Ok(Sent {
                    said: file.display().to_string(),
                })
            }
        }
    }

    pub(super) fn tidy(&self) {
        let Self::Folder(folder) = self else { return };
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|end| end == "eml"))
            .collect();
        // Their names begin with their times.
        files.sort_unstable();
        let superfluous = files.len().saturating_sub(MOST_FILES);
        for file in files.iter().take(superfluous) {
            // Whoever took it away first did what was wanted.
            let _gone = fs::remove_file(file);
        }
    }
}

/// A whole file or none, which only its owner may read: there are links in it.
fn write(folder: &Path, letter: &Letter) -> io::Result<PathBuf> {
    if !folder.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let time: String = crate::rfc3339::text(letter.at)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .take(15)
        .collect();
    let path = folder.join(format!("{time}-{}-{}.eml", letter.kind, letter.id));
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&letter.bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    Ok(path)
}

fn told(error: &lettre::transport::smtp::Error) -> String {
    crate::jobs::Causes(error).to_string()
}

/// One line of bounded length, without the link: a filter may quote what it did not like.
fn printable(said: &str, letter: &Letter) -> String {
    let token = letter
        .link
        .as_deref()
        .and_then(|link| link.split_once("token="));
    let said = match token {
        Some((_, token)) => said.replace(token, "…"),
        None => said.to_owned(),
    };
    said.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST_SAID)
        .collect()
}
