use super::{Kind, attributes, parts, paths, tokens};

fn words(source: &str) -> Vec<&str> {
    tokens(source)
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text)
        .collect()
}

fn named(source: &str) -> Vec<String> {
    paths(&tokens(source))
        .iter()
        .map(|path| path.segments.join("::"))
        .collect()
}

#[test]
fn comments_strings_and_characters_hold_no_words() {
    let source = r####"
        // axum
        /* axum /* axum */ axum */
        a("axum \" axum", 'x', '"', b'"', '\'', r#"axum " axum"#, b"axum"); fn f<'b>(r#type: &'b str) {}
    "####;
    assert_eq!(words(source), ["a", "fn", "f", "b", "type", "b", "str"]);
}

#[test]
fn string_literals_keep_their_text_and_line() {
    let found = tokens("\n\nx(\"SELECT\n 1\", r\"y\")");
    let texts: Vec<_> = found
        .iter()
        .filter(|token| token.kind == Kind::Text)
        .collect();
    assert_eq!((texts[0].text, texts[0].line), ("SELECT\n 1", 3));
    assert_eq!((texts[1].text, texts[1].line), ("y", 4));
}

#[test]
fn use_trees_are_unfolded() {
    let source =
        "pub(crate) use axum::{self, http::{StatusCode, header::*}, Json as J};\nuse tokio;";
    assert_eq!(
        named(source),
        [
            "pub",
            "crate",
            "axum",
            "axum::http::StatusCode",
            "axum::http::header::*",
            "axum::Json",
            "tokio"
        ]
    );
}

#[test]
fn paths_are_found_where_no_use_names_them() {
    let source =
        "fn f() -> impl Sized + use<> { ::axum::Json(x.axum.y::<tokio::time::Instant>()) }";
    let found = named(source);
    assert!(found.contains(&"axum::Json".to_owned()), "{found:?}");
    assert!(
        found.contains(&"tokio::time::Instant".to_owned()),
        "{found:?}"
    );
    assert!(!found.contains(&"axum".to_owned()), "{found:?}");
}

#[test]
fn test_code_is_taken_out() {
    let source = "
        #[cfg(test)] mod tests;
        #[cfg(test)] use a::{b};
        #[cfg(test)] const C: T = T { d };
        #[cfg(test)] #[rustfmt::skip] mod e { fn f() { g() } }
        #[cfg(not(test))] fn kept() {}
        #[tokio::test] async fn h() {}
        #[cfg(test)] const fn i() {}
        #[cfg(test)] fn j<A, B>() -> impl Iterator<Item = A> { k }
        struct kept2 { #[cfg(test)] l: u8, kept3: u8 }
        fn also_kept() { after() }
    ";
    let found = tokens(source);
    let parts = parts(&found);
    let shipped: Vec<&str> = parts
        .shipped
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text)
        .collect();
    assert_eq!(
        shipped,
        [
            "cfg",
            "not",
            "test",
            "fn",
            "kept",
            "struct",
            "kept2",
            "kept3",
            "u8",
            "fn",
            "also_kept",
            "after"
        ]
    );
    for word in ["tests", "b", "d", "g", "h", "i", "k", "l"] {
        assert!(parts.tests.iter().any(|token| token.is(word)), "{word}");
    }
}

#[test]
fn attributes_are_listed() {
    let found = tokens("#![forbid(unsafe_code)] #[derive(Debug)] struct S; x[0]");
    let firsts: Vec<&str> = attributes(&found)
        .iter()
        .filter_map(|attribute| attribute.iter().find(|token| token.kind == Kind::Word))
        .map(|token| token.text)
        .collect();
    assert_eq!(firsts, ["forbid", "derive"]);
}
