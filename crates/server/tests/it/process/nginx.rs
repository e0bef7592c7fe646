//! `deploy/forward-auth/nginx.conf` as it stands, with only its addresses changed, before an app that shows what it gets.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use super::place::{PASSWORD, Place};
use super::proxy::Proxy;
use super::running::Server;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/forward-auth");

/// An app that answers each request with the head that it got.
fn app() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<_> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let body = head.join("\n").to_lowercase();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

/// The proxy of the forward authentication before an app.
fn start(place: &Place, symbolon: SocketAddr, app: SocketAddr) -> Option<Proxy> {
    let folder = place.path("");
    for name in ["verify.inc", "forward-auth.inc"] {
        std::fs::copy(Path::new(FOLDER).join(name), folder.join(name)).unwrap();
    }
    let config = std::fs::read_to_string(Path::new(FOLDER).join("nginx.conf")).unwrap();
    let changes = [
        ("127.0.0.1:8080", symbolon.to_string()),
        ("127.0.0.1:3000", app.to_string()),
    ];
    Proxy::nginx(place, &config, &changes)
}

#[test]
fn n11_forward_authentication_with_nginx() {
    let place = Place::new();
    let server: Server = place.serve();
    let Some(nginx) = start(&place, server.address, app()) else {
        return;
    };
    let ada = server.register("ada@example.com");
    let add = [
        "user",
        "add",
        "root@example.com",
        "--role",
        "admin",
        "--password-stdin",
    ];
    place.run_with(&add, PASSWORD.as_bytes()).succeeded();
    let admin = server.sign_in("root@example.com");
    let (as_ada, as_admin) = (bearer(&ada.access), bearer(&admin.access));
    let (as_ada, as_admin) = (
        ("authorization", as_ada.as_str()),
        ("authorization", as_admin.as_str()),
    );

    let claims = crate::people::claims(&ada.access);
    let user = format!("remote-user: {}", claims["sub"].as_str().unwrap());
    who_passes(&nginx, as_ada, &user);
    let (status, said) = nginx.ask("GET", "/admin/orders", &[as_ada]);
    assert!(
        status == 403 && said.contains("\"code\":\"forbidden\""),
        "{said}"
    );
    assert_eq!(nginx.ask("GET", "/admin/orders", &[as_admin]).0, 200);
    assert_eq!(nginx.ask("GET", "/.symbolon/verify", &[as_ada]).0, 404);

    server.sign_out(&ada);
    let (status, said) = nginx.ask("GET", "/orders", &[as_ada]);
    assert!(status == 401 && said.contains("token_revoked"), "{said}");
    server.stop();
    let (status, _) = nginx.ask("GET", "/orders", &[as_admin]);
    assert_eq!(status, 500, "without an answer nobody passes");
}

fn bearer(access: &str) -> String {
    format!("Bearer {access}")
}

/// Who is behind a token is told to the app, and nobody else's word for it.
fn who_passes(nginx: &Proxy, authorization: (&str, &str), user: &str) {
    let forged = [
        ("remote-user", "root"),
        ("Remote-Name", "root"),
        ("x-forwarded-user", "root"),
    ];
    for method in ["GET", "POST"] {
        let headers = [&[authorization], &forged[..]].concat();
        let (status, said) = nginx.ask(method, "/orders", &headers);
        assert_eq!(status, 200, "{said}");
        for told in [user, "remote-email: ada@example.com", "remote-groups: user"] {
            assert!(said.contains(told), "{told}: {said}");
        }
        for forged in ["remote-user: root", "remote-name: root"] {
            assert!(!said.contains(forged), "{said}");
        }
        // Refused with the whole of what Symbolon says.
        let (status, said) = nginx.ask(method, "/orders", &forged);
        let said = said.to_lowercase();
        assert!(
            status == 401 && said.contains("\"code\":\"no_token\""),
            "{said}"
        );
        assert!(
            said.contains("\r\nwww-authenticate: bearer, dpop algs="),
            "{said}"
        );
        let (status, said) = nginx.ask(method, "/public/", &forged);
        assert!(status == 200 && !said.contains("remote-user"), "{said}");
    }
}
