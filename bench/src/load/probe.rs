//! A caller that comes now and then, to see how long one request takes while others press.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, bail};

use super::Caller;
use crate::clock;

/// Sends a request each `period` for `time` on one kept connection, and returns how long each answer
/// took, in microseconds. Every answer must be a 200.
pub fn run(
    address: SocketAddr,
    request: &[u8],
    period: Duration,
    time: Duration,
) -> Result<Vec<u32>> {
    let mut caller = Caller::connect(address)?;
    let mut latencies = Vec::new();
    let start = clock::now();
    let mut due = start;
    while clock::since(start) < time {
        clock::pause(due.saturating_duration_since(clock::now()));
        // Counted from when it was due, so that a late answer is not forgiven by a late question.
        let asked = due;
        due += period;
        let status = caller.call(request)?.status;
        if status != 200 {
            bail!("status {status} where 200 was expected");
        }
        let micros = clock::now().saturating_duration_since(asked).as_micros();
        latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}
