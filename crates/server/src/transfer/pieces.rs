//! A file as pieces, of which each tells of one user: lines, rows, or the elements of a list.

mod elements;
mod lines;
mod rows;

use symbolon_domain::FieldError;

use self::elements::Elements;
use self::lines::Lines;
use self::rows::Rows;
use super::input::Input;
use super::{Place, Unreadable};

/// The most bytes of one piece.
const MOST: usize = 1 << 20;

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// A JSON object a line.
    Lines,
    /// One JSON text: a list, or an object whose member `users` is one.
    Elements,
    /// Comma-separated values, with a header that names the columns.
    Rows,
    /// The same without one.
    BareRows,
}

/// A piece. It is used again for the next one.
#[derive(Default)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// The ends of the fields in `bytes`, where it is a row.
    pub(super) ends: Vec<usize>,
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Whole,
    TooLong,
    Cut,
}

impl Piece {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.state = State::Whole;
    }

    /// Why it cannot be looked into.
    pub(super) fn problem(&self) -> Option<FieldError> {
        let (code, detail) = match self.state {
            State::Whole => return None,
            State::TooLong => (
                "too_long",
                "This is longer than one megabyte: a quote or bracket may not be closed.",
            ),
            State::Cut => ("cut_short", "The file ends before this does."),
        };
        Some(FieldError {
            pointer: String::new(),
            code,
            detail: detail.to_owned(),
        })
    }

    /// The fields of a row.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.bytes.get(*start..*end).unwrap_or_default())
    }
}

pub(super) enum Pieces {
    Lines(Lines),
    Elements(Elements),
    Rows(Box<Rows>),
}

impl Pieces {
    pub(super) fn open(input: Input, layout: Layout) -> Result<Self, Unreadable> {
        Ok(match layout {
            Layout::Lines => Self::Lines(Lines::new(input)),
            Layout::Elements => Self::Elements(Elements::open(input)?),
            Layout::Rows => Self::Rows(Box::new(Rows::open(input, true)?)),
            Layout::BareRows => Self::Rows(Box::new(Rows::open(input, false)?)),
        })
    }

    pub(super) fn empty(&self) -> Piece {
        Piece::default()
    }

    /// The names of the columns, where the file has some.
    pub(super) fn header(&self) -> &[String] {
        match self {
            Self::Rows(rows) => rows.header(),
            _ => &[],
        }
    }

    /// Reads the next piece, and returns its number.
    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<Option<u64>, Unreadable> {
        piece.clear();
        match self {
            Self::Lines(lines) => lines.next(piece),
            Self::Elements(elements) => elements.next(piece),
            Self::Rows(rows) => rows.next(piece),
        }
    }

    pub(super) fn place(&self) -> Place {
        let (input, number) = match self {
            Self::Lines(lines) => lines.place(),
            Self::Elements(elements) => elements.place(),
            Self::Rows(rows) => rows.place(),
        };
        Place {
            offset: input.offset(),
            number,
            digest: input.digest(),
        }
    }

    pub(super) fn skip_to(&mut self, place: &Place) -> Result<(), Unreadable> {
        let input = match self {
            Self::Lines(lines) => lines.go_on(place.number),
            Self::Elements(elements) => elements.go_on(place.number),
            Self::Rows(rows) => rows.go_on(place.number),
        };
        input.skip_to(place.offset)?;
        if input.digest() == place.digest {
            Ok(())
        } else {
            Err(Unreadable(
                "This is not the file that an earlier run has begun to read: its beginning differs."
                    .to_owned(),
            ))
        }
    }
}
