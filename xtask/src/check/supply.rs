//! Licences, banned crates and sources of the whole dependency tree, by the rules of `deny.toml`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Finding, spdx};
use crate::run;
use crate::workspace::Workspace;

const REGISTRY_OF_CARGO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let text = workspace
        .text("deny.toml")?
        .context("deny.toml is not text")?;
    let rules = Rules::read(&text)?;
    let metadata = workspace.metadata()?;
    let packages: Vec<Package<'_>> = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata names no packages")?
        .iter()
        .map(Package::read)
        .collect();
    let mut findings = Vec::new();
    for package in &packages {
        findings.extend(rules.licence(package));
        findings.extend(source(package));
    }
    for package in packages
        .iter()
        .filter(|package| rules.banned.contains_key(package.name))
    {
        findings.extend(rules.ban(package, &dependents(workspace, package)?));
    }
    Ok(findings)
}

#[derive(Debug)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    licence: Option<&'a str>,
    /// `None` for one of ours.
    source: Option<&'a str>,
}

impl<'a> Package<'a> {
    fn read(value: &'a Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        Self {
            name: text("name").unwrap_or_default(),
            version: text("version").unwrap_or_default(),
            licence: text("license"),
            source: text("source"),
        }
    }

    fn finding(&self, says: String) -> Finding {
        Finding::new(format!("{} {}", self.name, self.version), says)
    }
}

struct Rules {
    licences: Vec<String>,
    banned: BTreeMap<String, Ban>,
}

struct Ban {
    reason: String,
    /// Packages that may depend on it all the same.
    wrappers: Vec<String>,
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let file: toml::Table = toml::from_str(text).context("cannot read deny.toml")?;
        let list = |section: &str, key: &str| {
            file.get(section)
                .and_then(|table| table.get(key))
                .and_then(toml::Value::as_array)
                .with_context(|| format!("deny.toml has no {section}.{key}"))
        };
        let mut banned = BTreeMap::new();
        for entry in list("bans", "deny")? {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            let name = text("crate").context("a ban of deny.toml names no crate")?;
            let ban = Ban {
                reason: text("reason")
                    .context("a ban of deny.toml has no reason")?
                    .to_owned(),
                wrappers: entry.get("wrappers").map(strings).unwrap_or_default(),
            };
            banned.insert(name.to_owned(), ban);
        }
        let licences = list("licenses", "allow")?
            .iter()
            .filter_map(toml::Value::as_str);
        Ok(Self {
            licences: licences.map(str::to_owned).collect(),
            banned,
        })
    }

    fn licence(&self, package: &Package<'_>) -> Option<Finding> {
        let Some(expression) = package.licence else {
            return Some(package.finding("names no licence".to_owned()));
        };
        match spdx::is_met(expression, &self.licences) {
            Ok(true) => None,
            Ok(false) => Some(package.finding(format!(
                "its licence `{expression}` is not allowed by deny.toml"
            ))),
            Err(why) => {
                Some(package.finding(format!("its licence `{expression}` cannot be read: {why}")))
            }
        }
    }

    /// The packages that may not be in the tree whoever needs them: `dependents` are those that do.
    fn ban<'a>(
        &'a self,
        package: &'a Package<'_>,
        dependents: &'a str,
    ) -> impl Iterator<Item = Finding> + 'a {
        let ban = self.banned.get(package.name);
        let dependents = dependents.lines().filter_map(|line| line.strip_prefix('1'));
        dependents.filter_map(move |line| {
            let name = line.split(' ').next().unwrap_or_default();
            let refused = ban.filter(|ban| !ban.wrappers.iter().any(|wrapper| wrapper == name))?;
            let says = format!(
                "depends on {}, which is banned: {}",
                package.name, refused.reason
            );
            Some(Finding::new(line, says))
        })
    }
}

/// Who depends on the package in what is really built, as lines `1NAME vVERSION`. The resolve graph of
/// `cargo metadata` will not do: it holds optional dependencies that no feature switches on.
fn dependents(workspace: &Workspace, package: &Package<'_>) -> Result<String> {
    let spec = format!("{}@{}", package.name, package.version);
    let args = [
        "tree",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-features",
        "--target",
        "all",
    ];
    let shape = ["--depth", "1", "--prefix", "depth", "--invert", &spec];
    run::captured(run::cargo(&workspace.root, &args).args(shape))
}

fn source(package: &Package<'_>) -> Option<Finding> {
    match package.source {
        None | Some(REGISTRY_OF_CARGO) => None,
        Some(other) => {
            Some(package.finding(format!("comes from {other}; only crates.io is allowed")))
        }
    }
}

fn strings(value: &toml::Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(toml::Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Package, REGISTRY_OF_CARGO, Rules, source};

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "rsa", wrappers = ["crypto-glue"], reason = "leaks time" }]
    "#;

    #[test]
    fn bans_name_the_dependent_and_spare_the_wrappers() {
        let rsa = json!({"name": "rsa", "version": "0.9.0"});
        let package = Package::read(&rsa);
        let rules = Rules::read(DENY).unwrap();
        let tree = "0rsa v0.9.0\n1crypto-glue v0.1.0\n1jwt v1.0.0\n";
        let findings: Vec<_> = rules.ban(&package, tree).collect();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].at, "jwt v1.0.0");
        assert!(findings[0].says.contains("leaks time"));
        assert_eq!(rules.ban(&package, "").count(), 0);
    }

    #[test]
    fn licences_and_sources_are_checked() {
        let rules = Rules::read(DENY).unwrap();
        let value = |licence: Value, source: Value| json!({"name": "a", "license": licence, "source": source});
        let good = value(json!("MIT"), json!(REGISTRY_OF_CARGO));
        assert_eq!(rules.licence(&Package::read(&good)), None);
        assert_eq!(source(&Package::read(&good)), None);
        for licence in [json!("GPL-3.0"), Value::Null, json!("MIT OR")] {
            let bad = value(licence, json!("git+https://example.org/a"));
            assert!(rules.licence(&Package::read(&bad)).is_some());
            assert!(source(&Package::read(&bad)).is_some());
        }
    }
}
