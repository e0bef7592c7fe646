//! The one place that writes to standard output.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark is a program that prints figures"
)]

use std::io::Write as _;

/// Prints one line and flushes it, so that a parent process or a pipe sees it at once.
pub fn line(text: impl std::fmt::Display) {
    println!("{text}");
    // Nothing can be done about a closed pipe, and the report is written to a file too.
    let _ = std::io::stdout().flush();
}
