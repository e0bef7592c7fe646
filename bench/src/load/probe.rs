//! A caller that comes now and then, to see how long one request takes while others press.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::connection::parse;
use crate::clock;

/// Sends a request each `period` for `time` on one kept connection, and returns how long each answer
/// took, in microseconds. Every answer must be a 200.
pub fn run(
    address: SocketAddr,
    request: &[u8],
    period: Duration,
    time: Duration,
) -> Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut buffer = vec![0; 64 * 1024];
    let mut latencies = Vec::new();
    let start = clock::now();
    let mut due = start;
    while clock::since(start) < time {
        clock::pause(due.saturating_duration_since(clock::now()));
        // Counted from when it was due, so that a late answer is not forgiven by a late question.
        let asked = due;
        due += period;
        stream.write_all(request)?;
        let mut filled = 0;
        let status = loop {
            let read = stream.read(buffer.get_mut(filled..).context("a long answer")?)?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            filled += read;
            if let Some((answer, _)) = parse(buffer.get(..filled).unwrap_or_default())? {
                break answer.status;
            }
        };
        if status != 200 {
            bail!("status {status} where 200 was expected");
        }
        let micros = clock::now().saturating_duration_since(asked).as_micros();
        latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}
