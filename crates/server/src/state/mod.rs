//! The file that says what an installation is to be (`symbolon apply`): TOML in, TOML out.
//!
//! Roles and clients are lists of tables, settings are named as in `symbolon.toml`. A secret is never in the file: it is
//! named, by a file or a variable of the environment.

mod read;
mod render;
mod table;
#[cfg(test)]
mod tests;

pub use read::{Read, read};
pub use render::{render, value};

/// The keys of a role.
const ROLE: [&str; 4] = ["name", "description", "permissions", "includes"];
/// The keys of a client.
const CLIENT: [&str; 22] = [
    "id",
    "type",
    "name",
    "redirect_uris",
    "post_logout_redirect_uris",
    "origins",
    "grants",
    "scopes",
    "roles",
    "resources",
    "auth_method",
    "jwks",
    "jwks_uri",
    "subject_type",
    "id_token_alg",
    "consent",
    "require_pushed",
    "dpop_bound",
    "backchannel_logout_uri",
    "status",
    "secret_file",
    "secret_env",
];
