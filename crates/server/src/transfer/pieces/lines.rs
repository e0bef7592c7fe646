use std::io::{BufRead, Read};

use super::{MOST, Piece, State};
use crate::transfer::Unreadable;
use crate::transfer::input::Input;

/// Lines; blank ones are passed over.
pub(crate) struct Lines {
    input: Input,
    /// The line that comes next, from 1 on.
    number: u64,
}

impl Lines {
    pub(super) fn new(input: Input) -> Self {
        Self { input, number: 1 }
    }

    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<Option<u64>, Unreadable> {
        loop {
            piece.clear();
            let mut bounded = (&mut self.input).take(MOST as u64 + 1);
            if bounded.read_until(b'\n', &mut piece.bytes)? == 0 {
                return Ok(None);
            }
            if piece.bytes.len() > MOST && !piece.bytes.ends_with(b"\n") {
                piece.state = State::TooLong;
                self.input.skip_until(b'\n')?;
            }
            self.number += 1;
            if !piece.bytes.trim_ascii().is_empty() {
                return Ok(Some(self.number - 1));
            }
        }
    }

    pub(super) fn place(&self) -> (&Input, u64) {
        (&self.input, self.number)
    }

    pub(super) fn go_on(&mut self, number: u64) -> &mut Input {
        self.number = number;
        &mut self.input
    }
}
