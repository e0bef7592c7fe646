//! The paths that a file names, `use` trees unfolded.

use super::{Kind, Token};

/// A path as written, a leading `::` cut, a glob as a last `*`.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// From a `use` declaration, where one segment alone names a crate too.
    pub(crate) imported: bool,
}

pub(crate) fn paths(tokens: &[Token<'_>]) -> Vec<Found> {
    let mut reader = Reader {
        tokens,
        at: 0,
        found: Vec::new(),
    };
    while let Some(token) = tokens.get(reader.at) {
        if token.is("use") && !reader.next_is(1, "<") {
            reader.at += 1;
            reader.tree(&mut Vec::new());
        } else if token.kind == Kind::Word && !reader.previous_is(".") {
            reader.expression();
        } else {
            reader.at += 1;
        }
    }
    reader.found
}

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    found: Vec<Found>,
}

impl Reader<'_, '_> {
    /// `a::b::{c, d as e, f::*}`, up to the `;`, `,` or `}` that ends it.
    fn tree(&mut self, prefix: &mut Vec<String>) {
        let depth = prefix.len();
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.text {
                "{" => {
                    self.branches(prefix);
                    prefix.truncate(depth);
                    return;
                }
                "as" => self.at += 1,
                ";" | "," | "}" => {
                    self.at -= 1;
                    break;
                }
                "*" => prefix.push("*".to_owned()),
                _ if token.kind == Kind::Word => prefix.push(token.text.to_owned()),
                _ => {}
            }
        }
        let line = self
            .tokens
            .get(self.at.saturating_sub(1))
            .map_or(0, |token| token.line);
        if prefix.last().is_some_and(|last| last == "self") {
            prefix.pop();
        }
        self.push(prefix.clone(), line, true);
        prefix.truncate(depth);
    }

    fn branches(&mut self, prefix: &mut Vec<String>) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                _ => self.tree(prefix),
            }
        }
    }

    /// `a::b::c` anywhere else; generic arguments end it and are read on their own.
    fn expression(&mut self) {
        let Some(first) = self.tokens.get(self.at) else {
            return;
        };
        let mut segments = vec![first.text.to_owned()];
        self.at += 1;
        while self.next_is(0, "::")
            && let Some(next) = self.tokens.get(self.at + 1)
            && next.kind == Kind::Word
        {
            segments.push(next.text.to_owned());
            self.at += 2;
        }
        self.push(segments, first.line, false);
    }

    fn push(&mut self, segments: Vec<String>, line: usize, imported: bool) {
        if !segments.is_empty() {
            self.found.push(Found {
                segments,
                line,
                imported,
            });
        }
    }

    fn next_is(&self, ahead: usize, text: &str) -> bool {
        self.tokens
            .get(self.at + ahead)
            .is_some_and(|token| token.is(text))
    }

    fn previous_is(&self, text: &str) -> bool {
        self.at > 0
            && self
                .tokens
                .get(self.at - 1)
                .is_some_and(|token| token.is(text))
    }
}
