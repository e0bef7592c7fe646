use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader};

use super::{MOST, Piece, State};
use crate::transfer::Unreadable;
use crate::transfer::input::Input;

/// The most columns.
const MOST_COLUMNS: usize = 512;
/// Room for a usual row.
const ROOM: usize = 4096;

/// Rows of comma-separated values (RFC 4180); blank lines are passed over.
pub(crate) struct Rows {
    input: Input,
    reader: Reader,
    header: Vec<String>,
}

impl Rows {
    pub(super) fn open(input: Input, has_header: bool) -> Result<Self, Unreadable> {
        let mut rows = Self {
            input,
            reader: Reader::new(),
            header: Vec::new(),
        };
        if has_header {
            let mut first = Piece::default();
            if rows.next(&mut first)?.is_none() || first.problem().is_some() {
                return Err(Unreadable(
                    "The file has no header: its first line is to name the columns.".to_owned(),
                ));
            }
            rows.header = first
                .fields()
                .map(|field| String::from_utf8_lossy(field).trim().to_owned())
                .collect();
            let mut names = rows.header.clone();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(Unreadable("The header names a column twice.".to_owned()));
            }
        }
        Ok(rows)
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<Option<u64>, Unreadable> {
        self.pass_blank_lines()?;
        let number = self.reader.line();
        let (mut written, mut columns) = (0, 0);
        piece.bytes.resize(ROOM, 0);
        piece.ends.resize(MOST_COLUMNS, 0);
        loop {
            let input = self.input.fill_buf()?;
            let at_end = input.is_empty();
            let (result, read, out, ends) = self.reader.read_record(
                input,
                &mut piece.bytes[written..],
                &mut piece.ends[columns..],
            );
            self.input.consume(read);
            written += out;
            columns += ends;
            match result {
                ReadRecordResult::InputEmpty if at_end && written == 0 && columns == 0 => {
                    return Ok(None);
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if piece.bytes.len() < MOST => {
                    let room = (piece.bytes.len() * 2).min(MOST);
                    piece.bytes.resize(room, 0);
                }
                ReadRecordResult::OutputFull => {
                    piece.state = State::TooLong;
                    written = 0;
                }
                ReadRecordResult::OutputEndsFull => {
                    piece.state = State::TooLong;
                    columns = 0;
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        piece.bytes.truncate(written);
        piece.ends.truncate(columns);
        Ok(Some(number))
    }

    /// The parser would count them to the row that follows.
    fn pass_blank_lines(&mut self) -> Result<(), Unreadable> {
        loop {
            let buffer = self.input.fill_buf()?;
            let blank = buffer
                .iter()
                .take_while(|byte| matches!(byte, b'\n' | b'\r'))
                .count();
            if blank == 0 {
                return Ok(());
            }
            let lines = buffer[..blank].iter().filter(|byte| **byte == b'\n');
            let line = self.reader.line() + lines.count() as u64;
            self.reader.set_line(line);
            self.input.consume(blank);
        }
    }

    pub(super) fn place(&self) -> (&Input, u64) {
        (&self.input, self.reader.line())
    }

    pub(super) fn go_on(&mut self, number: u64) -> &mut Input {
        self.reader.set_line(number);
        &mut self.input
    }
}
