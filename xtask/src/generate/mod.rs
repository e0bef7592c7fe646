//! `cargo xtask gen`: the committed files that are made from the program itself.

mod example;
mod openapi;
mod postman;
mod vectors;

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::check::Finding;
use crate::workspace::Workspace;
use crate::{run, say};

pub(crate) const OPENAPI: &str = "docs/openapi.json";

struct Generated {
    file: &'static str,
    text: String,
}

type Step = fn(&Workspace) -> Result<Vec<Generated>>;

/// The vectors first: they need no program that can be built.
const STEPS: &[Step] = &[guard_vectors, said_by_the_program];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for step in STEPS {
        for generated in step(workspace)? {
            write(workspace, generated)?;
        }
    }
    Ok(())
}

fn write(workspace: &Workspace, Generated { file, text }: Generated) -> Result<()> {
    if workspace.text(file).ok().flatten().as_ref() == Some(&text) {
        say::line(&format!("{file}: fresh"));
        return Ok(());
    }
    let path = workspace.root.join(file);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {file}"))?;
    say::line(&format!("{file}: written"));
    Ok(())
}

/// The generated files that are not what `cargo xtask gen` would write, and what is wrong with the API's document.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut generated = Vec::new();
    for step in STEPS {
        generated.extend(step(workspace)?);
    }
    let mut findings = Vec::new();
    for Generated { file, text } in generated {
        if file == OPENAPI {
            findings.extend(openapi::faults(&serde_json::from_str(&text)?));
        }
        if workspace.text(file).ok().flatten().as_ref() != Some(&text) {
            findings.push(Finding::new(
                file,
                "is not what the code says: run `cargo xtask gen` and commit",
            ));
        }
    }
    Ok(findings)
}

fn guard_vectors(workspace: &Workspace) -> Result<Vec<Generated>> {
    let existing = workspace.text(vectors::FILE).ok().flatten();
    Ok(vec![Generated {
        file: vectors::FILE,
        text: vectors::vectors(existing.as_deref())?,
    }])
}

fn said_by_the_program(workspace: &Workspace) -> Result<Vec<Generated>> {
    run::shown(&mut run::cargo(
        &workspace.root,
        &["build", "--quiet", "-p", "symbolon"],
    ))?;
    let program = workspace.target()?.join("debug").join("symbolon");
    let said = |args: &[&str]| {
        let text = run::captured(
            Command::new(&program)
                .args(args)
                .current_dir(&workspace.root),
        )?;
        anyhow::Ok(format!("{}\n", text.trim_end()))
    };
    let openapi = said(&["openapi"])?;
    let document: Value =
        serde_json::from_str(&openapi).context("`symbolon openapi` wrote no JSON")?;
    let postman = serde_json::to_string_pretty(&postman::collection(&document)?)?;
    Ok(vec![
        Generated {
            file: OPENAPI,
            text: openapi,
        },
        Generated {
            file: "docs/postman.json",
            text: format!("{postman}\n"),
        },
        Generated {
            file: "docs/configuration.md",
            text: said(&["config", "reference"])?,
        },
    ])
}
