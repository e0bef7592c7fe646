//! Our own formats on the way out.

use std::io::{self, Write};

use serde::Serialize;
use symbolon_domain::User;

use crate::rfc3339;

/// What an export looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A JSON object a line.
    Jsonl,
    /// Comma-separated values with a header (RFC 4180).
    Csv {
        /// For people to look at: what a spreadsheet would take for a formula begins with `'`. It cannot be imported
        /// as it was.
        spreadsheet: bool,
    },
}

/// Writes users.
pub struct Writer<W> {
    out: W,
    layout: Layout,
    with_hashes: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: String,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    roles: Vec<String>,
    status: &'static str,
    email_verified: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<&'a str>,
}

const COLUMNS: [&str; 9] = [
    "id",
    "email",
    "username",
    "name",
    "roles",
    "status",
    "emailVerified",
    "createdAt",
    "passwordHash",
];

impl<W: Write> Writer<W> {
    /// Begins an export; `with_hashes` says whether the hashes of passwords are a part of it.
    ///
    /// # Errors
    /// As those of `out`.
    pub fn begin(mut out: W, layout: Layout, with_hashes: bool) -> io::Result<Self> {
        if layout != Layout::Jsonl {
            let columns = &COLUMNS[..COLUMNS.len() - usize::from(!with_hashes)];
            out.write_all(columns.join(",").as_bytes())?;
            out.write_all(b"\r\n")?;
        }
        Ok(Self {
            out,
            layout,
            with_hashes,
        })
    }

    /// Writes a user.
    ///
    /// # Errors
    /// As those of `out`.
    pub fn user(&mut self, user: &User, hash: Option<&str>) -> io::Result<()> {
        let shown = Shown {
            id: user.id.to_string(),
            email: user.email.as_str(),
            username: user.username.as_ref().map(|name| name.as_str()),
            name: user.name.as_ref().map(|name| name.as_str()),
            roles: user.roles.to_strings(),
            status: user.status.as_str(),
            email_verified: user.email_verified,
            created_at: rfc3339::text(user.created_at),
            password_hash: hash.filter(|_| self.with_hashes),
        };
        match self.layout {
            Layout::Jsonl => {
                serde_json::to_writer(&mut self.out, &shown)?;
                self.out.write_all(b"\n")
            }
            Layout::Csv { spreadsheet } => self.row(&shown, spreadsheet),
        }
    }

    /// Ends the export, and gives back where it went to.
    ///
    /// # Errors
    /// As those of `out`.
    pub fn end(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn row(&mut self, user: &Shown<'_>, spreadsheet: bool) -> io::Result<()> {
        let roles = user.roles.join(" ");
        let mut fields = vec![
            user.id.as_str(),
            user.email,
            user.username.unwrap_or_default(),
            user.name.unwrap_or_default(),
            &roles,
            user.status,
            if user.email_verified { "true" } else { "false" },
            &user.created_at,
        ];
        if self.with_hashes {
            fields.push(user.password_hash.unwrap_or_default());
        }
        let mut line = String::with_capacity(256);
        for (position, field) in fields.into_iter().enumerate() {
            if position > 0 {
                line.push(',');
            }
            push_field(&mut line, field, spreadsheet);
        }
        line.push_str("\r\n");
        self.out.write_all(line.as_bytes())
    }
}

/// RFC 4180 section 2, rules 5 to 7.
pub(crate) fn push_field(line: &mut String, field: &str, spreadsheet: bool) {
    let harmless;
    let field = match spreadsheet {
        true => {
            harmless = without_formulas(field);
            harmless.as_str()
        }
        false => field,
    };
    let quoted = field.contains([',', '"', '\r', '\n']) || field.trim() != field;
    if quoted {
        line.push('"');
    }
    if quoted {
        line.push_str(&field.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(field);
    }
}

/// With an apostrophe before what a spreadsheet would take for a formula (OWASP, CSV Injection): at the beginning, and
/// behind what some of them take for the end of a cell, whatever stands in quotation marks.
pub(crate) fn without_formulas(field: &str) -> String {
    let mut text = String::with_capacity(field.len() + 1);
    let mut begins = true;
    for letter in field.chars() {
        if begins && is_formula(letter) {
            text.push('\'');
        }
        begins =
            matches!(letter, ';' | '\t' | '\r' | '\n') || begins && matches!(letter, ' ' | '"');
        text.push(letter);
    }
    text
}

/// Whether a cell that begins with it is computed; some take the wide letters of East Asia for the others.
fn is_formula(letter: char) -> bool {
    matches!(
        letter,
        '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠'
    )
}
