//! The tables: the statements of each, and the reads and batch verbs made of them.

pub(crate) mod audit;
pub(crate) mod feed;
pub(crate) mod keys;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod users;

/// Every statement of every table, by name.
#[cfg(test)]
pub(crate) fn all() -> Vec<(&'static str, &'static str)> {
    [
        audit::STATEMENTS,
        feed::STATEMENTS,
        keys::STATEMENTS,
        roles::STATEMENTS,
        sessions::STATEMENTS,
        settings::STATEMENTS,
        users::STATEMENTS,
    ]
    .concat()
}
