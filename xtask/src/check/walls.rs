//! No import crosses a wall of the house.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Finding;
use super::rooms::{ROOMS, Room};
use crate::rust::{Found, Kind, Token, parts, paths, tokens};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files()? {
        if file.ends_with(".rs")
            && !is_test(&file)
            && ROOMS.iter().any(|room| room.holds(&file))
            && let Some(source) = workspace.text(&file)?
        {
            findings.extend(source_findings(&file, &source));
        }
    }
    findings.extend(dependency_findings(&workspace.metadata()?)?);
    Ok(findings)
}

/// Whether the whole file is compiled for tests only, by its name.
pub(super) fn is_test(file: &str) -> bool {
    file.contains("/tests/")
        || file.ends_with("/tests.rs")
        || file.ends_with("_tests.rs")
        || file.contains("/benches/")
}

fn source_findings(file: &str, source: &str) -> Vec<Finding> {
    let tokens = tokens(source);
    let shipped = parts(&tokens).shipped;
    let module = module(file);
    let mut findings = Vec::new();
    for room in ROOMS.iter().filter(|room| room.holds(file)) {
        let mut say = |line: usize, what: &str| {
            findings.push(Finding::new(
                format!("{file}:{line}"),
                format!("{} must not see {what}", room.name),
            ));
        };
        for path in paths(&shipped) {
            if let Some(what) = room.refuses(&path, &module) {
                say(path.line, &what);
            }
        }
        for (line, field) in fields(&shipped) {
            if room.fields.contains(&field) {
                say(line, &format!("the field `{field}`"));
            }
        }
        if !room.sql {
            for token in shipped.iter().filter(|token| is_sql(token)) {
                say(token.line, "SQL");
            }
        }
    }
    findings.dedup();
    findings
}

impl Room {
    fn holds(&self, file: &str) -> bool {
        self.within.iter().any(|place| {
            file.strip_prefix(place)
                .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
        })
    }

    /// What the path names that this room must not see.
    fn refuses(&self, path: &Found, module: &[&str]) -> Option<String> {
        let written = path.segments.join("::");
        if let Some(name) = path
            .segments
            .iter()
            .find(|name| self.names.contains(&name.as_str()))
        {
            return Some(format!("`{name}` (in `{written}`)"));
        }
        if !path.imported && path.segments.len() == 1 {
            return None; // A variable or a field may have any name.
        }
        let full = absolute(&path.segments, module);
        let root = full.first().copied().unwrap_or_default();
        let foreign = self
            .ours
            .is_some_and(|ours| is_ours(root) && !ours.contains(&root));
        let refused = self
            .paths
            .iter()
            .copied()
            .flatten()
            .any(|refused| full.starts_with(refused));
        (foreign || refused).then(|| format!("`{written}`"))
    }
}

fn is_ours(krate: &str) -> bool {
    krate == "symbolon" || krate.starts_with("symbolon_")
}

/// The module of a file below its crate's `src`.
fn module(file: &str) -> Vec<&str> {
    let inside = file.split_once("/src/").map_or(file, |(_, inside)| inside);
    let mut module: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    if let Some("mod" | "lib" | "main") = module.last().copied() {
        module.pop();
    }
    module
}

/// The path with `self` and `super` replaced by what they stand for.
fn absolute<'a>(segments: &'a [String], module: &[&'a str]) -> Vec<&'a str> {
    let mut rest = segments.iter().map(String::as_str).peekable();
    let mut full: Vec<&str> = Vec::new();
    if let Some("self" | "super") = rest.peek().copied() {
        full.push("crate");
        full.extend(module);
    }
    while let Some(step @ ("self" | "super")) = rest.peek().copied() {
        if step == "super" && full.len() > 1 {
            full.pop();
        }
        rest.next();
    }
    full.extend(rest);
    full
}

/// `.name` that is no call.
fn fields<'a>(tokens: &[Token<'a>]) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for at in 0..tokens.len().saturating_sub(1) {
        let (dot, name) = (tokens[at], tokens[at + 1]);
        let called = tokens.get(at + 2).is_some_and(|next| next.is("("));
        if dot.is(".") && name.kind == Kind::Word && !called {
            found.push((name.line, name.text));
        }
    }
    found
}

fn is_sql(token: &Token<'_>) -> bool {
    const OPENINGS: &[&str] = &[
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "DELETE FROM ",
        "CREATE TABLE",
        "CREATE INDEX",
        "ALTER TABLE",
        "DROP TABLE",
        "PRAGMA ",
    ];
    if token.kind != Kind::Text {
        return false;
    }
    let text = token.text.replace(['\n', '\\'], " ");
    let text = text.trim_start();
    OPENINGS.iter().any(|opening| text.starts_with(opening))
        || (text.starts_with("UPDATE ") && text.contains(" SET "))
}

fn dependency_findings(metadata: &Value) -> Result<Vec<Finding>> {
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata names no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = package
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(room) = ROOMS.iter().find(|room| room.package == Some(name)) else {
            continue;
        };
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            let krate = dependency
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .replace('-', "_");
            let path = Found {
                segments: vec![krate],
                line: 0,
                imported: true,
            };
            if !is_dev && let Some(what) = room.refuses(&path, &[]) {
                findings.push(Finding::new(
                    name,
                    format!("{} must not depend on {what}", room.name),
                ));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests;
