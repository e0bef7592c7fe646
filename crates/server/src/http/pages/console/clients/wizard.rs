//! A new client in two steps: what kind of application it is, and where it lives. It ends in code to copy, for the
//! framework of the application.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context};
use serde_json::{Map, Value as Json, json};
use symbolon_domain::{Client, ClientId, ClientType, Grant, Refusal};

use super::super::super::super::api::admin::permitted::{ClientsRead, ClientsWrite};
use super::super::super::form::Filled;
use super::super::super::visitor::refused;
use super::super::Permitted;
use super::{form, known};
use crate::app::App;
use crate::flows::Error;
use crate::flows::clients::{self, New};

/// A kind of application: its word, whether it keeps a secret, how it comes to tokens, and the frameworks that there is
/// code for. Of each framework the word, which is also the name of its template.
struct Kind {
    word: &'static str,
    confidential: bool,
    grants: &'static [&'static str],
    /// Whether people sign in with it.
    people: bool,
    frameworks: &'static [(&'static str, &'static str)],
}

const KINDS: [Kind; 5] = [
    Kind {
        word: "web",
        confidential: true,
        grants: &["authorization_code", "refresh_token"],
        people: true,
        frameworks: &[
            ("express", "Node, Express"),
            ("fastapi", "Python, FastAPI"),
            ("axum", "Rust, axum"),
            ("curl", "curl"),
        ],
    },
    Kind {
        word: "browser",
        confidential: false,
        grants: &["authorization_code", "refresh_token"],
        people: true,
        frameworks: &[
            ("react", "React"),
            ("vue", "Vue"),
            ("javascript", "JavaScript"),
        ],
    },
    Kind {
        word: "native",
        confidential: false,
        grants: &["authorization_code", "refresh_token"],
        people: true,
        frameworks: &[
            ("android", "Android (AppAuth)"),
            ("ios", "iOS (AppAuth)"),
            ("curl", "curl"),
        ],
    },
    Kind {
        word: "service",
        confidential: true,
        grants: &["client_credentials"],
        people: false,
        frameworks: &[
            ("service-node", "Node"),
            ("service-python", "Python"),
            ("service-curl", "curl"),
        ],
    },
    Kind {
        word: "device",
        confidential: false,
        grants: &["device_code", "refresh_token"],
        people: true,
        frameworks: &[("device-curl", "curl"), ("device-node", "Node")],
    },
];

/// What people let an application know as a rule.
const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl Kind {
    fn of(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// That which a client looks like.
    fn of_client(client: &Client) -> &'static Self {
        let grants = &client.definition.grants;
        let word = match client.kind {
            _ if grants.contains(&Grant::DeviceCode) => "device",
            ClientType::Confidential if grants.contains(&Grant::AuthorizationCode) => "web",
            ClientType::Confidential => "service",
            ClientType::Public if client.definition.origins.is_empty() => "native",
            ClientType::Public => "browser",
        };
        Self::of(word).unwrap_or(&KINDS[0])
    }

    const fn client_type(&self) -> ClientType {
        match self.confidential {
            true => ClientType::Confidential,
            false => ClientType::Public,
        }
    }

    fn facts(&self) -> Value {
        let frameworks = self.frameworks.iter();
        let frameworks = frameworks.map(|(word, name)| context! { word => *word, name => *name });
        context! {
            word => self.word,
            people => self.people,
            redirects => self.grants.contains(&"authorization_code"),
            frameworks => frameworks.collect::<Vec<_>>(),
        }
    }

    fn brought(&self) -> Map<String, Json> {
        let mut brought = Map::new();
        brought.insert("grants".to_owned(), json!(self.grants));
        if self.people {
            brought.insert("scopes".to_owned(), json!(SCOPES));
        }
        brought
    }
}

/// The frameworks that there is code for.
pub(super) fn frameworks_of(client: &Client) -> Value {
    Kind::of_client(client).facts()
}

pub(super) async fn choose(permitted: Permitted<ClientsWrite>) -> Response {
    let kinds: Vec<Value> = KINDS.iter().map(Kind::facts).collect();
    permitted.show("clients", "console/client-kinds.html", context! { kinds })
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(word): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    // Drawn here: a form that is sent twice makes one client.
    match clients::drawn_id(&app) {
        Ok(id) => {
            let form = Filled::default().with("id", id.to_string());
            page(&permitted, &word, (StatusCode::OK, &form))
        }
        Err(error) => permitted.seated.failed(error),
    }
}

