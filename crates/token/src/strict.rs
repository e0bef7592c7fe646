//! Strict JSON: `serde_json`, but a member named twice in any object is an
//! error, and a struct is read from an object only, never from an array.
//!
//! `serde_json` keeps the last of two equal names in maps and skips the second
//! of two unknown ones. Two readers of one token could then see two different
//! values, which RFC 7515 section 4 and RFC 7519 section 4 forbid.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};

/// No object of ours has as many members; the bound keeps the search for
/// duplicates cheap on hostile input.
const MAX_MEMBERS: usize = 256;

/// Why a text is not strict JSON of the wanted shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Syntax,
    Duplicate,
}

/// Reads one JSON text, to its end.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, Fault> {
    // Once for the whole text costs less than once for each string in it.
    let text = std::str::from_utf8(text).map_err(|_| Fault::Syntax)?;
    let duplicate = Cell::new(false);
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Strict {
        inner: &mut json,
        duplicate: &duplicate,
    });
    match value.and_then(|value| json.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(_) if duplicate.get() => Err(Fault::Duplicate),
        Err(_) => Err(Fault::Syntax),
    }
}

/// Wraps a deserializer, visitor, access or seed; each hands the wrap on to
/// what it gives out.
struct Strict<'c, T> {
    inner: T,
    duplicate: &'c Cell<bool>,
}

impl<'c, T> Strict<'c, T> {
    fn wrap<U>(&self, inner: U) -> Strict<'c, U> {
        Strict {
            inner,
            duplicate: self.duplicate,
        }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    // A derived struct would also be read from an array, field by field.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_map(visitor)
    }

    // `deserialize_any` also for values to be ignored: `serde_json` would skip
    // them without looking for duplicates.
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.inner.visit_str(value)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.inner.visit_borrowed_str(value)
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<V::Value, E> {
        self.inner.visit_string(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let value = self.wrap(value);
        self.inner.visit_some(value)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let value = self.wrap(value);
        self.inner.visit_newtype_struct(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let elements = self.wrap(elements);
        self.inner.visit_seq(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        let members = Members {
            seen: Seen::default(),
            access: self.wrap(members),
        };
        self.inner.visit_map(members)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let seed = self.wrap(seed);
        self.inner.next_element_seed(seed)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.deserialize(deserializer)
    }
}

/// One object: its members, and the names met so far.
struct Members<'c, 'de, A> {
    seen: Seen<'de>,
    access: Strict<'c, A>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let Some(Name(name)) = self.access.inner.next_key()? else {
            return Ok(None);
        };
        let value = match &name {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Cow::Owned(name) => seed.deserialize(StrDeserializer::new(name)),
        };
        match self.seen.add(name) {
            Ok(()) => value.map(Some),
            Err(Fault::Duplicate) => {
                self.access.duplicate.set(true);
                Err(A::Error::custom("duplicate member"))
            }
            Err(Fault::Syntax) => Err(A::Error::custom("too many members")),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.access.wrap(seed);
        self.access.inner.next_value_seed(seed)
    }
}

/// A member's name, borrowed from the text unless it holds an escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// The names met so far. The bit set answers "surely new" for nearly all names
/// of an honest token without a comparison; the first names need no allocation.
#[derive(Default)]
struct Seen<'de> {
    bits: u64,
    first: [&'de str; 16],
    first_count: usize,
    more: Vec<Cow<'de, str>>,
}

impl<'de> Seen<'de> {
    fn add(&mut self, name: Cow<'de, str>) -> Result<(), Fault> {
        let bit = 1 << (digest(name.as_bytes()) % 64);
        if self.bits & bit != 0 {
            let mut first = self.first.iter().take(self.first_count);
            if first.any(|seen| *seen == name) || self.more.contains(&name) {
                return Err(Fault::Duplicate);
            }
        }
        self.bits |= bit;
        match (name, self.first.get_mut(self.first_count)) {
            (Cow::Borrowed(name), Some(slot)) => {
                *slot = name;
                self.first_count += 1;
            }
            (_, _) if self.first_count + self.more.len() >= MAX_MEMBERS => {
                return Err(Fault::Syntax);
            }
            (name, _) => self.more.push(name),
        }
        Ok(())
    }
}

fn digest(name: &[u8]) -> usize {
    let at = |index: usize| usize::from(name.get(index).copied().unwrap_or_default());
    name.len() + 5 * at(0) + 11 * at(1) + 23 * at(name.len().wrapping_sub(1))
}
