/// What is wrong with one value that someone sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// A stable word for programs, such as `email_malformed`.
    pub code: &'static str,
    /// A sentence for people. Never repeats the value.
    pub detail: String,
}

impl Problem {
    /// A problem from its code and sentence.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }

    /// The same problem, tied to the field it was found in: `pointer` is a JSON pointer (RFC 6901) such as
    /// `/email`.
    pub fn at(self, pointer: impl Into<String>) -> FieldError {
        FieldError {
            pointer: pointer.into(),
            code: self.code,
            detail: self.detail,
        }
    }
}

/// A [`Problem`] and where in the body it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// As [`Problem::code`].
    pub code: &'static str,
    /// As [`Problem::detail`].
    pub detail: String,
}
