//! The only room that knows SQL: the embedded SQLite and PostgreSQL, with one statement text for both.
//!
//! A [`Store`] is opened from a [`DatabaseUrl`], brought up to date by [`Store::migrate`], and then read from and
//! written to. Reads are methods that return domain types. A write is a [`Batch`]: a list of statements that was
//! decided beforehand, committed together or not at all. Those that are compare-and-set carry what the decision
//! was based on, and if that has changed the commit is [`Error::Stale`]: load and decide again.
//!
//! There is no clock and no chance in here: times and ids come in as arguments. Neither is there policy: who may
//! do what was decided before.

#![warn(missing_docs)]

mod batch;
mod error;
mod marks;
mod migrate;
mod postgres;
mod relocate;
mod sqlite;
mod statement;
mod store;
mod tables;
mod url;
mod value;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use error::{Error, OpenError};
pub use migrate::PendingStep;
pub use relocate::{
    MoveError, MoveStep, OnStep, TableDigest, abandon_move, move_to_postgres, move_to_sqlite,
};
pub use sqlite::backup::{Contents, copy_database, examine, fold_log, require_here};
pub use store::{OpenOptions, Store, Watch};
pub use tables::audit::{
    AuditHead, AuditLane, AuditLine, AuditMark, AuditRow, AuditSpan, ChainRow, ChainValue,
    chain_origin, follow,
};
pub use tables::creations::Creation;
pub use tables::feed::Feed;
pub use tables::hourly_counts::HourlyCount;
pub use tables::invitations::Invitation;
pub use tables::keys::{KeyRow, KeyState};
pub use tables::leases::Lease;
pub use tables::oauth::{CodeRow, DeviceRow, LogoutRow, PushedRow};
pub use tables::outbox::MailRow;
pub use tables::roles::{Announcement, RoleState};
pub use tables::setup::SetupToken;
pub use tables::stats::Counted;
pub use tables::user_lists::{Slice, UserPosition, UserRange, UserRow};
pub use tables::users::Credentials;
pub use url::DatabaseUrl;
