//! The query of a list: known parameters, each once, none empty. One that was misspelt would filter nothing, and
//! whoever sent it would take the answer for something else.

use std::collections::BTreeMap;
use std::fmt::Display;

use http::Uri;
use symbolon_domain::{Refusal, Timestamp};

use crate::rfc3339;

/// Most rows on a page.
const MOST_ROWS: u32 = 200;
/// Rows on a page where none are asked for.
const ROWS: u32 = 50;
/// Parameters that every list has, and that do not belong to its filter.
pub(super) const LIMIT: &str = "limit";
pub(super) const CURSOR: &str = "cursor";
/// Longest name that an answer repeats.
const NAME_BYTES: usize = 32;

/// Parameters by name.
pub(in crate::http) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Reads the query; `limit` and `cursor` are known always.
    ///
    /// # Errors
    /// `malformed_request`, which names the parameter that is not known, repeated, empty or no text.
    pub(in crate::http) fn of(uri: &Uri, known: &[&'static str]) -> Result<Self, Refusal> {
        let mut given = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        {
            let mut names = known.iter().chain(&[LIMIT, CURSOR]);
            let Some(name) = names.find(|known| **known == name) else {
                return Err(unknown(&name, known));
            };
            // A decoder puts U+FFFD where bytes are no UTF-8, and no text of ours holds control characters.
            let is_text = !value.contains(|one: char| one.is_control() || one == '\u{fffd}');
            if value.is_empty() || !is_text {
                return Err(bad(name, "must be text and not empty"));
            }
            if given.insert(*name, value.into_owned()).is_some() {
                return Err(bad(name, "must not be given more than once"));
            }
        }
        Ok(Self(given))
    }

    /// The value of a parameter.
    pub(in crate::http) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a parameter as `parse` reads it; `expected` is the end of "The parameter x must be …".
    ///
    /// # Errors
    /// `malformed_request`.
    pub(in crate::http) fn parsed<T, E>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refusal> {
        self.text(name)
            .map(parse)
            .transpose()
            .map_err(|_| bad(name, format_args!("must be {expected}")))
    }

    /// The moment that a parameter names.
    ///
    /// # Errors
    /// `malformed_request`.
    pub(in crate::http) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        self.parsed(
            name,
            "a time of RFC 3339, such as 2026-11-21T12:00:00Z",
            rfc3339::parse,
        )
    }

    /// How many rows are wanted.
    ///
    /// # Errors
    /// `malformed_request`.
    pub(in crate::http) fn limit(&self) -> Result<u32, Refusal> {
        let read = |text: &str| match text.parse::<u32>() {
            Ok(rows) if (1..=MOST_ROWS).contains(&rows) && !text.starts_with('+') => Ok(rows),
            _ => Err(()),
        };
        Ok(self.parsed(LIMIT, "1 to 200", read)?.unwrap_or(ROWS))
    }

    /// What a cursor is bound to, beside its list: every parameter that chooses or orders rows.
    pub(super) fn chosen(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        given.filter(|(name, _)| ![LIMIT, CURSOR].contains(name))
    }
}

/// Says what is wrong with a parameter.
pub(in crate::http) fn bad(name: &str, what: impl Display) -> Refusal {
    Refusal::MalformedRequest(format!("The parameter {name} {what}."))
}

/// Names the stranger only if it is a plain word.
fn unknown(name: &str, known: &[&str]) -> Refusal {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let shown = match name {
        _ if !name.is_empty() && name.len() <= NAME_BYTES && name.bytes().all(plain) => {
            format!("{name} ")
        }
        _ => String::new(),
    };
    let names: Vec<_> = known.iter().chain(&[LIMIT, CURSOR]).copied().collect();
    let names = names.join(", ");
    Refusal::MalformedRequest(format!(
        "The parameter {shown}is not known here; there are: {names}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Parameters, String> {
        let uri = format!("/list?{query}").parse().expect("a URI");
        Parameters::of(&uri, &["email", "from"]).map_err(|refusal| refusal.detail().into_owned())
    }

    #[test]
    fn known_ones_once_with_a_value() {
        let found = read("email=a%2Bb&limit=3").unwrap();
        assert_eq!(found.text("email"), Some("a+b"));
        assert_eq!(found.limit(), Ok(3));
        assert_eq!(read("").unwrap().limit(), Ok(50));
        for (query, named) in [
            ("emial=x", "emial is not known"),
            ("e%00l=x", "parameter is not known"),
            ("email=a&email=b", "email must not be given more"),
            ("email=", "email must be text"),
            ("email=%00", "email must be text"),
            ("email=%ff", "email must be text"),
        ] {
            let said = read(query).err().expect(query);
            assert!(said.contains(named), "{query}: {said}");
        }
    }

    #[test]
    fn values_are_read_or_refused() {
        for bad in ["0", "201", "+5", "-1", "5.0", "x", "99999999999"] {
            assert!(
                read(&format!("limit={}", bad.replace('+', "%2B")))
                    .unwrap()
                    .limit()
                    .is_err()
            );
        }
        let from = |text: &str| read(&format!("from={text}")).unwrap().time("from");
        assert_eq!(
            from("1970-01-01T00:00:01.5Z"),
            Ok(Some(Timestamp::from_millis(1500)))
        );
        assert_eq!(
            from("1970-01-01T01:00:01%2B01:00"),
            Ok(Some(Timestamp::from_millis(1000)))
        );
        for bad in ["1970-01-01", "yesterday", "1970-01-01T00:00:00", "0"] {
            assert!(from(bad).is_err(), "{bad}");
        }
    }
}
