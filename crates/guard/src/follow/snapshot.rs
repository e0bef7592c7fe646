//! A snapshot as it arrives: a million entries are 130 MB of JSON, of which one entry at a time is held.
//!
//! The scanner cuts the objects out of the array `entries` and hands each to the reader of entries. What is left, with
//! an empty array in the place of the full one, is the frame; it is read when all has come.

use serde::Deserialize;

use crate::entry::Entry;

use super::wire;

/// The longest entry, in bytes of JSON.
const LONGEST_ENTRY: usize = 1024;
/// The longest frame.
const LONGEST_FRAME: usize = 16 * 1024;

/// The members of a snapshot beside its entries.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) epoch: String,
    pub(crate) seq: u64,
    pub(crate) now: i64,
    /// The scanner has taken them out. Were they under a name that it does not recognise, this refuses them.
    entries: [(); 0],
}

/// What makes a snapshot unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One of its entries.
    Entry,
    /// Anything else.
    Frame,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Outside of the entries.
    Frame,
    /// Among the entries, where one of these may come.
    EntryOrEnd,
    CommaOrEnd,
    Entry,
    InEntry,
}

#[derive(Debug)]
pub(crate) struct Scanner {
    at: At,
    /// How many brackets are open, in the frame or in an entry.
    depth: u32,
    in_string: bool,
    escaped: bool,
    frame: Vec<u8>,
    entry: Vec<u8>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            at: At::Frame,
            depth: 0,
            in_string: false,
            escaped: false,
            frame: Vec::new(),
            entry: Vec::with_capacity(LONGEST_ENTRY),
        }
    }

    /// Takes the next bytes and hands out the entries that they complete.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        mut hand_out: impl FnMut(Entry),
    ) -> Result<(), Fault> {
        for &byte in bytes {
            match self.at {
                At::InEntry => {
                    self.keep_entry(byte)?;
                    if self.step(byte) && self.depth == 0 {
                        hand_out(wire::entry(&self.entry).map_err(|_| Fault::Entry)?.1);
                        self.entry.clear();
                        self.at = At::CommaOrEnd;
                    }
                }
                At::Frame => self.frame(byte)?,
                At::EntryOrEnd | At::CommaOrEnd | At::Entry => self.between(byte)?,
            }
        }
        Ok(())
    }

    /// The frame, if the snapshot is complete.
    pub(crate) fn finish(&self) -> Result<Frame, Fault> {
        if self.at != At::Frame {
            return Err(Fault::Frame);
        }
        serde_json::from_slice(&self.frame).map_err(|_| Fault::Frame)
    }

    fn frame(&mut self, byte: u8) -> Result<(), Fault> {
        let opens = byte == b'[' && !self.in_string && self.depth == 1 && self.is_before_entries();
        self.frame.push(byte);
        if self.frame.len() > LONGEST_FRAME {
            return Err(Fault::Frame);
        }
        if opens {
            self.at = At::EntryOrEnd;
            // The bracket that ends them is counted neither.
            return Ok(());
        }
        self.step(byte);
        Ok(())
    }

    /// Whether the frame ends in `"entries":`, as a name and not as a text.
    fn is_before_entries(&self) -> bool {
        let before = self.frame.trim_ascii_end().strip_suffix(b":");
        let before = before.and_then(|rest| rest.trim_ascii_end().strip_suffix(b"\"entries\""));
        before.is_some_and(|rest| matches!(rest.trim_ascii_end().last(), Some(b'{' | b',')))
    }

    fn between(&mut self, byte: u8) -> Result<(), Fault> {
        match (byte, self.at) {
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            (b'{', At::EntryOrEnd | At::Entry) => {
                self.keep_entry(byte)?;
                self.depth = 1;
                self.at = At::InEntry;
            }
            (b',', At::CommaOrEnd) => self.at = At::Entry,
            (b']', At::EntryOrEnd | At::CommaOrEnd) => {
                self.frame.push(byte);
                self.depth = 1;
                self.at = At::Frame;
            }
            (_, At::EntryOrEnd | At::Entry) => return Err(Fault::Entry),
            _ => return Err(Fault::Frame),
        }
        Ok(())
    }

    fn keep_entry(&mut self, byte: u8) -> Result<(), Fault> {
        self.entry.push(byte);
        match self.entry.len() > LONGEST_ENTRY {
            true => Err(Fault::Entry),
            false => Ok(()),
        }
    }

    /// Counts brackets outside of strings; whether this byte closed one.
    fn step(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return true;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests;
