use std::fmt;

/// The value of a field as files and people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// One text.
    Text(String),
    /// Several, in their order.
    List(Vec<String>),
    /// Yes or no.
    Switch(bool),
}

impl FieldValue {
    /// Of whatever is written as one text.
    pub fn text(value: impl fmt::Display) -> Self {
        Self::Text(value.to_string())
    }

    /// Of what may be absent.
    pub fn optional(value: Option<impl fmt::Display>) -> Self {
        Self::Text(value.map_or_else(String::new, |value| value.to_string()))
    }

    /// Of several.
    pub fn list(values: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        Self::List(values.into_iter().map(|value| value.to_string()).collect())
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(values) => values.is_empty(),
            Self::Switch(on) => !on,
        }
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(values) => write!(f, "[{}]", values.join(", ")),
            Self::Switch(on) => write!(f, "{on}"),
        }
    }
}
