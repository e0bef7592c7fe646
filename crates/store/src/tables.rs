//! The tables: the statements of each, and the reads and batch verbs made of them.

pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod creations;
pub(crate) mod feed;
pub(crate) mod hourly_counts;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod leases;
pub(crate) mod oauth;
pub(crate) mod outbox;
pub(crate) mod proofs;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod stats;
pub(crate) mod transfers;
pub(crate) mod upstream;
pub(crate) mod user_lists;
pub(crate) mod users;

/// Every statement of every table, by the names of both.
#[cfg(test)]
pub(crate) fn all() -> Vec<(String, &'static str)> {
    let tables = [
        ("audit", audit::STATEMENTS),
        ("clients", clients::STATEMENTS),
        ("creations", creations::STATEMENTS),
        ("audit_chain", audit::chain::STATEMENTS),
        ("feed", feed::STATEMENTS),
        ("hourly_counts", hourly_counts::STATEMENTS),
        ("invitations", invitations::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("leases", leases::STATEMENTS),
        ("oauth_authorizations", oauth::authorizations::STATEMENTS),
        ("oauth_codes", oauth::codes::STATEMENTS),
        ("oauth_consents", oauth::consents::STATEMENTS),
        ("oauth_devices", oauth::devices::STATEMENTS),
        ("oauth_logouts", oauth::logouts::STATEMENTS),
        ("outbox", outbox::STATEMENTS),
        ("proofs", proofs::STATEMENTS),
        ("roles", roles::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("settings", settings::STATEMENTS),
        ("setup", setup::STATEMENTS),
        ("transfers", transfers::STATEMENTS),
        ("stats", stats::STATEMENTS),
        ("upstream", upstream::STATEMENTS),
        ("user_lists", user_lists::STATEMENTS),
        ("users", users::STATEMENTS),
    ];
    let named = tables.iter().flat_map(|(table, statements)| {
        statements
            .iter()
            .map(move |(name, text)| (format!("{table}.{name}"), *text))
    });
    named.collect()
}
