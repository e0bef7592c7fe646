//! The fields of an account that an administrator sets.

use symbolon_domain::{
    DisplayName, Email, FieldError, Problem, Refusal, RoleName, Roles, User, UserStatus, Username,
};

use crate::flows::Error;

/// Fields as they came in. What is `None` stays as it is; `Some(None)` clears.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the address is known to be the user's.
    pub email_verified: Option<bool>,
    /// Name to sign in with.
    pub username: Option<Option<String>>,
    /// Name to be shown.
    pub name: Option<Option<String>>,
    /// Names of roles.
    pub roles: Option<Vec<String>>,
    /// `active` or `disabled`.
    pub status: Option<String>,
}

/// Fields that make sense.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// E-mail address. Another one is not verified unless that is said.
    pub email: Option<Email>,
    /// Whether the address is known to be the user's.
    pub email_verified: Option<bool>,
    /// Name to sign in with.
    pub username: Option<Option<Username>>,
    /// Name to be shown.
    pub name: Option<Option<DisplayName>>,
    /// Roles.
    pub roles: Option<Roles>,
    /// Whether the user may sign in.
    pub status: Option<UserStatus>,
}

impl Fields {
    /// Reads every field.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub(super) fn read(&self) -> Result<Edit, Vec<FieldError>> {
        let mut errors = Vec::new();
        let edit = Edit {
            email: read("/email", self.email.as_deref(), Email::parse, &mut errors),
            email_verified: self.email_verified,
            username: nullable("/username", &self.username, Username::parse, &mut errors),
            name: nullable("/name", &self.name, DisplayName::parse, &mut errors),
            roles: self.roles(&mut errors),
            status: read("/status", self.status.as_deref(), status, &mut errors),
        };
        match errors.is_empty() {
            true => Ok(edit),
            false => Err(errors),
        }
    }

    /// The same, as a refusal.
    ///
    /// # Errors
    /// `validation_failed`.
    pub fn parse(&self) -> Result<Edit, Error> {
        self.read()
            .map_err(|errors| Refusal::Validation(errors).into())
    }

    fn roles(&self, errors: &mut Vec<FieldError>) -> Option<Roles> {
        let names = self.roles.as_ref()?;
        let mut roles = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let pointer = format!("/roles/{index}");
            roles.extend(read(&pointer, Some(name), RoleName::parse, errors));
        }
        Some(Roles::new(roles))
    }
}

impl Edit {
    /// The user as it is to be; versions and times are as they were.
    pub(super) fn onto(&self, user: &User) -> User {
        let mut next = user.clone();
        if let Some(email) = &self.email {
            next.email_verified &= *email == next.email;
            next.email.clone_from(email);
        }
        if let Some(verified) = self.email_verified {
            next.email_verified = verified;
        }
        if let Some(username) = &self.username {
            next.username.clone_from(username);
        }
        if let Some(name) = &self.name {
            next.name.clone_from(name);
        }
        if let Some(roles) = &self.roles {
            next.roles.clone_from(roles);
        }
        if let Some(status) = self.status {
            next.status = status;
        }
        next
    }
}

fn read<T>(
    pointer: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, Problem>,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    let read = text.map(parse).transpose();
    read.map_err(|problem| errors.push(problem.at(pointer)))
        .unwrap_or_default()
}

fn nullable<T>(
    pointer: &str,
    field: &Option<Option<String>>,
    parse: impl Fn(&str) -> Result<T, Problem>,
    errors: &mut Vec<FieldError>,
) -> Option<Option<T>> {
    match field {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) => read(pointer, Some(text), parse, errors).map(Some),
    }
}

fn status(word: &str) -> Result<UserStatus, Problem> {
    word.parse()
        .map_err(|_| Problem::new("status_unknown", "A status is active or disabled."))
}