fn page(
    permitted: &Permitted<ClientsWrite>,
    word: &str,
    (status, form): (StatusCode, &Filled),
) -> Response {
    let Some(kind) = Kind::of(word) else {
        return permitted.seated.failed(Refusal::NotFound);
    };
    let facts = context! { at => "clients", kind => kind.facts(), form => form.facts() };
    permitted
        .seated
        .show_as(status, "console/client-new.html", facts)
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(word): Path<String>,
    permitted: Permitted<ClientsWrite>,
) -> Response {
    let Some(kind) = Kind::of(&word) else {
        return permitted.seated.failed(Refusal::NotFound);
    };
    match make(&app, &permitted, kind).await {
        Ok((client, secret)) => {
            let framework = permitted.seated.form().get("framework").to_owned();
            made(&app, &permitted, (&client, secret), &framework)
        }
        Err(error) => match refused(&permitted.seated, error) {
            Ok((status, form)) => page(&permitted, &word, (status, &form)),
            Err(response) => response,
        },
    }
}

async fn make(
    app: &App,
    permitted: &Permitted<ClientsWrite>,
    kind: &Kind,
) -> Result<(Client, Option<String>), Error> {
    let (form, origin) = (permitted.seated.form(), permitted.seated.origin());
    let id = form.text("id").map(|id| ClientId::parse(&id));
    let id = id.transpose();
    let new = New {
        id: id.map_err(|problem| Refusal::Validation(vec![problem.at("/id")]))?,
        kind: kind.client_type(),
        definition: form::read_new(form, kind.client_type(), kind.brought())?,
    };
    let client = clients::create(app, permitted.actor(), &new, origin).await?;
    if !kind.confidential {
        return Ok((client, None));
    }
    let which = (&client.id, None);
    match clients::add_secret(app, permitted.actor(), which, origin).await {
        Ok((client, secret)) => Ok((client, Some(secret.expose().to_owned()))),
        // The client is there: a secret is added on its page.
        Err(error) => {
            tracing::warn!(%error, "a new client has no secret yet");
            Ok((client, None))
        }
    }
}

/// The end of the wizard. The secret is on this page and on no other.
fn made(
    app: &App,
    permitted: &Permitted<ClientsWrite>,
    (client, secret): (&Client, Option<String>),
    framework: &str,
) -> Response {
    let facts = context! { secret, new => true, ..code_facts(app, client, framework) };
    permitted.show("clients", "console/client-code.html", facts)
}

pub(super) async fn code(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    permitted: Permitted<ClientsRead>,
) -> Response {
    let found = async { clients::find(&app, &known(&id)?).await };
    match found.await {
        Ok(client) => {
            let framework = permitted.seated.form().get("framework");
            let facts = context! { new => false, ..code_facts(&app, &client, framework) };
            permitted.show("clients", "console/client-code.html", facts)
        }
        Err(error) => permitted.seated.failed(error),
    }
}

fn code_facts(app: &App, client: &Client, framework: &str) -> Value {
    let kind = Kind::of_client(client);
    let mut known = kind.frameworks.iter().map(|(word, _)| *word);
    let first = kind.frameworks.first().map_or("curl", |(word, _)| *word);
    let framework = known.find(|word| *word == framework).unwrap_or(first);
    let definition = &client.definition;
    let redirect_uri = definition.redirect_uris.first();
    let redirect_uri = redirect_uri
        .map(|uri| plain(uri.as_str()))
        .unwrap_or_default();
    let issuer = app
        .issuance()
        .map_or("", |issuance| issuance.issuer.as_str());
    let scopes: Vec<&str> = definition
        .scopes
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    context! {
        id => client.id.as_str(),
        name => definition.name.as_str(),
        kind => kind.facts(),
        framework,
        issuer,
        insecure => issuer.starts_with("http:"),
        redirect_path => path_of(&redirect_uri),
        redirect_scheme => redirect_uri.split(':').next().unwrap_or_default(),
        redirect_uri,
        scope => scopes.join(" "),
        secret => "",
    }
}

/// An address that stands in code as it is. What could end a text there is left to whoever copies it: clients that
/// registered themselves chose it (SECURITY row M10).
fn plain(uri: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?&=%+[]".contains(&byte);
    match uri.bytes().all(is_plain) {
        true => uri.to_owned(),
        false => "REDIRECT_URI".to_owned(),
    }
}

/// The path of an address.
fn path_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..));
    path.and_then(|path| path.split('?').next()).unwrap_or("/")
}
