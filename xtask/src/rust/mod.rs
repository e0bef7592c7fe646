//! As much of Rust's grammar as the checks need: words, paths, what is test code, string literals.

mod lex;
mod paths;

pub(crate) use lex::{Kind, Token, tokens};
pub(crate) use paths::{Found, paths};

/// Parts of a file: what ships, and what is compiled for tests only.
pub(crate) struct Parts<'a> {
    pub(crate) shipped: Vec<Token<'a>>,
    pub(crate) tests: Vec<Token<'a>>,
}

/// Takes the items under `#[cfg(test)]` and `#[test]` out of the rest.
pub(crate) fn parts<'a>(tokens: &[Token<'a>]) -> Parts<'a> {
    let mut parts = Parts {
        shipped: Vec::new(),
        tests: Vec::new(),
    };
    let mut at = 0;
    while at < tokens.len() {
        match attribute_end(tokens, at) {
            Some(end) if is_test_attribute(&tokens[at..end]) => {
                let end = item_end(tokens, end);
                parts.tests.extend_from_slice(&tokens[at..end]);
                at = end;
            }
            _ => {
                parts.shipped.push(tokens[at]);
                at += 1;
            }
        }
    }
    parts
}

/// Every attribute of the file, as the tokens between its brackets.
pub(crate) fn attributes<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.is("#")
            && let Some(end) = attribute_end(tokens, at)
        {
            found.push(&tokens[at + 1..end]);
        }
    }
    found
}

/// The place after `#[…]` or `#![…]`, if one begins here.
fn attribute_end(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    if !tokens.get(at)?.is("#") {
        return None;
    }
    let bracket = if tokens.get(at + 1)?.is("!") {
        at + 2
    } else {
        at + 1
    };
    tokens
        .get(bracket)?
        .is("[")
        .then(|| group_end(tokens, bracket))
}

fn is_test_attribute(attribute: &[Token<'_>]) -> bool {
    if attribute.get(1).is_some_and(|token| token.is("!")) {
        return false;
    }
    let words: Vec<&str> = attribute
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text)
        .collect();
    match words.as_slice() {
        ["cfg", rest @ ..] => rest.contains(&"test") && !rest.contains(&"not"),
        [.., last] => *last == "test",
        [] => false,
    }
}

/// The place after the item that begins here, further attributes included: after its `;`, after its
/// closing brace, or after the comma of a field or variant.
fn item_end(tokens: &[Token<'_>], mut at: usize) -> usize {
    while let Some(end) = attribute_end(tokens, at) {
        at = end;
    }
    let shape = shape(&tokens[at..]);
    while let Some(token) = tokens.get(at) {
        match token.text {
            _ if token.kind == Kind::Text => at += 1,
            ";" => return at + 1,
            "," if shape == Shape::Field => return at + 1,
            "}" => return at,
            "{" => {
                at = group_end(tokens, at);
                if shape == Shape::Braced {
                    return at;
                }
            }
            "(" | "[" => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// What ends an item.
#[derive(PartialEq)]
enum Shape {
    /// A `;`, whatever braces come before it.
    Statement,
    /// Its closing brace, or a `;` before any brace.
    Braced,
    /// A comma, or the brace of what it is in.
    Field,
}

fn shape(item: &[Token<'_>]) -> Shape {
    let words: Vec<&str> = item
        .iter()
        .filter(|token| {
            token.kind == Kind::Word && !["pub", "crate", "super"].contains(&token.text)
        })
        .map(|token| token.text)
        .take(2)
        .collect();
    match words.as_slice() {
        ["const", "fn" | "unsafe" | "async" | "extern"] => Shape::Braced,
        ["use" | "const" | "static" | "let" | "type", ..] => Shape::Statement,
        [
            "fn" | "mod" | "struct" | "enum" | "impl" | "trait" | "async" | "unsafe" | "extern",
            ..,
        ] => Shape::Braced,
        _ => Shape::Field,
    }
}

/// The place after the bracket that closes the one here.
fn group_end(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.kind != Kind::Punct {
            continue;
        }
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests;
