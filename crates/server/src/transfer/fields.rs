//! Values as files have them: a boolean of a table may be `t`, a time a number of milliseconds, and what is wrong with
//! one of them is to be told beside what is wrong with the others.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use symbolon_domain::{FieldError, Timestamp};

use crate::rfc3339;

/// The most elements of a list in a value.
const MOST_WORDS: usize = 100;

/// Any value. Nothing of what it holds gets into an error.
#[derive(Debug, Default)]
pub(super) enum Any {
    /// Absent or null.
    #[default]
    Nothing,
    Bool(bool),
    Int(i64),
    Text(String),
    Words(Vec<String>),
    /// An object, a fraction, or a list of something else than text.
    Odd,
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Any;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Any, E> {
                Ok(Any::Nothing)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Any, E> {
                Ok(Any::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Any, E> {
                Ok(Any::Int(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Any, E> {
                Ok(i64::try_from(value).map_or(Any::Odd, Any::Int))
            }

            fn visit_f64<E>(self, _value: f64) -> Result<Any, E> {
                Ok(Any::Odd)
            }

            fn visit_str<E>(self, value: &str) -> Result<Any, E> {
                Ok(Any::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Any, E> {
                Ok(Any::Text(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Any, A::Error> {
                let mut words = Some(Vec::new());
                while let Some(element) = list.next_element::<Any>()? {
                    match (element, &mut words) {
                        (Any::Text(word), Some(words)) if words.len() < MOST_WORDS => {
                            words.push(word);
                        }
                        _ => words = None,
                    }
                }
                Ok(words.map_or(Any::Odd, Any::Words))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Any::Odd)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Turns values into what they should be, and gathers what is wrong.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) errors: Vec<FieldError>,
}

impl Fields {
    fn wrong(&mut self, pointer: &str, detail: &str) {
        self.malformed(pointer, "type_mismatch", detail);
    }

    /// Notes what is wrong with a value of the right type.
    pub(super) fn malformed(&mut self, pointer: &str, code: &'static str, detail: &str) {
        self.errors.push(FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.to_owned(),
        });
    }

    /// A text; an empty one is none, for a table knows no other way to leave a field out.
    pub(super) fn text(&mut self, pointer: &str, value: Any) -> Option<String> {
        match value {
            Any::Nothing => None,
            Any::Text(text) if text.is_empty() => None,
            Any::Text(text) => Some(text),
            _ => {
                self.wrong(pointer, "This is to be a text.");
                None
            }
        }
    }

    /// A boolean; false where there is none.
    pub(super) fn flag(&mut self, pointer: &str, value: Any) -> bool {
        match value {
            Any::Nothing => false,
            Any::Bool(flag) => flag,
            Any::Text(text) => match text.as_str() {
                "true" | "t" | "TRUE" | "True" | "1" => true,
                "" | "false" | "f" | "FALSE" | "False" | "0" => false,
                _ => {
                    self.wrong(pointer, "This is to be true or false.");
                    false
                }
            },
            _ => {
                self.wrong(pointer, "This is to be true or false.");
                false
            }
        }
    }

    /// A moment: RFC 3339, the form of PostgreSQL, or milliseconds since 1970.
    pub(super) fn moment(&mut self, pointer: &str, value: Any) -> Option<Timestamp> {
        let read = match &value {
            Any::Nothing => return None,
            Any::Text(text) if text.is_empty() => return None,
            Any::Int(millis) => Some(Timestamp::from_millis(*millis)),
            Any::Text(text) => match text.parse() {
                Ok(millis) => Some(Timestamp::from_millis(millis)),
                Err(_) => rfc3339::parse(text).ok(),
            },
            _ => None,
        };
        if read.is_none() {
            self.wrong(
                pointer,
                "This is to be a time of RFC 3339, or milliseconds since 1970.",
            );
        }
        read
    }

    /// Words: a list, or a text with spaces between them.
    pub(super) fn words(&mut self, pointer: &str, value: Any) -> Vec<String> {
        match value {
            Any::Nothing => Vec::new(),
            Any::Words(words) => words,
            Any::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            _ => {
                self.wrong(pointer, "This is to be a list of texts.");
                Vec::new()
            }
        }
    }
}
