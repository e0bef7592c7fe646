//! Tables for people, JSON for programs.

use std::io::{IsTerminal, Write, stderr, stdout};

use serde::Serialize;

use super::Failed;

/// Where a command's answer goes, and in which form.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints `value` as JSON, or `columns` of `rows` as a table.
    pub(super) fn table<const N: usize>(
        &self,
        value: &impl Serialize,
        columns: [&str; N],
        rows: &[[String; N]],
    ) -> Result<(), Failed> {
        if self.json {
            return self.value(value);
        }
        let widths: [usize; N] = std::array::from_fn(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([columns[column].len()])
                .max()
                .unwrap_or(0)
        });
        let line = |cells: [&str; N]| {
            let padded = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let bold = stdout().is_terminal();
        let head = line(columns);
        let mut text = if bold {
            format!("\u{1b}[1m{head}\u{1b}[0m\n")
        } else {
            format!("{head}\n")
        };
        for row in rows {
            text.push_str(&line(std::array::from_fn(|column| row[column].as_str())));
            text.push('\n');
        }
        raw(&text)
    }

    /// Prints `value` as JSON, or `sentence`.
    pub(super) fn done(&self, value: &impl Serialize, sentence: &str) -> Result<(), Failed> {
        if self.json {
            self.value(value)
        } else {
            raw(&format!("{sentence}\n"))
        }
    }

    /// Prints `value` as JSON.
    pub(super) fn value(&self, value: &impl Serialize) -> Result<(), Failed> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failed::said("fault", error.to_string()))?;
        raw(&format!("{text}\n"))
    }

    /// Says on standard error why the command failed.
    pub(super) fn failed(&self, code: &str, detail: &str) {
        let text = if self.json {
            serde_json::json!({ "code": code, "detail": detail }).to_string()
        } else {
            format!("symbolon: {detail}")
        };
        // Nobody is left to be told when standard error is closed.
        let _unheard = writeln!(stderr().lock(), "{text}");
    }
}

/// Says something to whoever started the program, beside its answer.
pub(super) fn notice(text: &str) {
    // Nobody is left to be told when standard error is closed.
    let _unheard = writeln!(stderr().lock(), "{text}");
}

/// Prints `text` as it is.
pub(super) fn raw(text: &str) -> Result<(), Failed> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader such as `head` that has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
