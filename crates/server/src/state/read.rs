//! From the file to what is wanted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::str::FromStr;

use symbolon_domain::setup::{ChosenSecret, ClientEntry, RoleEntry, Wanted};
use symbolon_domain::{
    AuthMethod, ClientDefinition, ClientId, ClientStatus, ClientType, ConsentPolicy, DisplayName,
    FieldError, Grant, Permissions, Problem, RoleName, Roles, SecretText, SubjectType,
};
use symbolon_token::Algorithm;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::table::{Notes, Table};
use super::{CLIENT, ROLE};
use crate::config::{ConfigError, ConfigErrors, Sources, is_setting, nearest_of, stored_names};
use crate::flows::clients::chosen_secret;

/// Longest file that a secret is read from, in bytes.
const MOST_SECRET_FILE: u64 = 4 * 1024;

/// What a file says, and where.
#[derive(Debug)]
pub struct Read {
    /// What is wanted.
    pub wanted: Wanted,
    name: String,
    places: BTreeMap<String, usize>,
}

impl Read {
    /// Says where in the file it is that something is wrong with: `pointer` is `/role/NAME/…` and so on, as far as is
    /// known.
    pub fn locate(&self, error: &FieldError) -> ConfigError {
        let mut pointer = snake(&error.pointer);
        let line = loop {
            if let Some(line) = self.places.get(&pointer) {
                break Some(line);
            }
            match pointer.rfind('/') {
                Some(end) => pointer.truncate(end),
                None => break None,
            }
        };
        let mut parts = error.pointer.split('/').skip(1);
        let (kind, thing) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let source = match line {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.clone(),
        };
        let key = parts.next().map(|key| format!(", `{}`", snake(key)));
        let detail = &error.detail;
        ConfigError {
            source,
            problem: format!("{kind} {thing}{}: {detail}", key.unwrap_or_default()),
        }
    }
}

/// Reads a file. `name` is what it is called where something is wrong with it; variables are those of `sources`.
///
/// # Errors
/// Everything that is wrong with it, with its line.
pub fn read(name: &str, text: &str, sources: &Sources) -> Result<Read, ConfigErrors> {
    let mut notes = Notes::new(name, text);
    let mut wanted = Wanted::default();
    match DeTable::parse(text) {
        Ok(table) => read_all(table.get_ref(), &mut wanted, &mut notes, sources),
        // The message alone: the lines around it may hold a secret that is not meant to be there.
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            notes.wrong(at, format!("this is not TOML: {}", error.message()));
        }
    }
    let errors = notes.take_errors();
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    Ok(Read {
        wanted,
        name: name.to_owned(),
        places: notes.places,
    })
}

fn read_all(table: &DeTable<'_>, wanted: &mut Wanted, notes: &mut Notes<'_>, sources: &Sources) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        match (name, value.get_ref()) {
            ("settings", DeValue::Table(sections)) => read_settings(sections, wanted, notes),
            ("role", DeValue::Array(roles)) => {
                for role in roles {
                    read_role(role, wanted, notes);
                }
            }
            ("client", DeValue::Array(clients)) => {
                for client in clients {
                    read_client(client, (wanted, sources), notes);
                }
            }
            ("settings", _) => {
                notes.wrong(key.span().start, "settings are a table: write [settings]")
            }
            ("role" | "client", _) => {
                let sentence = format!("`{name}` is a list of tables: write [[{name}]]");
                notes.wrong(key.span().start, sentence);
            }
            _ => {
                let meant = nearest_of(name, &["settings", "role", "client"]);
                let sentence = format!("unknown key `{name}`: did you mean `{meant}`?");
                notes.wrong(key.span().start, sentence);
            }
        }
    }
}

/// `registration.mode = "closed"`, or the same with a table for the section.
fn read_settings(sections: &DeTable<'_>, wanted: &mut Wanted, notes: &mut Notes<'_>) {
    for (section, value) in sections {
        match value.get_ref() {
            DeValue::Table(keys) => {
                for (key, value) in keys {
                    let name = format!("{}.{}", section.get_ref(), key.get_ref());
                    read_setting((&name, key.span().start), value, wanted, notes);
                }
            }
            _ => {
                let at = section.span().start;
                read_setting((section.get_ref(), at), value, wanted, notes);
            }
        }
    }
}

fn read_setting(
    (name, at): (&str, usize),
    value: &Spanned<DeValue<'_>>,
    wanted: &mut Wanted,
    notes: &mut Notes<'_>,
) {
    let known: Vec<_> = stored_names().collect();
    if !known.contains(&name) {
        let sentence = match is_setting(name) {
            true => format!("`{name}` is not kept in the database: set it in symbolon.toml"),
            false => {
                let meant = nearest_of(name, &known);
                format!("unknown setting `{name}`: did you mean `{meant}`?")
            }
        };
        return notes.wrong(at, sentence);
    }
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    };
    let whole = match value.get_ref() {
        DeValue::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| text(item.get_ref())).collect();
            texts.map(|texts| texts.join(","))
        }
        value => text(value),
    };
    let Some(whole) = whole else {
        return notes.wrong(
            at,
            format!("`{name}` takes a text, a number, true or false, or a list of them"),
        );
    };
    let line = notes.line(at);
    notes.places.insert(format!("/setting/{name}"), line);
    wanted.settings.insert(name.to_owned(), whole);
}

