//! What was measured, as a table on the terminal and in Markdown.

use std::fmt::Write as _;

use crate::{clock, machine::Machine, say};

/// One figure, beside the one it is compared with.
pub struct Row {
    what: String,
    figure: String,
    beside: String,
    ratio: Option<f64>,
    target: String,
    met: Option<bool>,
}

impl Row {
    pub fn new(what: impl Into<String>, figure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            figure: figure.into(),
            beside: String::new(),
            ratio: None,
            target: String::new(),
            met: None,
        }
    }

    /// The figure of the same run that this one is a multiple of.
    pub fn beside(mut self, figure: impl Into<String>, ratio: f64) -> Self {
        self.beside = figure.into();
        self.ratio = Some(ratio);
        self
    }

    /// The ratio must be at least this.
    pub fn at_least(mut self, bound: f64) -> Self {
        self.target = format!("≥ {bound:.2}");
        self.met = self.ratio.map(|ratio| ratio >= bound);
        self
    }

    /// The ratio must be at most this.
    pub fn at_most(mut self, bound: f64) -> Self {
        self.target = format!("≤ {bound:.2}");
        self.met = self.ratio.map(|ratio| ratio <= bound);
        self
    }

    /// The figure itself has a bound.
    pub fn bound(mut self, target: impl Into<String>, met: bool) -> Self {
        self.target = target.into();
        self.met = Some(met);
        self
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.what.clone(),
            self.figure.clone(),
            self.beside.clone(),
            self.ratio
                .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            self.target.clone(),
            match self.met {
                Some(true) => "yes".to_owned(),
                Some(false) => "NO".to_owned(),
                None => String::new(),
            },
        ]
    }
}

/// One section of the run.
pub struct Section {
    pub name: &'static str,
    pub title: &'static str,
    /// What the figures stand beside, and how they were taken.
    pub note: String,
    pub tables: Vec<Table>,
}

/// Rows of as many cells as there are heads.
pub struct Table {
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

const HEADS: [&str; 6] = ["what", "figure", "beside", "ratio", "target", "met"];

impl Section {
    /// A section with one table of [`Row`]s.
    pub fn new(name: &'static str, title: &'static str, note: impl Into<String>) -> Self {
        let usual = Table::new(HEADS.iter().copied());
        Self {
            name,
            title,
            note: note.into(),
            tables: vec![usual],
        }
    }

    pub fn push(&mut self, row: Row) {
        if let Some(table) = self.tables.first_mut() {
            table.rows.push(row.cells());
        }
    }

    /// Prints the section as aligned tables.
    pub fn print(&self) {
        say::line(format!("\n{} ({})", self.title, self.name));
        say::line(&self.note);
        for (at, table) in self.tables.iter().enumerate() {
            if at > 0 {
                say::line("");
            }
            table.print();
        }
    }

    fn markdown(&self, out: &mut String) {
        let _ = write!(out, "\n## {}\n\n{}\n", self.title, self.note);
        for table in &self.tables {
            table.markdown(out);
        }
    }
}

impl Table {
    pub fn new(heads: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            heads: heads.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    fn print(&self) {
        let lines = || std::iter::once(&self.heads).chain(&self.rows);
        let mut widths = vec![0; self.heads.len()];
        for row in lines() {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in lines() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let padding = width.saturating_sub(cell.chars().count());
                let _ = write!(line, "  {cell}{}", " ".repeat(padding));
            }
            say::line(line.trim_end());
        }
    }

    fn markdown(&self, out: &mut String) {
        let _ = writeln!(out, "\n| {} |", self.heads.join(" | "));
        let _ = writeln!(out, "|{}", "---|".repeat(self.heads.len()));
        for row in &self.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
    }
}

/// The whole run in Markdown.
pub fn markdown(machine: &Machine, sections: &[Section], notes: &[String]) -> String {
    let mut out = format!("# Benchmarks of {}\n\n{machine}\n", clock::today());
    for note in notes {
        let _ = write!(out, "\n{note}\n");
    }
    for section in sections {
        section.markdown(&mut out);
    }
    out
}

/// A rate with a thin space between thousands, such as `14 400/s`.
pub fn rate(per_second: f64) -> String {
    format!("{}/s", count(per_second))
}

/// A number with its thousands set apart; one decimal below 1,000.
pub fn count(number: f64) -> String {
    if number < 1000.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The middle value. Zero of nothing.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
