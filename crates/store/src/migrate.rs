//! The steps that lead from an empty database to today's tables, and what is known of those that were applied.

use crate::OpenError;

#[cfg(test)]
mod tests;

/// One step. Its text never changes once released: another step corrects it.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// The last step that a program must know to work with the tables after this one. A step that only adds has
    /// the number of an older one here, so that an old and a new program work side by side during an upgrade.
    pub(crate) needs: i64,
}

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        text: include_str!("../migrations/0001_initial.sql"),
        needs: 1,
    },
    Migration {
        number: 2,
        name: "roles",
        text: include_str!("../migrations/0002_roles.sql"),
        needs: 2,
    },
    Migration {
        number: 3,
        name: "audit_chain",
        text: include_str!("../migrations/0003_audit_chain.sql"),
        needs: 3,
    },
    Migration {
        number: 4,
        name: "mail",
        text: include_str!("../migrations/0004_mail.sql"),
        needs: 4,
    },
    Migration {
        number: 5,
        name: "lists",
        text: include_str!("../migrations/0005_lists.sql"),
        needs: 5,
    },
    Migration {
        number: 6,
        name: "clients",
        text: include_str!("../migrations/0006_clients.sql"),
        needs: 6,
    },
    Migration {
        number: 7,
        name: "setup",
        text: include_str!("../migrations/0007_setup.sql"),
        needs: 7,
    },
    Migration {
        number: 8,
        name: "oauth",
        text: include_str!("../migrations/0008_oauth.sql"),
        needs: 8,
    },
    Migration {
        number: 9,
        name: "client_metadata",
        text: include_str!("../migrations/0009_client_metadata.sql"),
        needs: 7,
    },
    Migration {
        number: 10,
        name: "upstream",
        text: include_str!("../migrations/0010_upstream.sql"),
        needs: 10,
    },
    Migration {
        number: 11,
        name: "backchannel_logout",
        text: include_str!("../migrations/0011_backchannel_logout.sql"),
        needs: 10,
    },
    Migration {
        number: 12,
        name: "hourly_counts",
        text: include_str!("../migrations/0012_hourly_counts.sql"),
        needs: 10,
    },
    Migration {
        number: 13,
        name: "leases",
        text: include_str!("../migrations/0013_leases.sql"),
        needs: 10,
    },
];

/// A step that is still to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingStep {
    /// Its number: steps are taken in the order of these.
    pub number: i64,
    /// What it is called.
    pub name: &'static str,
    /// Whether a program whose last step is the last one that was taken goes on working after this one.
    pub former_goes_on: bool,
}

/// The same list for people who are to decide when.
///
/// # Errors
/// As [`pending`].
pub(crate) fn plan(
    known: &[Migration],
    applied: &[Applied],
) -> Result<Vec<PendingStep>, OpenError> {
    let last_applied = applied.iter().map(|step| step.number).max().unwrap_or(0);
    let steps = pending(known, applied)?.map(|step| PendingStep {
        number: step.number,
        name: step.name,
        former_goes_on: step.needs <= last_applied,
    });
    Ok(steps.collect())
}

/// Where the steps that were applied are noted. Nothing but this is made before the first step.
pub(crate) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (\
     number BIGINT NOT NULL CONSTRAINT schema_migrations_number PRIMARY KEY, name TEXT NOT NULL, \
     digest TEXT NOT NULL, needs BIGINT NOT NULL, applied_at BIGINT NOT NULL)";
pub(crate) const LIST: &str =
    "SELECT number, name, digest, needs FROM schema_migrations ORDER BY number";
pub(crate) const INSERT: &str = "INSERT INTO schema_migrations (number, name, digest, needs, applied_at) VALUES ($1, $2, $3, $4, $5)";

/// A step as noted in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) needs: i64,
}

impl Migration {
    /// Tells whether the text is the one that was applied. FNV-1a with 128 bits: it guards against mistakes, and
    /// whoever could forge it could change the tables as well.
    pub(crate) fn digest(&self) -> String {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        // A checkout with other line ends is the same text.
        let bytes = self.text.bytes().filter(|byte| *byte != b'\r');
        let hash = bytes.fold(OFFSET, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(PRIME)
        });
        format!("{hash:032x}")
    }
}

/// The steps that are still to be taken, after a look at those that were.
///
/// # Errors
/// [`OpenError::Newer`] and [`OpenError::Changed`].
pub(crate) fn pending<'a>(
    known: &'a [Migration],
    applied: &[Applied],
) -> Result<impl Iterator<Item = &'a Migration> + use<'a>, OpenError> {
    let last_known = known.last().map_or(0, |migration| migration.number);
    if let Some(newer) = applied.iter().find(|step| step.needs > last_known) {
        return Err(OpenError::Newer {
            found: newer.number,
            known: last_known,
        });
    }
    for step in applied {
        let ours = known
            .iter()
            .find(|migration| migration.number == step.number);
        if ours.is_some_and(|migration| migration.digest() != step.digest) {
            return Err(OpenError::Changed {
                number: step.number,
                name: step.name.clone(),
            });
        }
    }
    let last_applied = applied.iter().map(|step| step.number).max().unwrap_or(0);
    Ok(known
        .iter()
        .filter(move |migration| migration.number > last_applied))
}
