//! [`super::decide`] as a table, then as properties of whole worlds.
//!
//! The properties run a fixed number of cases from a fixed seed, so that they are the same everywhere and leave no
//! files behind. `PROPTEST_CASES` sets another number, for a long search.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

mod anything;
mod chain;
mod honest;
mod model;
mod table;
mod thief;

const CASES: u32 = 8_000;

/// Runs a property and says how often.
fn check<S: Strategy>(
    name: &str,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let cases = cases();
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x53_59_4d_42_4f_4c_4f_4e),
        ..Config::default()
    };
    if let Err(failure) = TestRunner::new(config).run(strategy, property) {
        panic!("{name}: {failure}");
    }
    println!("{name}: {cases} cases");
}

#[expect(
    clippy::disallowed_methods,
    reason = "proptest's own variable, which no settings name"
)]
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(CASES)
}
