//! Server-sent events as they arrive, in pieces: no line and no event is ever held as a whole.

/// The longest name of a field, of an event, or id.
const LONGEST_WORD: usize = 256;

/// A part of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// The value of a field `event`.
    Name(&'a [u8]),
    /// The value of a field `id`.
    Id(&'a [u8]),
    /// A piece of the data; pieces are to be joined.
    Data(&'a [u8]),
    /// The blank line.
    End,
}

/// A word is longer than any that the feed has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Event,
    Id,
    Data,
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the name of a field, which is in `word`.
    Name,
    /// In its value, at the very beginning of which one space is cut off.
    Value { field: Field, began: bool },
}

/// Cuts a stream of bytes into [`Part`]s. Lines end in LF, CR or CRLF; comments and unknown fields are left out.
#[derive(Debug)]
pub(crate) struct Events {
    at: At,
    word: Vec<u8>,
    /// Whether the last byte was a CR, so that an LF belongs to it.
    after_cr: bool,
    /// Whether the event has a line of data already.
    has_data: bool,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self {
            at: At::Name,
            word: Vec::new(),
            after_cr: false,
            has_data: false,
        }
    }

    /// Takes the next bytes and hands out what they complete.
    pub(crate) fn read<E: From<TooLong>>(
        &mut self,
        mut bytes: &[u8],
        mut hand_out: impl FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some((&first, rest)) = bytes.split_first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = rest;
                continue;
            }
            match self.at {
                At::Name => {
                    bytes = rest;
                    match first {
                        b':' => self.enter_value(&mut hand_out)?,
                        b'\r' | b'\n' => self.end_name(first, &mut hand_out)?,
                        _ => self.keep(&[first])?,
                    }
                }
                At::Value {
                    field,
                    began: false,
                } => {
                    self.at = At::Value { field, began: true };
                    if first == b' ' {
                        bytes = rest;
                    }
                }
                At::Value { field, began: true } => {
                    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
                    let end = bytes.iter().position(is_end).unwrap_or(bytes.len());
                    let (piece, rest) = bytes.split_at(end);
                    bytes = rest;
                    match field {
                        Field::Data if !piece.is_empty() => hand_out(Part::Data(piece))?,
                        Field::Event | Field::Id => self.keep(piece)?,
                        Field::Data | Field::Ignored => {}
                    }
                    if let Some((&ending, rest)) = bytes.split_first() {
                        bytes = rest;
                        self.after_cr = ending == b'\r';
                        self.end_value(field, &mut hand_out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), TooLong> {
        self.word.extend_from_slice(piece);
        if self.word.len() > LONGEST_WORD {
            return Err(TooLong);
        }
        Ok(())
    }

    fn enter_value<E>(
        &mut self,
        hand_out: &mut impl FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let field = match self.word.as_slice() {
            b"event" => Field::Event,
            b"id" => Field::Id,
            b"data" => Field::Data,
            _ => Field::Ignored,
        };
        self.word.clear();
        self.at = At::Value {
            field,
            began: false,
        };
        if field == Field::Data && std::mem::replace(&mut self.has_data, true) {
            hand_out(Part::Data(b"\n"))?;
        }
        Ok(())
    }

    /// The line ended before a colon: a blank line, or a field without a value.
    fn end_name<E>(
        &mut self,
        ending: u8,
        hand_out: &mut impl FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.after_cr = ending == b'\r';
        if self.word.is_empty() {
            self.has_data = false;
            return hand_out(Part::End);
        }
        self.enter_value(hand_out)?;
        let At::Value { field, .. } = self.at else {
            return Ok(());
        };
        self.end_value(field, hand_out)
    }

    fn end_value<E>(
        &mut self,
        field: Field,
        hand_out: &mut impl FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at = At::Name;
        let told = match field {
            Field::Event => hand_out(Part::Name(&self.word)),
            Field::Id => hand_out(Part::Id(&self.word)),
            Field::Data | Field::Ignored => Ok(()),
        };
        self.word.clear();
        told
    }
}

#[cfg(test)]
mod tests;
