//! A JSON member that remembers whether it was absent, of the wrong type, or good.
//!
//! One parse then yields precise refusals, and `null` or a value of the wrong
//! type is never taken for an absent member.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One member of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Slot<T> {
    #[default]
    Absent,
    Bad,
    Good(T),
}

impl<T> Slot<T> {
    /// The value of a member that must be there.
    pub(crate) fn required<E>(self, absent: E, bad: E) -> Result<T, E> {
        match self {
            Self::Absent => Err(absent),
            Self::Bad => Err(bad),
            Self::Good(value) => Ok(value),
        }
    }

    /// The value of a member that may be absent, but not malformed.
    pub(crate) fn optional<E>(self, bad: E) -> Result<Option<T>, E> {
        match self {
            Self::Absent => Ok(None),
            Self::Bad => Err(bad),
            Self::Good(value) => Ok(Some(value)),
        }
    }

    /// The value, if it is good.
    pub(crate) fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Absent | Self::Bad => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// What JSON a type is read from; everything else is `Bad`.
pub(crate) trait FromJson: Sized {
    fn from_text(_: &str) -> Option<Self> {
        None
    }
    fn from_integer(_: i64) -> Option<Self> {
        None
    }
    fn from_float(_: f64) -> Option<Self> {
        None
    }
    fn from_boolean(_: bool) -> Option<Self> {
        None
    }
    fn from_list(_: Vec<String>) -> Option<Self> {
        None
    }
}

impl FromJson for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl FromJson for i64 {
    fn from_integer(value: i64) -> Option<Self> {
        Some(value)
    }
}

impl FromJson for bool {
    fn from_boolean(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl FromJson for Vec<String> {
    fn from_list(list: Self) -> Option<Self> {
        Some(list)
    }
}

/// Whether a member is there at all, `null` included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Present(pub(crate) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self(true))
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Slot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SlotVisitor(PhantomData))
    }
}

struct SlotVisitor<T>(PhantomData<T>);

impl<T> SlotVisitor<T> {
    fn slot<E>(value: Option<T>) -> Result<Slot<T>, E> {
        Ok(value.map_or(Slot::Bad, Slot::Good))
    }
}

impl<'de, T: FromJson> Visitor<'de> for SlotVisitor<T> {
    type Value = Slot<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Slot<T>, E> {
        Self::slot(T::from_text(text))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Slot<T>, E> {
        Self::slot(T::from_integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Slot<T>, E> {
        Self::slot(i64::try_from(value).ok().and_then(T::from_integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Slot<T>, E> {
        Self::slot(T::from_float(value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Slot<T>, E> {
        Self::slot(T::from_boolean(value))
    }

    fn visit_unit<E>(self) -> Result<Slot<T>, E> {
        Ok(Slot::Bad)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Slot<T>, A::Error> {
        let mut list = Some(Vec::new());
        while let Some(element) = elements.next_element::<Slot<String>>()? {
            match (element, &mut list) {
                (Slot::Good(text), Some(list)) => list.push(text),
                _ => list = None,
            }
        }
        Self::slot(list.and_then(T::from_list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Slot<T>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Slot::Bad)
    }
}

/// A member that is an object of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nested<T>(pub(crate) Slot<T>);

impl<T> Default for Nested<T> {
    fn default() -> Self {
        Self(Slot::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NestedVisitor(PhantomData))
    }
}

struct NestedVisitor<T>(PhantomData<T>);

impl<T> NestedVisitor<T> {
    const fn bad<E>() -> Result<Nested<T>, E> {
        Ok(Nested(Slot::Bad))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for NestedVisitor<T> {
    type Value = Nested<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Nested<T>, A::Error> {
        let object = T::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Nested(Slot::Good(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Nested<T>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Self::bad()
    }

    fn visit_str<E>(self, _: &str) -> Result<Nested<T>, E> {
        Self::bad()
    }

    fn visit_i64<E>(self, _: i64) -> Result<Nested<T>, E> {
        Self::bad()
    }

    fn visit_u64<E>(self, _: u64) -> Result<Nested<T>, E> {
        Self::bad()
    }

    fn visit_f64<E>(self, _: f64) -> Result<Nested<T>, E> {
        Self::bad()
    }

    fn visit_bool<E>(self, _: bool) -> Result<Nested<T>, E> {
        Self::bad()
    }

    fn visit_unit<E>(self) -> Result<Nested<T>, E> {
        Self::bad()
    }
}
