//! Claims (RFC 7519 section 4) and the profile of each kind of token.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, RawActor};
use crate::error::Error;
use crate::slot::{FromJson, Nested, Slot};
use crate::strict;
use crate::thumbprint::{Confirmation, RawConfirmation};
use crate::typ::Typ;

/// `aud`: one audience or several (RFC 7519 section 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// Written as a string.
    One(String),
    /// Written as an array of strings.
    Many(Vec<String>),
}

impl Audience {
    /// Whether `audience` is among them, byte for byte.
    pub fn contains(&self, audience: &str) -> bool {
        self.iter().any(|one| one == audience)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

impl From<&str> for Audience {
    fn from(one: &str) -> Self {
        Self::One(one.to_owned())
    }
}

impl From<String> for Audience {
    fn from(one: String) -> Self {
        Self::One(one)
    }
}

impl From<Vec<String>> for Audience {
    fn from(many: Vec<String>) -> Self {
        Self::Many(many)
    }
}

impl FromJson for Audience {
    fn from_text(one: &str) -> Option<Self> {
        Some(one.into())
    }

    fn from_list(many: Vec<String>) -> Option<Self> {
        Some(Self::Many(many))
    }
}

/// A `NumericDate` in whole seconds since 1970; a fraction is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date(pub(crate) i64);

impl Date {
    /// The largest integer that every JSON reader understands (RFC 8259 section 6).
    const MAX: i64 = 1 << 53;
}

impl FromJson for Date {
    fn from_integer(seconds: i64) -> Option<Self> {
        (0..=Self::MAX).contains(&seconds).then_some(Self(seconds))
    }

    fn from_float(seconds: f64) -> Option<Self> {
        // Exact: the range excludes NaN, infinities and whatever i64 cannot hold.
        (0.0..=Self::MAX as f64)
            .contains(&seconds)
            .then_some(Self(seconds as i64))
    }
}

/// An authentication context class: one that a list of them, parted by spaces, can name within quotes (RFC 9470 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acr(String);

impl Acr {
    /// Bytes at most.
    const LONGEST: usize = 256;
}

impl FromJson for Acr {
    fn from_text(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        let fits = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(is_plain);
        fits.then(|| Self(text.to_owned()))
    }
}

/// The claims of an access token (RFC 9068 section 2.2, and ours).
///
/// Times are seconds since 1970. Reading them refuses wrong JSON types, members
/// named twice, and tokens without a claim that RFC 9068 requires; claims that
/// are not listed here are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawAccessClaims")]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// Subject: the user's id.
    pub sub: String,
    /// Audience.
    pub aud: Audience,
    /// Expiry: the token is dead from this second on.
    pub exp: i64,
    /// Issued at.
    pub iat: i64,
    /// Identifier of this token.
    pub jti: String,
    /// Session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The user's token version, which only rises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ver: Option<i64>,
    /// OAuth client.
    pub client_id: String,
    /// Scope, space-separated (RFC 8693 section 4.2); empty where there is none.
    pub scope: String,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// E-mail address, where the issuer's setting asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The key that it is bound to (RFC 9449 section 6.1): it is good only together with a proof of that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// When the person signed in, in seconds since 1970 (RFC 9068 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How they signed in, in the issuer's words (RFC 9068 section 2.2.1): up to 256 visible ASCII characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Who acts for the subject, where somebody does (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct RawAccessClaims {
    iss: Slot<String>,
    sub: Slot<String>,
    aud: Slot<Audience>,
    exp: Slot<Date>,
    iat: Slot<Date>,
    jti: Slot<String>,
    sid: Slot<String>,
    ver: Slot<i64>,
    client_id: Slot<String>,
    scope: Slot<String>,
    roles: Slot<Vec<String>>,
    nbf: Slot<Date>,
    email: Slot<String>,
    cnf: Nested<RawConfirmation>,
    auth_time: Slot<Date>,
    acr: Slot<Acr>,
    act: Nested<RawActor>,
}

impl TryFrom<RawAccessClaims> for AccessClaims {
    type Error = Error;

    fn try_from(raw: RawAccessClaims) -> Result<Self, Error> {
        Ok(Self {
            iss: required("iss", raw.iss)?,
            aud: required("aud", raw.aud)?,
            exp: required("exp", raw.exp)?.0,
            nbf: optional("nbf", raw.nbf)?.map(|date| date.0),
            iat: required("iat", raw.iat)?.0,
            sub: required("sub", raw.sub)?,
            jti: required("jti", raw.jti)?,
            client_id: required("client_id", raw.client_id)?,
            sid: optional("sid", raw.sid)?,
            ver: optional("ver", raw.ver)?,
            scope: optional("scope", raw.scope)?.unwrap_or_default(),
            roles: optional("roles", raw.roles)?.unwrap_or_default(),
            email: optional("email", raw.email)?,
            cnf: optional("cnf", raw.cnf.0)?
                .map(Confirmation::try_from)
                .transpose()?,
            auth_time: optional("auth_time", raw.auth_time)?.map(|date| date.0),
            acr: optional("acr", raw.acr)?.map(|acr| acr.0),
            act: optional("act", raw.act.0)?
                .map(Actor::try_from)
                .transpose()?,
        })
    }
}

pub(crate) fn required<T>(name: &'static str, slot: Slot<T>) -> Result<T, Error> {
    slot.required(Error::MissingClaim(name), Error::MalformedClaim(name))
}

pub(crate) fn optional<T>(name: &'static str, slot: Slot<T>) -> Result<Option<T>, Error> {
    slot.optional(Error::MalformedClaim(name))
}

/// The registered claims that every profile is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Registered<'a> {
    /// Issuer.
    pub iss: &'a str,
    /// Audience.
    pub aud: &'a Audience,
    /// Expiry, seconds since 1970.
    pub exp: i64,
    /// Not before, seconds since 1970.
    pub nbf: Option<i64>,
    /// Issued at, seconds since 1970.
    pub iat: Option<i64>,
}

/// A kind of token: its `typ` header and its claims. Each kind has its own, so
/// that a token of one kind is never taken for one of another (RFC 8725 section 3.11).
pub trait Profile {
    /// The claims of this kind of token.
    type Claims;

    /// The `typ` that the header must have.
    const TYP: Typ;

    /// Reads the payload.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::DuplicateMember`], [`Error::MissingClaim`]
    /// and [`Error::MalformedClaim`].
    fn read(payload: &[u8]) -> Result<Self::Claims, Error>;

    /// The registered claims among them.
    fn registered(claims: &Self::Claims) -> Registered<'_>;
}

/// The profile of access tokens: `at+jwt`, [`AccessClaims`].
#[derive(Debug, Clone, Copy)]
pub struct Access;

impl Profile for Access {
    type Claims = AccessClaims;

    const TYP: Typ = Typ::AtJwt;

    fn read(payload: &[u8]) -> Result<AccessClaims, Error> {
        strict::from_slice::<RawAccessClaims>(payload)?.try_into()
    }

    fn registered(claims: &AccessClaims) -> Registered<'_> {
        Registered {
            iss: &claims.iss,
            aud: &claims.aud,
            exp: claims.exp,
            nbf: claims.nbf,
            iat: Some(claims.iat),
        }
    }
}
