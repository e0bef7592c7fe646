//! Cuts a source file into words, string literals and punctuation; comments are dropped.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// An identifier, a keyword, a number or a lifetime's name.
    Word,
    /// A string literal of any kind, without its quotes, escapes left as they are.
    Text,
    /// `::`
    PathSeparator,
    /// Any other single character.
    Punct,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// From 1.
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether this is that word or that punctuation; never true of a string literal.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
}

pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        rest: source,
        line: 1,
        found: Vec::new(),
    };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) {
        let rest = self.rest;
        if let Some(first) = rest.chars().next()
            && first.is_whitespace()
        {
            self.skip(first.len_utf8());
        } else if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.skip(block_comment(rest));
        } else if let Some((prefix, hashes)) = raw_string(rest) {
            let start = prefix + hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            let body = rest[start..].find(&end).unwrap_or(rest.len() - start);
            self.text(start, body, end.len());
        } else if let Some(start) = string_prefix(rest) {
            self.text(start, string_body(&rest[start..], '"'), 1);
        } else if let Some(length) = char_literal(rest) {
            self.skip(length);
        } else if rest.starts_with("::") {
            self.push(Kind::PathSeparator, 2);
        } else {
            self.word_or_punct();
        }
    }

    fn word_or_punct(&mut self) {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let raw = if self.rest.starts_with("r#") { 2 } else { 0 };
        let length = self.rest[raw..]
            .find(|c| !word(c))
            .unwrap_or(self.rest.len() - raw);
        if length > 0 {
            self.rest = &self.rest[raw..];
            self.push(Kind::Word, length);
        } else {
            let length = self.rest.chars().next().map_or(1, char::len_utf8);
            self.push(Kind::Punct, length);
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = &self.rest[..length];
        self.found.push(Token {
            kind,
            text,
            line: self.line,
        });
        self.skip(length);
    }

    fn text(&mut self, start: usize, body: usize, end: usize) {
        self.skip(start);
        self.push(Kind::Text, body);
        self.skip(end.min(self.rest.len()));
    }

    fn skip(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the prefix (`r`, `br`, `cr`) and the number of `#`, if a raw string begins here.
fn raw_string(rest: &str) -> Option<(usize, usize)> {
    let prefix = ["r", "br", "cr"]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..]
        .starts_with('"')
        .then_some((prefix.len(), hashes))
}

/// The length of `"`, `b"` or `c"`, if a string begins here.
fn string_prefix(rest: &str) -> Option<usize> {
    ["\"", "b\"", "c\""]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))
        .map(str::len)
}

/// The length up to the closing quote, escaped ones passed over.
fn string_body(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; a lifetime (`'a` with no quote after it) is none.
fn char_literal(rest: &str) -> Option<usize> {
    let start = if rest.starts_with("b'") { 2 } else { 1 };
    if start == 1 && !rest.starts_with('\'') {
        return None;
    }
    let mut inside = rest[start..].chars();
    let first = inside.next()?;
    if first == '\\' {
        return Some(start + string_body(&rest[start..], '\'') + 1);
    }
    inside
        .as_str()
        .starts_with('\'')
        .then(|| start + first.len_utf8() + 1)
}
