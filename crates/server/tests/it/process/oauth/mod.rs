//! Other people's clients, each through sign-in, refresh, userinfo, revocation and logout.

mod clients;
mod differential;
mod mcp;
pub mod program;
mod schema;
