use std::collections::BTreeMap;

use super::OAuthError;

/// Parameters of one request at most.
const MOST_PARAMETERS: usize = 60;
/// Longest value, in bytes.
const LONGEST: usize = 8 * 1024;
/// Values of each parameter that may be repeated.
const MOST_TARGETS: usize = 10;
/// Names that are printed in a description.
const LONGEST_NAME: usize = 40;

/// The parameters of a request, decoded. An empty one counts as absent, one that is repeated as an error, unknown ones are
/// let be (RFC 6749 section 3.1). Only `resource` and `audience` may stand there more than once (RFC 8707 section 2, RFC 8693
/// section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    values: BTreeMap<String, String>,
    resources: Vec<String>,
    audiences: Vec<String>,
}

impl Parameters {
    /// Reads decoded pairs. A decoder puts U+FFFD where there was no UTF-8.
    ///
    /// # Errors
    /// `invalid_request` for repeated, too many or too long parameters, and for text that is none.
    pub fn read(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, OAuthError> {
        let mut read = Self::default();
        for (count, (name, value)) in pairs.into_iter().enumerate() {
            if count == MOST_PARAMETERS {
                return Err(OAuthError::invalid_request(
                    "There are too many parameters.",
                ));
            }
            read.take(name, value)?;
        }
        Ok(read)
    }

    fn take(&mut self, name: String, value: String) -> Result<(), OAuthError> {
        let is_text = |text: &str| !text.contains(['\0', '\u{fffd}']);
        if value.len() > LONGEST || !is_text(&value) || !is_text(&name) {
            return Err(fault("is too long or is not text", &name));
        }
        if value.is_empty() {
            return Ok(());
        }
        let targets = match &*name {
            "resource" => Some(&mut self.resources),
            "audience" => Some(&mut self.audiences),
            _ => None,
        };
        if let Some(targets) = targets {
            if targets.len() == MOST_TARGETS {
                return Err(fault("is given too often", &name));
            }
            targets.push(value);
            return Ok(());
        }
        match self.values.contains_key(&name) {
            true => Err(fault("is given more than once", &name)),
            false => {
                self.values.insert(name, value);
                Ok(())
            }
        }
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::invalid_request(format!("The parameter {name} is missing.")))
    }

    /// The values of `resource`.
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// The values of `audience`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// All of them, to be kept and read again.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.values.iter().map(|(name, value)| (&**name, &**value));
        let resources = self.resources.iter().map(|value| ("resource", &**value));
        let audiences = self.audiences.iter().map(|value| ("audience", &**value));
        values.chain(resources).chain(audiences)
    }
}

fn fault(what: &str, name: &str) -> OAuthError {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    if name.len() > LONGEST_NAME || !name.bytes().all(plain) {
        return OAuthError::invalid_request(format!("A parameter {what}."));
    }
    OAuthError::invalid_request(format!("The parameter {name} {what}."))
}
