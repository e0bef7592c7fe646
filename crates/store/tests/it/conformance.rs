//! What holds on every engine.

mod audit;
mod batches;
mod clients;
mod creations;
mod endings;
mod feed;
mod hourly_counts;
mod keys;
mod leases;
mod mail;
mod oauth;
mod refresh;
mod roles;
mod schema;
mod sessions;
mod settings;
mod setup;
mod stats;
mod transfers;
mod upstream;
mod user_lists;
mod users;

use std::collections::BTreeSet;

/// Where the reads and verbs are.
const SOURCES: &[&str] = &[
    include_str!("../../src/batch.rs"),
    include_str!("../../src/store.rs"),
    include_str!("../../src/tables/audit.rs"),
    include_str!("../../src/tables/clients.rs"),
    include_str!("../../src/tables/creations.rs"),
    include_str!("../../src/tables/audit/chain.rs"),
    include_str!("../../src/tables/feed.rs"),
    include_str!("../../src/tables/hourly_counts.rs"),
    include_str!("../../src/tables/invitations.rs"),
    include_str!("../../src/tables/keys.rs"),
    include_str!("../../src/tables/leases.rs"),
    include_str!("../../src/tables/oauth/authorizations.rs"),
    include_str!("../../src/tables/oauth/codes.rs"),
    include_str!("../../src/tables/oauth/consents.rs"),
    include_str!("../../src/tables/oauth/devices.rs"),
    include_str!("../../src/tables/oauth/logouts.rs"),
    include_str!("../../src/tables/outbox.rs"),
    include_str!("../../src/tables/proofs.rs"),
    include_str!("../../src/tables/roles.rs"),
    include_str!("../../src/tables/sessions.rs"),
    include_str!("../../src/tables/settings.rs"),
    include_str!("../../src/tables/setup.rs"),
    include_str!("../../src/tables/transfers.rs"),
    include_str!("../../src/tables/stats.rs"),
    include_str!("../../src/tables/upstream.rs"),
    include_str!("../../src/tables/user_lists.rs"),
    include_str!("../../src/tables/users.rs"),
];

/// Where they are called.
const SUITE: &[&str] = &[
    include_str!("conformance/audit.rs"),
    include_str!("conformance/batches.rs"),
    include_str!("conformance/clients.rs"),
    include_str!("conformance/creations.rs"),
    include_str!("conformance/endings.rs"),
    include_str!("conformance/feed.rs"),
    include_str!("conformance/hourly_counts.rs"),
    include_str!("conformance/keys.rs"),
    include_str!("conformance/leases.rs"),
    include_str!("conformance/mail.rs"),
    include_str!("conformance/oauth/authorizations.rs"),
    include_str!("conformance/oauth/codes.rs"),
    include_str!("conformance/oauth/consents.rs"),
    include_str!("conformance/oauth/devices.rs"),
    include_str!("conformance/oauth/logouts.rs"),
    include_str!("conformance/refresh.rs"),
    include_str!("conformance/roles.rs"),
    include_str!("conformance/schema.rs"),
    include_str!("conformance/sessions.rs"),
    include_str!("conformance/settings.rs"),
    include_str!("conformance/setup.rs"),
    include_str!("conformance/transfers.rs"),
    include_str!("conformance/stats.rs"),
    include_str!("conformance/upstream.rs"),
    include_str!("conformance/user_lists.rs"),
    include_str!("conformance/users.rs"),
    // Opens and migrates for all of them.
    include_str!("harness.rs"),
];

/// Every read and every verb is called by a test of this folder, and all of those run on every engine.
#[test]
fn every_function_is_called_on_every_engine() {
    let (sources, suite) = (SOURCES.concat(), SUITE.concat());
    let asynchronous = sources.split("pub async fn ").skip(1);
    let verbs = sources.split("pub fn ").skip(1);
    let methods: BTreeSet<&str> = asynchronous
        .chain(verbs)
        .filter_map(|rest| rest.split_once('('))
        .filter(|(_, arguments)| {
            let arguments = arguments.trim_start();
            arguments.starts_with("&self") || arguments.starts_with("&mut self")
        })
        .map(|(name, _)| name.split('<').next().unwrap())
        .collect();
    assert!(methods.len() > 45, "{methods:?}");
    let is_called = |name: &str| {
        let call = format!("{name}(");
        let mut before = suite.match_indices(&call).map(|(start, _)| &suite[..start]);
        before.any(|before| {
            !before.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_')
        })
    };
    let missing: Vec<_> = methods
        .into_iter()
        .filter(|name| !is_called(name))
        .collect();
    assert_eq!(missing, [] as [&str; 0]);
}
