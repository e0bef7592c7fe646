//! The habits of the house that no compiler holds.

use anyhow::{Context as _, Result};

use super::Finding;
use super::walls::is_test;
use crate::rust::{Kind, Token, attributes, parts, tokens};
use crate::workspace::Workspace;

/// A file is read from top to bottom; past this it is two files.
const LONGEST_FILE: usize = 500;
const SOURCES: &[&str] = &[".rs", ".ts", ".js", ".mjs", ".py", ".css", ".sh"];
/// Made by a tool or by others.
const NOT_OURS: &[&str] = &["/vendor/", "/generated/", "/swagger-ui/", "/dist/"];
const PUBLISHED: &[&str] = &[
    "crates/token/src/lib.rs",
    "crates/guard/src/lib.rs",
    "crates/client/src/lib.rs",
];
/// Words that name nothing (`FooManager`, `user_utils`).
const EMPTY_WORDS: &[&str] = &[
    "service",
    "services",
    "manager",
    "managers",
    "helper",
    "helpers",
    "util",
    "utils",
    "utility",
    "utilities",
];
/// Folders of a developer's machine. Cut in two, so that this file does not name them.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers"),
];

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files()? {
        let Some(text) = workspace.text(&file)? else {
            continue;
        };
        if NOT_OURS
            .iter()
            .any(|part| format!("/{file}").contains(part))
        {
            continue;
        }
        findings.extend(machine_paths(&file, &text));
        findings.extend(length(&file, &text));
        findings.extend(file_name(&file));
        if file.ends_with(".rs") {
            findings.extend(rust(&file, &text));
        }
        if file.ends_with("Cargo.toml") {
            findings.extend(manifest(&file, &text)?);
        }
    }
    Ok(findings)
}

fn machine_paths(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(path) = MACHINE_PATHS.iter().find(|path| line.contains(**path)) {
            let at = format!("{file}:{}", number + 1);
            findings.push(Finding::new(
                at,
                format!("`{path}` is a path of one machine"),
            ));
        }
    }
    findings
}

fn length(file: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let counts = SOURCES.iter().any(|end| file.ends_with(end)) && !is_test(&format!("/{file}"));
    (counts && lines > LONGEST_FILE).then(|| {
        Finding::new(
            file,
            format!("{lines} lines; a file stops at {LONGEST_FILE}"),
        )
    })
}

fn file_name(file: &str) -> Option<Finding> {
    if !SOURCES.iter().any(|end| file.ends_with(end)) {
        return None;
    }
    let word = file
        .trim_end_matches(".rs")
        .split('/')
        .find_map(empty_word)?;
    Some(Finding::new(
        file,
        format!("`{word}` names nothing: say what it does"),
    ))
}

fn rust(file: &str, source: &str) -> Vec<Finding> {
    let all = tokens(source);
    let mut findings = Vec::new();
    let mut say =
        |line: usize, what: String| findings.push(Finding::new(format!("{file}:{line}"), what));
    for attribute in attributes(&all) {
        for (line, what) in refused_attribute(attribute) {
            say(line, what);
        }
    }
    for pair in all.windows(2) {
        if let Some(what) = refused_pair(pair[0], pair[1]) {
            say(pair[1].line, what);
        }
    }
    let tests = if is_test(&format!("/{file}")) {
        all.clone()
    } else {
        parts(&all).tests
    };
    for pair in tests.windows(2) {
        if pair[0].is("sleep") && pair[1].is("(") {
            say(
                pair[0].line,
                "a test waits for the event, never for a time".to_owned(),
            );
        }
    }
    for (number, line) in source.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with("//") && line.contains("```ignore") {
            say(
                number + 1,
                "an example is compiled or it is no example".to_owned(),
            );
        }
    }
    if PUBLISHED.contains(&file) && !all.iter().any(|token| token.is("missing_docs")) {
        say(1, "a published crate has #![warn(missing_docs)]".to_owned());
    }
    findings
}

fn refused_attribute(attribute: &[Token<'_>]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let words: Vec<&Token<'_>> = attribute
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .collect();
    let Some(first) = words.first() else {
        return found;
    };
    let heads = if first.is("cfg_attr") {
        words.as_slice()
    } else {
        &words[..1]
    };
    for head in heads {
        match head.text {
            "allow" => found.push((
                head.line,
                "#[expect(…, reason = \"…\")], never #[allow]".to_owned(),
            )),
            "ignore" => found.push((head.line, "a test that is not run is no test".to_owned())),
            _ => {}
        }
    }
    found
}

fn refused_pair(first: Token<'_>, second: Token<'_>) -> Option<String> {
    if first.kind != Kind::Word {
        return None;
    }
    match first.text {
        "todo" | "unimplemented" | "dbg" if second.is("!") => {
            Some(format!("`{}!` is not finished work", first.text))
        }
        "fn" if second.text.starts_with("get_") => Some(format!(
            "`{}`: say `find_`, `list_` or the thing's name, never `get_`",
            second.text
        )),
        // The associated type of `tower::Layer` is named by others.
        "type" if second.is("Service") => None,
        "struct" | "enum" | "trait" | "mod" | "type" => {
            let word = empty_word(second.text)?;
            Some(format!(
                "`{}`: `{word}` names nothing: say what it does",
                second.text
            ))
        }
        _ => None,
    }
}

/// The first of the empty words in a name, however the name is written.
fn empty_word(name: &str) -> Option<&'static str> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c.is_uppercase() || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_alphanumeric()
        {
            word.extend(c.to_lowercase());
        }
    }
    EMPTY_WORDS
        .iter()
        .copied()
        .find(|empty| words.iter().any(|word| word == empty))
}

fn manifest(file: &str, text: &str) -> Result<Vec<Finding>> {
    let manifest: toml::Table =
        toml::from_str(text).with_context(|| format!("cannot read {file}"))?;
    let mut findings = Vec::new();
    let inherits = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(toml::Value::as_bool);
    let is_own_workspace = manifest.contains_key("workspace");
    if manifest.contains_key("package") && !is_own_workspace && inherits != Some(true) {
        findings.push(Finding::new(file, "needs [lints] workspace = true"));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests;
