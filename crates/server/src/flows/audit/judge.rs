//! What is wrong with a chain of lines, if anything. Pure: lines in, a verdict out.

#[cfg(test)]
mod tests;

use std::fmt;

use symbolon_store::{ChainRow, ChainValue, follow};

/// The place of a line in the chain, and the chain up to it.
pub type Link = (i64, ChainValue);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The line is not what was written.
    Changed,
    /// Lines are gone, up to this number.
    Missing(i64),
    /// The line was not written by this program, or not there.
    Inserted,
    /// The line has another line's place.
    Reordered,
    /// The lines from this one on are gone, up to this number.
    Truncated(i64),
    /// The stored end of the chain is not that of its last line.
    Head,
    /// The stored beginning of the chain is not signed by this server.
    Start,
    /// A checkpoint is not signed by this server.
    Forged,
    /// A checkpoint, or the owner, knows another chain up to this line.
    Rewritten,
    /// The server found here that the log was changed before, or had lost lines.
    Noticed,
    /// Lines that are not in the chain, more than there were before it.
    Unchained,
    /// The line that the owner expects was purged.
    Purged,
}

/// The first line that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it.
    pub wrong: Wrong,
}

impl Finding {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self.wrong {
            Wrong::Changed => "changed",
            Wrong::Missing(_) => "missing",
            Wrong::Inserted => "inserted",
            Wrong::Reordered => "reordered",
            Wrong::Truncated(_) => "truncated",
            Wrong::Head => "head_forged",
            Wrong::Start => "start_forged",
            Wrong::Forged => "checkpoint_forged",
            Wrong::Rewritten => "rewritten",
            Wrong::Noticed => "noticed",
            Wrong::Unchained => "unchained",
            Wrong::Purged => "purged",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match self.wrong {
            Wrong::Changed => write!(f, "line {seq} was changed"),
            Wrong::Missing(last) if last == seq => write!(f, "line {seq} is missing"),
            Wrong::Missing(last) => write!(f, "lines {seq} to {last} are missing"),
            Wrong::Inserted => write!(f, "line {seq} was inserted"),
            Wrong::Reordered => write!(f, "line {seq} has another line's place"),
            Wrong::Truncated(last) => {
                write!(f, "the log was cut off: lines {seq} to {last} are missing")
            }
            Wrong::Head => write!(f, "the stored end of the chain is not that of line {seq}"),
            Wrong::Start => write!(
                f,
                "the log does not begin where this server purged it: the start at line {seq} is not signed by it"
            ),
            Wrong::Forged => write!(
                f,
                "the checkpoint of line {seq} is not signed by this server"
            ),
            Wrong::Rewritten => write!(
                f,
                "a line up to {seq} was changed, and the chain computed anew"
            ),
            Wrong::Noticed => write!(
                f,
                "at line {seq} the server found that the log had been changed or had lost lines before"
            ),
            Wrong::Unchained => write!(
                f,
                "there are lines beside the chain that were not written by this program"
            ),
            Wrong::Purged => write!(f, "line {seq} is not there any more: it was purged"),
        }
    }
}

/// Follows a chain line by line.
#[derive(Debug)]
pub struct Judge {
    last: Link,
}

/// A line that does not follow: [`Mismatch::explain`] says what is wrong, given the one behind it.
#[derive(Debug)]
pub struct Mismatch {
    before: Link,
    row: Box<ChainRow>,
}

impl Judge {
    /// Begins behind a line.
    pub fn behind(start: Link) -> Self {
        Self { last: start }
    }

    /// The last line that was good.
    pub fn last(&self) -> Link {
        self.last
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// It is not the next line.
    pub fn step(&mut self, row: &ChainRow) -> Result<(), Mismatch> {
        let link = link(self.last, row).filter(|_| row.seq == self.last.0 + 1);
        self.last = link.ok_or_else(|| Mismatch {
            before: self.last,
            row: Box::new(row.clone()),
        })?;
        Ok(())
    }
}

impl Mismatch {
    /// What is wrong; `next` is the line behind the one that does not follow.
    pub fn explain(&self, next: Option<&ChainRow>) -> Finding {
        let (seq, before) = (self.row.seq, self.before);
        let wrong = if seq <= before.0 {
            Wrong::Inserted
        } else if seq > before.0 + 1 {
            return Finding {
                seq: before.0 + 1,
                wrong: Wrong::Missing(seq - 1),
            };
        } else {
            next.map_or(Wrong::Changed, |next| self.compare(next))
        };
        Finding { seq, wrong }
    }

    fn compare(&self, next: &ChainRow) -> Wrong {
        let swapped = |row: &ChainRow, content: &ChainRow| {
            let (Some((_, chain)), Some((line, _))) = (&row.line, &content.line) else {
                return false;
            };
            follow(&self.before.1, &line.digest()) == *chain
        };
        match link(self.before, next) {
            // The next one follows in its place: then this one either follows that one, or nothing.
            Some(behind) if link(behind, &self.row).is_some() => Wrong::Reordered,
            Some(_) => Wrong::Inserted,
            // The places stayed, their contents were exchanged.
            None if swapped(&self.row, next) => Wrong::Reordered,
            None => Wrong::Changed,
        }
    }
}

/// The link of a line that follows `before`, whatever its number is.
fn link(before: Link, row: &ChainRow) -> Option<Link> {
    let (line, chain) = row.line.as_ref()?;
    (follow(&before.1, &line.digest()) == *chain).then_some((row.seq, *chain))
}
