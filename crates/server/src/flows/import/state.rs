//! How far an import has come, as it is kept in the store.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::transfer::{Format, Place};

/// What became of the users of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Lines, rows or elements.
    pub read: u64,
    /// Users who are there now and were not before.
    pub imported: u64,
    /// What there was nothing to be done about.
    pub skipped: u64,
    /// What could not be used.
    pub failed: u64,
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct State {
    /// Nothing before the first chunk.
    pub(super) place: Option<Place>,
    pub(super) tally: Tally,
    /// Bytes of the report that are to stay.
    pub(super) report: u64,
    /// Tells two imports of one file apart.
    pub(super) run: String,
}

/// The name under which the steps of an import are kept.
pub(super) fn name(format: Format, file: &str) -> String {
    let digest = digest(&SHA256, file.as_bytes());
    let hex: String = digest.as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("import:{format}:{hex}")
}
