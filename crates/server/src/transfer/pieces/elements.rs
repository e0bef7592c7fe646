//! The elements of a list in one JSON text that need not fit into memory: only where each begins and ends is told
//! here, by its brackets and quotes. What an element says, and whether it is JSON at all, is for whoever reads it.

use std::io::BufRead;

use super::{MOST, Piece, State};
use crate::transfer::Unreadable;
use crate::transfer::input::Input;

/// The member that holds the users, in the exports of Keycloak and Firebase.
const MEMBER: &[u8] = b"\"users\"";
/// The longest name of a member that is looked at.
const MOST_NAME: usize = 1024;

pub(crate) struct Elements {
    input: Input,
    /// How many elements were read.
    number: u64,
    ended: bool,
}

/// Where in a value the last byte was.
#[derive(Default)]
struct Scan {
    depth: u32,
    in_text: bool,
    escaped: bool,
    /// A number, `true`, `null`: it ends where something else begins.
    bare: bool,
}

impl Scan {
    /// Takes a byte; true when it is the last one of the value.
    fn ends_with(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                // One too many: it stands for itself, so that what follows is not lost with it.
                b',' if self.depth == 0 => return true,
                _ if self.depth == 0 => self.bare = true,
                _ => {}
            }
        }
        self.depth == 0 && !self.in_text && !self.bare
    }
}

impl Elements {
    /// Passes over what comes before the list.
    pub(super) fn open(input: Input) -> Result<Self, Unreadable> {
        let mut elements = Self {
            input,
            number: 0,
            ended: false,
        };
        match elements.next_byte()? {
            Some(b'[') => elements.input.consume(1),
            Some(b'{') => {
                elements.input.consume(1);
                elements.find_users()?;
            }
            _ => return Err(no_list()),
        }
        Ok(elements)
    }

    fn find_users(&mut self) -> Result<(), Unreadable> {
        let mut name = Vec::new();
        loop {
            match self.next_byte()? {
                Some(b',') => self.input.consume(1),
                Some(b'"') => {
                    name.clear();
                    self.value(Some((&mut name, MOST_NAME)))?;
                    if self.next_byte()? != Some(b':') {
                        return Err(no_list());
                    }
                    self.input.consume(1);
                    let begins = self.next_byte()?;
                    if name == MEMBER && begins == Some(b'[') {
                        self.input.consume(1);
                        return Ok(());
                    }
                    self.value(None)?;
                }
                _ => return Err(no_list()),
            }
        }
    }

    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<Option<u64>, Unreadable> {
        if self.ended {
            return Ok(None);
        }
        let mut begins = self.next_byte()?;
        if begins == Some(b',') && self.number > 0 {
            self.input.consume(1);
            begins = self.next_byte()?;
        }
        if begins == Some(b']') {
            self.ended = true;
            return Ok(None);
        }
        self.number += 1;
        piece.state = self.value(Some((&mut piece.bytes, MOST)))?;
        self.ended = piece.state == State::Cut;
        Ok(Some(self.number))
    }

    /// Reads a value, of which up to so many bytes are kept.
    fn value(&mut self, mut kept: Option<(&mut Vec<u8>, usize)>) -> Result<State, Unreadable> {
        let mut scan = Scan::default();
        let mut state = State::Whole;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(State::Cut);
            }
            let mut ended = false;
            let mut taken = 0;
            for byte in buffer {
                let is_next = matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                if scan.bare && is_next {
                    ended = true;
                    break;
                }
                taken += 1;
                if scan.ends_with(*byte) {
                    ended = true;
                    break;
                }
            }
            if let Some((into, most)) = &mut kept {
                if into.len() + taken <= *most {
                    into.extend_from_slice(&buffer[..taken]);
                } else {
                    state = State::TooLong;
                }
            }
            self.input.consume(taken);
            if ended {
                return Ok(state);
            }
        }
    }

    /// The next byte that is no white space; it stays to be read.
    fn next_byte(&mut self) -> Result<Option<u8>, Unreadable> {
        loop {
            let buffer = self.input.fill_buf()?;
            let blank = buffer
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            let found = buffer.get(blank).copied();
            let is_empty = buffer.is_empty();
            self.input.consume(blank);
            if found.is_some() || is_empty {
                return Ok(found);
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

fn no_list() -> Unreadable {
    Unreadable("The file is neither a JSON list nor a JSON object with a list `users`.".to_owned())
}
