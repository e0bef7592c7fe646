use std::error::Error as StdError;
use std::path::PathBuf;

/// Why a read or a write did not happen. After any of them nothing of the batch is stored, with one
/// exception: [`Error::Busy`] and [`Error::Fault`] of a commit whose answer got lost leave open whether it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A compare-and-set statement missed: what was read has changed since. Load and decide again.
    #[error("what was read has changed since")]
    Stale,
    /// A value that must be unique is taken: `email` or `username`; `current_key` when two nodes make a key at
    /// once; for programs' own mistakes the likes of `user_id` and `kid`.
    #[error("{0} is taken")]
    Conflict(&'static str),
    /// The database cannot take this now: too much waiting, locked, unreachable. Worth another try.
    #[error("the database cannot take this now")]
    Busy,
    /// The database failed: disk full, file damaged, or a mistake in this program.
    #[error("the database failed")]
    Fault(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    pub(crate) fn fault(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Fault(source.into())
    }
}

/// Why a database cannot be used at all. Each is one sentence for whoever started the program.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not one of the forms of [`crate::DatabaseUrl`].
    #[error("the database URL is not usable: {0}")]
    Url(String),
    /// The folder of the file does not exist.
    #[error("the folder {} of the database does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// The file does not exist and was not to be made.
    #[error("the database {} does not exist", .0.display())]
    Missing(PathBuf),
    /// The file cannot be opened, read or written by this user.
    #[error("no permission to read and write the database {}", .0.display())]
    Permission(PathBuf),
    /// The file is something else than a SQLite database.
    #[error("{} is not a SQLite database", .0.display())]
    NotADatabase(PathBuf),
    /// The file is a damaged SQLite database.
    #[error("the database {} is damaged: restore it from a backup", .0.display())]
    Corrupt(PathBuf),
    /// Another program holds the file.
    #[error("the database {} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// There is no room left.
    #[error("no space left on the disk of the database {}", .0.display())]
    Full(PathBuf),
    /// It holds tables that are not ours.
    #[error("the database {0} belongs to another program: it holds tables that are not Symbolon's")]
    Foreign(String),
    /// A move fills it, or did when it was interrupted.
    #[error(
        "the database {0} is being filled by a move, or was when that was interrupted: start once with the former database.url, \
         which knows whether the move was completed; if it was not, finish it with symbolon migrate --to"
    )]
    Filling(String),
    /// A file says that its data was moved there, and there is none.
    #[error(
        "the data was moved to the database {0}, in which there is nothing: is it the right one?"
    )]
    Vanished(String),
    /// Its data is elsewhere.
    #[error("the data of {0} was moved to {1}: set database.url to that")]
    Left(String, String),
    /// A move takes its data elsewhere, or did when it was interrupted.
    #[error(
        "a move of {0} to {1} is under way or was interrupted: run the same symbolon migrate --to again, which finishes it or says that the data is there"
    )]
    Leaving(String, String),
    /// A newer version changed the schema in a way that this version cannot work with.
    #[error(
        "the database needs a newer version of Symbolon (its schema is {found}, this version knows {known})"
    )]
    Newer {
        /// The number of the migration that shuts this version out.
        found: i64,
        /// The last migration that this version knows.
        known: i64,
    },
    /// A migration was applied with another text than the one in this program.
    #[error(
        "migration {number} ({name}) of the database differs from the one in this version of Symbolon"
    )]
    Changed {
        /// Its number.
        number: i64,
        /// Its name.
        name: String,
    },
    /// The PostgreSQL server does not answer or refuses us. The text names no password.
    #[error("cannot use the PostgreSQL server {server}: {reason}")]
    Server {
        /// Where, without credentials.
        server: String,
        /// What it said.
        reason: String,
    },
    /// Anything else.
    #[error("cannot open the database")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl OpenError {
    pub(crate) fn other(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(source.into())
    }
}

/// The unique constraints, as PostgreSQL names them and as SQLite lists their columns, and what
/// [`Error::Conflict`] calls them.
const CONSTRAINTS: &[(&str, &str, &str)] = &[
    ("users_email", "users.email_key", "email"),
    ("users_username", "users.username_key", "username"),
    ("users_id", "users.id", "user_id"),
    (
        "user_roles_key",
        "user_roles.role, user_roles.user_id",
        "user_role",
    ),
    ("roles_name", "roles.name", "role"),
    ("sessions_id", "sessions.id", "session_id"),
    ("keys_kid", "keys.kid", "kid"),
    (
        "keys_current",
        "keys.purpose, keys.algorithm",
        "current_key",
    ),
    ("revocations_seq", "revocations.seq", "revocation"),
    ("audit_id", "audit.id", "audit_id"),
    ("creations_key", "creations.key", "creation"),
    ("audit_seq", "audit.seq", "audit_seq"),
    ("outbox_id", "outbox.id", "mail_id"),
    ("proofs_id", "proofs.id", "proof_id"),
    ("proofs_digest", "proofs.digest", "proof"),
    ("invitations_id", "invitations.id", "invitation"),
    ("clients_id", "clients.id", "client"),
    (
        "client_roles_key",
        "client_roles.role, client_roles.client_id",
        "client_role",
    ),
    ("settings_name", "settings.name", "setting"),
    (
        "authorizations_session",
        "authorizations.session_id",
        "authorization",
    ),
    (
        "authorization_codes_digest",
        "authorization_codes.digest",
        "code",
    ),
    (
        "pushed_requests_digest",
        "pushed_requests.digest",
        "pushed_request",
    ),
    ("logouts_session", "logouts.session_id", "logout"),
    ("device_codes_digest", "device_codes.digest", "device_code"),
    (
        "device_codes_user_code",
        "device_codes.user_code",
        "user_code",
    ),
    (
        "upstream_identities_key",
        "upstream_identities.issuer, upstream_identities.subject",
        "upstream_identity",
    ),
];

/// What [`Error::Conflict`] calls a constraint that PostgreSQL named.
pub(crate) fn conflict_of_constraint(name: &str) -> &'static str {
    CONSTRAINTS
        .iter()
        .find(|known| known.0 == name)
        .map_or("value", |known| known.2)
}

/// What [`Error::Conflict`] calls the columns that SQLite listed.
pub(crate) fn conflict_of_columns(columns: &str) -> &'static str {
    CONSTRAINTS
        .iter()
        .find(|known| known.1 == columns)
        .map_or("value", |known| known.2)
}
