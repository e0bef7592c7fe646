//! The clocks of several nodes.
//!
//! Lives of tokens and the windows of a refresh are compared by whichever node is asked, with times that another one wrote. So
//! nodes that share a database take the time from it: each measures how far its own clock is from the database's, and
//! counts that in. What a minute between two machines would do otherwise: tokens of one are refused by the other as not
//! valid yet, and a second tab that is late by a moment looks like a thief.

use std::time::Duration;

use symbolon_domain::Timestamp;
use symbolon_store::{Error, Store};

use crate::clock::{Clock, Stopwatch};

/// What is left as it is.
const TOLERATED: Duration = Duration::from_millis(20);
/// What an operator is told of.
const TOLD: Duration = Duration::from_secs(2);
/// An answer that took longer says too little about the time.
const LONGEST: Duration = Duration::from_secs(1);

/// An answer in this time tells the time well enough for a process that begins.
const QUICK: Duration = Duration::from_millis(200);
/// How far the clocks of two nodes may be from each other that were put right with such answers: each by what is tolerated and
/// what the answer took.
const MOST_APART: Duration = Duration::from_millis(450);
/// Attempts of a process that begins: the first also pays for the connection.
const ATTEMPTS: usize = 3;

/// The last second in which a token may have been issued by now, by any node: what ends tokens by their time ends those. It may
/// be up to [`MOST_APART`] ahead (docs/decisions/0015).
pub fn last_issue_s(store: &Store, now: Timestamp) -> i64 {
    let apart = match store.is_embedded() {
        true => Duration::ZERO,
        false => MOST_APART,
    };
    now.plus(apart).seconds()
}

/// Puts `clock` right before anything is made of its time.
///
/// # Errors
/// As [`keep_time`].
pub async fn begin_time(store: &Store, clock: &Clock) -> Result<(), Error> {
    let mut took = Duration::MAX;
    for _ in 0..ATTEMPTS {
        took = took.min(keep_time(store, clock).await?);
        if took <= QUICK {
            return Ok(());
        }
    }
    match took > LONGEST {
        true => tracing::warn!(
            "the database answers too late to tell the time: this machine's own clock is believed; keep it right by NTP, and see why the database is slow"
        ),
        false => tracing::warn!(
            milliseconds = took.as_millis(),
            "the database answers late: the clock of this node may be off by about as much, so that tokens which a revocation of a client or of all should end may go on; bring the node nearer to the database"
        ),
    }
    Ok(())
}

/// Puts `clock` right by the database's, where there is another machine's. Asked from time to time. Returns how long the answer
/// took; above [`LONGEST`] it was not believed.
///
/// # Errors
/// As the store says; the clock is as before.
pub async fn keep_time(store: &Store, clock: &Clock) -> Result<Duration, Error> {
    let (asked, watch) = (clock.now(), Stopwatch::start());
    let Some(theirs) = store.time().await? else {
        return Ok(Duration::ZERO);
    };
    let took = watch.elapsed();
    if let Some(millis) = correction(asked, theirs, took) {
        if Duration::from_millis(millis.unsigned_abs()) >= TOLD {
            tracing::warn!(
                seconds = millis / 1000,
                "the clock of this machine differs from the database's, whose time is used"
            );
        }
        clock.correct(millis);
    }
    Ok(took)
}

/// By how many milliseconds a clock that read `asked` is wrong, if `theirs` came from the middle of the time that the answer
/// took: it may be off by half of that.
fn correction(asked: Timestamp, theirs: Timestamp, took: Duration) -> Option<i64> {
    let ours = asked.plus(took / 2);
    let millis = theirs.millis().saturating_sub(ours.millis());
    let is_wrong = Duration::from_millis(millis.unsigned_abs()) >= TOLERATED + took / 2;
    (is_wrong && took <= LONGEST).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_clock_is_put_right_by_what_it_is_off() {
        let quick = Duration::from_millis(20);
        assert_eq!(correction(at(100_000), at(160_010), quick), Some(60_000));
        assert_eq!(correction(at(160_000), at(100_010), quick), Some(-60_000));
        // As far off as a network may make it look.
        assert_eq!(correction(at(100_000), at(100_039), quick), None);
        assert_eq!(correction(at(100_000), at(99_981), quick), None);
        let slow = Duration::from_millis(900);
        assert_eq!(correction(at(100_000), at(100_919), slow), None);
        let slow = Duration::from_millis(1_001);
        assert_eq!(correction(at(100_000), at(160_000), slow), None);
    }
}
