//! An MCP client that others wrote, the MCP server of the examples and this server, each a process.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use symbolon_testkit::skip;

use super::super::place::Place;
use super::super::running::Server;
use super::program::{EMAIL, Stage, javascript, told};

/// The server of the example, for tokens of `issuer`.
fn notes(issuer: &str, listen: &str) -> Option<Server> {
    let folder = told("SYMBOLON_TEST_MCP", "the MCP server of the examples")?;
    let mut command = Command::new("node");
    command
        .arg(folder.join("server.js"))
        .env("ISSUER", issuer)
        .env("LISTEN", listen)
        .env_remove("NODE_OPTIONS")
        .env_remove("RESOURCE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Some(Server::start(command))
}

/// A server that knows of the example, and the example. Their names for each other are their addresses, so one of the two
/// must know a port before it is taken; nobody else listens on this address of loopback.
fn stage(certificates: Option<&Certificates>) -> Option<(Stage, Server)> {
    let free = TcpListener::bind("127.0.0.93:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    let place = Place::new()
        .with("oauth.client_documents", "true")
        .with("oauth.registration", "true")
        .with("outbound.allow_loopback_http", "true")
        .with("oauth.open_scopes", "openid,notes:read,notes:write")
        .with("oauth.open_resources", &format!("http://{listen}/mcp"));
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    if let Some(certificates) = certificates {
        command.env("SSL_CERT_FILE", &certificates.authority);
    }
    let stage = Stage::of(place, command);
    let permissions = ["--permission", "notes:read", "--permission", "notes:write"];
    let words = [&["role", "add", "writer"][..], &permissions].concat();
    stage.place.run(&words).text();
    let words = ["user", "set-roles", EMAIL, "--role", "writer"];
    stage.place.run(&words).text();
    drop(free);
    let notes = notes(&stage.issuer(), &listen)?;
    Some((stage, notes))
}

/// An authority for a test, and a certificate of it for loopback.
struct Certificates {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificates {
    /// In a folder; none where OpenSSL is not there.
    fn make(place: &Place) -> Option<Self> {
        let [ca_key, authority, key, certificate] =
            ["ca.key", "ca.pem", "leaf.key", "leaf.pem"].map(|name| place.path(name));
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        let make = |words: &str, paths: &[(&str, &PathBuf)]| {
            let mut command = Command::new("openssl");
            command
                .args(new.split(' ').chain(words.split(' ')))
                .stderr(Stdio::null());
            for (option, path) in paths {
                command.arg(option).arg(path);
            }
            command.status().is_ok_and(|status| status.success())
        };
        let made = make(
            "-subj /CN=authority -addext keyUsage=critical,keyCertSign",
            &[("-keyout", &ca_key), ("-out", &authority)],
        ) && make(
            "-subj /CN=loopback -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE",
            &[
                ("-CA", &authority),
                ("-CAkey", &ca_key),
                ("-keyout", &key),
                ("-out", &certificate),
            ],
        );
        if !made {
            skip("documents of clients over https: apt-get install openssl");
            return None;
        }
        Some(Self {
            authority,
            certificate,
            key,
        })
    }
}

#[test]
fn npm_modelcontextprotocol_sdk_with_a_document() {
    let folder = Place::new();
    let (Some(command), Some(certificates)) = (javascript("mcp.js"), Certificates::make(&folder))
    else {
        return;
    };
    let Some((stage, notes)) = stage(Some(&certificates)) else {
        return;
    };
    let more = [
        ("MCP_URL", format!("http://{}/mcp", notes.address).into()),
        ("CERTIFICATE", certificates.certificate.into_os_string()),
        ("KEY", certificates.key.into_os_string()),
    ];
    stage.passes(command, "unknown", &more);
}

#[test]
fn npm_modelcontextprotocol_sdk_that_registers() {
    let Some(command) = javascript("mcp.js") else {
        return;
    };
    let Some((stage, notes)) = stage(None) else {
        return;
    };
    let url = format!("http://{}/mcp", notes.address);
    stage.passes(command, "unknown", &[("MCP_URL", url)]);
}
