//! The only place that prints. A closed pipe is not an error worth a panic.

use std::io::{Write as _, stderr, stdout};

pub(crate) fn line(text: &str) {
    let mut out = stdout().lock();
    let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
}

pub(crate) fn error(text: &str) {
    let _closed = writeln!(stderr().lock(), "{text}");
}
