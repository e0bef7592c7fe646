//! Other providers at which people sign in: `[[upstream]]` tables of the file.
//!
//! A provider that speaks OpenID Connect is named by its issuer, and the rest is discovered. One that speaks OAuth 2 alone
//! has its endpoints written down, and which members of its answer say who the person is.

use std::str::FromStr;

use symbolon_domain::{ClientOrigin, EndpointUri};
use symbolon_token::Algorithm;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::layers::secret_of_file;
use super::suggest::nearest_of;
use crate::secret::Secret;

/// The keys of a table.
const KEYS: [&str; 15] = [
    "name",
    "label",
    "issuer",
    "client_id",
    "client_secret",
    "client_secret_file",
    "scopes",
    "algorithms",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "subject",
    "email",
    "display_name",
    "enabled",
];
/// What is taken of ID tokens where nothing is said.
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// Another provider.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// In paths: lower-case letters, digits and hyphens.
    pub name: String,
    /// On buttons.
    pub label: String,
    /// Who it is: `iss` of its ID tokens, and a part of each identity.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// What it proves itself with there; none for a public client.
    pub client_secret: Option<Secret<String>>,
    /// What it asks for.
    pub scopes: Vec<String>,
    /// How it tells who the person is.
    pub kind: UpstreamKind,
}

/// How a provider tells who somebody is.
#[derive(Clone, Debug)]
pub enum UpstreamKind {
    /// By an ID token (OpenID Connect), signed with one of these.
    OpenId {
        /// The algorithms that are taken.
        algorithms: Vec<Algorithm>,
    },
    /// By what an endpoint says to who has an access token.
    Profile(Box<ProfileConfig>),
}

/// A provider that speaks OAuth 2 alone.
#[derive(Clone, Debug)]
pub struct ProfileConfig {
    /// Where people sign in.
    pub authorization: EndpointUri,
    /// Where codes are exchanged.
    pub token: EndpointUri,
    /// Where it says who somebody is, in a JSON object.
    pub userinfo: EndpointUri,
    /// The member of it that names the person and is never given to another: a text or a whole number.
    pub subject: String,
    /// The member with the address, which counts as nobody's until it is confirmed.
    pub email: String,
    /// The member with the name to be shown.
    pub display_name: String,
}

/// Reads one table; `problem` hears what is wrong, with the byte of the file. Nothing for one that is switched off.
pub(super) fn read(
    value: &Spanned<DeValue<'_>>,
    problem: &mut dyn FnMut(usize, String),
) -> Option<UpstreamConfig> {
    let at = value.span().start;
    let DeValue::Table(keys) = value.get_ref() else {
        problem(at, "an upstream is a table: write [[upstream]]".to_owned());
        return None;
    };
    for key in keys
        .keys()
        .filter(|key| !KEYS.contains(&key.get_ref().as_ref()))
    {
        let (name, meant) = (key.get_ref(), nearest_of(key.get_ref(), &KEYS));
        let sentence = format!("unknown key `{name}` of an upstream: did you mean `{meant}`?");
        problem(key.span().start, sentence);
    }
    let mut table = Table { keys, at, problem };
    let name = table.required("name", |text| is_name(text).then(|| text.to_owned()));
    let issuer = table.required("issuer", issuer);
    let client_id = table.required("client_id", some);
    let client_secret = table.secret();
    let label = table.optional("label", some);
    let kind = table.kind();
    let scopes = table.list("scopes", some);
    let enabled = table.switch("enabled").unwrap_or(true);
    let (name, issuer, client_id, kind) = (name?, issuer?, client_id?, kind?);
    let usual: &[&str] = match kind {
        UpstreamKind::OpenId { .. } => &["openid", "email", "profile"],
        UpstreamKind::Profile(_) => &[],
    };
    enabled.then(|| UpstreamConfig {
        label: label.unwrap_or_else(|| name.clone()),
        scopes: scopes.unwrap_or_else(|| usual.iter().map(|&one| one.to_owned()).collect()),
        name,
        issuer,
        client_id,
        client_secret,
        kind,
    })
}

struct Table<'t, 'p> {
    keys: &'t DeTable<'t>,
    at: usize,
    problem: &'p mut dyn FnMut(usize, String),
}

impl Table<'_, '_> {
    /// OpenID Connect, unless endpoints are written down.
    fn kind(&mut self) -> Option<UpstreamKind> {
        let algorithms = self.list("algorithms", |text| {
            let algorithm = Algorithm::from_str(text).ok();
            algorithm.filter(|algorithm| !algorithm.is_symmetric())
        });
        let endpoints = [
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
        ];
        if !endpoints.iter().any(|key| self.keys.contains_key(*key)) {
            let algorithms = algorithms.unwrap_or_else(|| ALGORITHMS.to_vec());
            return Some(UpstreamKind::OpenId { algorithms });
        }
        let [authorization, token, userinfo] =
            endpoints.map(|key| self.required(key, |text| EndpointUri::parse(text).ok()));
        let subject = self.required("subject", some);
        let email = self.optional("email", some);
        let display_name = self.optional("display_name", some);
        Some(UpstreamKind::Profile(Box::new(ProfileConfig {
            authorization: authorization?,
            token: token?,
            userinfo: userinfo?,
            subject: subject?,
            email: email.unwrap_or_else(|| "email".to_owned()),
            display_name: display_name.unwrap_or_else(|| "name".to_owned()),
        })))
    }

    fn required<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if !self.keys.contains_key(key) {
            (self.problem)(self.at, format!("an upstream of this kind needs `{key}`"));
        }
        self.optional(key, read)
    }

    fn optional<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.keys.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        };
        let found = text.and_then(read);
        if found.is_none() {
            (self.problem)(
                value.span().start,
                format!("`{key}` of an upstream is not usable"),
            );
        }
        found
    }

    fn list<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let value = self.keys.get(key)?;
        let found = match value.get_ref() {
            DeValue::Array(items) => {
                let items = items.iter().map(|item| match item.get_ref() {
                    DeValue::String(text) => read(text),
                    _ => None,
                });
                items.collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        if found.as_ref().is_none_or(Vec::is_empty) {
            (self.problem)(
                value.span().start,
                format!("`{key}` of an upstream is not usable"),
            );
        }
        found
    }

    fn switch(&mut self, key: &str) -> Option<bool> {
        let value = self.keys.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(on) => Some(*on),
            _ => {
                (self.problem)(value.span().start, format!("`{key}` takes true or false"));
                None
            }
        }
    }

    fn secret(&mut self) -> Option<Secret<String>> {
        let text = self.optional("client_secret", |text| some(text).map(Zeroizing::new));
        let path = self.optional("client_secret_file", some);
        let read = match (text, path) {
            (Some(_), Some(_)) => Err("give `client_secret` or `client_secret_file`".to_owned()),
            (Some(text), None) => Ok(Some(text)),
            (None, Some(path)) => secret_of_file(&path).map(Some),
            (None, None) => Ok(None),
        };
        match read {
            Ok(secret) => secret.map(|secret| Secret::new(secret.to_string())),
            Err(sentence) => {
                (self.problem)(self.at, sentence);
                None
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// As providers write it: with or without a path, compared byte for byte. Whether it may be called is asked then.
fn issuer(text: &str) -> Option<String> {
    let is_origin = ClientOrigin::parse(text).is_ok();
    let good = is_origin || EndpointUri::parse(text).is_ok();
    (good && !text.contains(['?', '#'])).then(|| text.to_owned())
}

fn some(text: &str) -> Option<String> {
    let good = !text.is_empty() && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}
