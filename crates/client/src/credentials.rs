//! What people type to sign in or to make an account.

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

/// Who signs in, and how.
pub struct Login {
    identifier: String,
    password: Zeroizing<String>,
    remember: bool,
    device: Option<String>,
}

impl Login {
    /// An e-mail address or a username, and the password. The password is wiped when this is dropped.
    pub fn new(identifier: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            password: Zeroizing::new(password.into()),
            remember: true,
            device: None,
        }
    }

    /// Whether the session has the long life of the server's settings, which it has unless this says otherwise.
    #[must_use]
    pub fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// What the user's list of devices calls this one: up to 100 characters.
    #[must_use]
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.device = Some(name.into());
        self
    }

    pub(crate) fn body(&self) -> impl Serialize + '_ {
        LoginBody {
            identifier: &self.identifier,
            password: &self.password,
            remember: self.remember,
            device: self.device.as_deref(),
            transport: "body",
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct LoginBody<'a> {
    identifier: &'a str,
    password: &'a str,
    remember: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    transport: &'static str,
}

/// A new account.
pub struct Registration {
    email: String,
    password: Zeroizing<String>,
    username: Option<String>,
    name: Option<String>,
    invitation: Option<Zeroizing<String>>,
}

impl Registration {
    /// An e-mail address and a password. The password is wiped when this is dropped.
    pub fn new(email: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            password: Zeroizing::new(password.into()),
            username: None,
            name: None,
            invitation: None,
        }
    }

    /// A name to sign in with.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// A name to be shown.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The token of an invitation, where the server asks for one.
    #[must_use]
    pub fn invitation(mut self, token: impl Into<String>) -> Self {
        self.invitation = Some(Zeroizing::new(token.into()));
        self
    }

    pub(crate) fn body(&self) -> impl Serialize + '_ {
        RegistrationBody {
            email: &self.email,
            password: &self.password,
            username: self.username.as_deref(),
            name: self.name.as_deref(),
            invitation: self.invitation.as_deref().map(String::as_str),
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct RegistrationBody<'a> {
    email: &'a str,
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<&'a str>,
}