fn read_role(value: &Spanned<DeValue<'_>>, wanted: &mut Wanted, notes: &mut Notes<'_>) {
    let Some(mut table) = Table::of(notes, ("role", &ROLE), value) else {
        return;
    };
    let name = table.required("name", RoleName::parse);
    let permissions = table.list("permissions", |text| {
        Permissions::from_names([text]).map(|_| text.to_owned())
    });
    let entry = RoleEntry {
        description: table.text("description").unwrap_or_default(),
        // Each was read just now.
        permissions: Permissions::from_names(permissions.iter().map(String::as_str))
            .unwrap_or_default(),
        includes: Roles::from_iter(table.list("includes", RoleName::parse)),
    };
    let Some(name) = name else {
        return;
    };
    if table.is_placed(name.as_str()) {
        return table.wrong_at("name", &format!("there are two roles `{name}`"));
    }
    table.place(name.as_str());
    wanted.roles.insert(name, entry);
}

fn read_client(
    value: &Spanned<DeValue<'_>>,
    (wanted, sources): (&mut Wanted, &Sources),
    notes: &mut Notes<'_>,
) {
    let Some(mut table) = Table::of(notes, ("client", &CLIENT), value) else {
        return;
    };
    let id = table.required("id", ClientId::parse);
    let kind = table.required("type", |word| {
        known::<ClientType>(word, "public or confidential")
    });
    let secret = read_secret(&mut table, sources);
    let name = table.parsed("name", DisplayName::parse);
    let name = name.or_else(|| DisplayName::parse(id.as_ref()?.as_str()).ok());
    let (Some(id), Some(kind), Some(name)) = (id, kind, name) else {
        return;
    };
    if table.is_placed(id.as_str()) {
        return table.wrong_at("id", &format!("there are two clients `{id}`"));
    }
    let definition = read_definition(&mut table, name, kind);
    table.place(id.as_str());
    let entry = ClientEntry {
        kind,
        definition,
        secret,
    };
    wanted.clients.insert(id, entry);
}

fn read_definition(
    table: &mut Table<'_, '_, '_>,
    name: DisplayName,
    kind: ClientType,
) -> ClientDefinition {
    let grants =
        "authorization_code, refresh_token, client_credentials, device_code or token_exchange";
    let methods = "none, client_secret_basic, client_secret_post or private_key_jwt";
    let algorithms = "ES256, EdDSA, RS256 or PS256";
    ClientDefinition {
        redirect_uris: table.list("redirect_uris", str::parse),
        post_logout_redirect_uris: table.list("post_logout_redirect_uris", str::parse),
        origins: table.list("origins", str::parse),
        grants: table.list("grants", |word| known::<Grant>(word, grants)),
        scopes: table.list("scopes", str::parse),
        roles: Roles::from_iter(table.list("roles", RoleName::parse)),
        resources: table.list("resources", str::parse),
        auth_method: table
            .parsed("auth_method", |word| known(word, methods))
            .unwrap_or(AuthMethod::of(kind)),
        jwks: table.parsed("jwks", str::parse),
        jwks_uri: table.parsed("jwks_uri", str::parse),
        subject_type: table
            .parsed("subject_type", |word| known(word, "public or pairwise"))
            .unwrap_or(SubjectType::Public),
        id_token_alg: table.parsed("id_token_alg", |word| known::<Algorithm>(word, algorithms)),
        consent: table
            .parsed("consent", |word| known(word, "ask or trusted"))
            .unwrap_or(ConsentPolicy::Ask),
        require_pushed: table.switch("require_pushed"),
        dpop_bound: table.switch("dpop_bound"),
        backchannel_logout_uri: table.parsed("backchannel_logout_uri", str::parse),
        status: table
            .parsed("status", |word| known(word, "active or disabled"))
            .unwrap_or(ClientStatus::Active),
        name,
    }
}

/// The secret that the file names, of which no more than its digest and its end is kept.
fn read_secret(table: &mut Table<'_, '_, '_>, sources: &Sources) -> Option<ChosenSecret> {
    let (path, variable) = (table.text("secret_file"), table.text("secret_env"));
    let (key, text) = match (path, variable) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            table.wrong_at(
                "secret_env",
                "there is secret_file as well: one of them is enough",
            );
            return None;
        }
        (Some(path), None) => ("secret_file", secret_of_file(&path)),
        (None, Some(name)) => ("secret_env", secret_of_variable(&name, sources)),
    };
    let parsed = text.and_then(|text| SecretText::parse(&text).map_err(|problem| problem.detail));
    match parsed {
        Ok(secret) => Some(chosen_secret(&secret)),
        Err(problem) => {
            table.wrong_at(key, &problem);
            None
        }
    }
}

/// Without one newline at its end.
fn secret_of_file(path: &str) -> Result<Zeroizing<String>, String> {
    let unreadable = |error: std::io::Error| format!("the file `{path}` cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_SECRET_FILE)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn secret_of_variable(name: &str, sources: &Sources) -> Result<Zeroizing<String>, String> {
    let mut variables = sources.environment.iter();
    let found = variables.find(|(known, _)| known == name);
    let text = found.and_then(|(_, value)| value.to_str());
    let text = text.ok_or_else(|| format!("the environment has no variable `{name}`"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn known<T: FromStr>(word: &str, words: &str) -> Result<T, Problem> {
    word.parse()
        .map_err(|_| Problem::new("unknown_word", format!("expected {words}")))
}

/// `redirectUris` as `redirect_uris`.
fn snake(text: &str) -> String {
    let mut snake = String::with_capacity(text.len());
    let (head, key) = match text.match_indices('/').nth(2) {
        Some((at, _)) => text.split_at(at),
        None if text.contains('/') => (text, ""),
        None => ("", text),
    };
    snake.push_str(head);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
