//! What is true of users, sessions, refresh, revocations and roles.
//!
//! Pure: no clock, no randomness, no storage, no async. Time comes in as a [`Timestamp`], chance as
//! bytes. Where a rule has to be decided there is a function from what is known to an enum of outcomes,
//! so that it can be tested with no database: [`refresh::decide`] for refresh tokens, [`Session::life`]
//! for sessions, [`ending::consequences`] for what the end of a sign-in kills.

#![warn(missing_docs)]

mod words;

pub mod audit;
mod client;
pub mod ending;
mod field;
mod id;
mod identity;
pub mod mail;
pub mod oauth;
mod password;
mod permission;
mod problem;
pub mod refresh;
mod refusal;
pub mod revocation;
mod role;
mod role_book;
mod session;
pub mod setup;
mod time;
pub mod upstream;
mod user;

pub use client::{
    AuthMethod, Client, ClientDefinition, ClientId, ClientJwks, ClientMetadata, ClientOrigin,
    ClientSecret, ClientStatus, ClientType, ConsentPolicy, Described, EndpointUri, Grant,
    MOST_SECRETS, MetadataError, OpenTerms, RedirectUri, Resource, Scope, SecretText, SubjectType,
};
pub use field::FieldValue;
pub use id::{MalformedId, SessionId, UserId};
pub use identity::{DisplayName, Email, Identifier, Username};
pub use password::{Password, PasswordRules};
pub use permission::{Permission, Permissions};
pub use problem::{FieldError, Problem};
pub use refusal::Refusal;
pub use role::{RoleName, Roles};
pub use role_book::{Effective, Role, RoleBook};
pub use session::{
    EndReason, Ended, Life, Lifetimes, Session, SessionPolicy, SignInMethod, Transport,
};
pub use time::Timestamp;
pub use user::{User, UserStatus};
pub use words::UnknownWord;
