//! How the first administrator comes about.

use rustix::process::Signal;

use super::place::{PASSWORD, Place};

/// The token of the one line that says how to make the first administrator.
fn offered(stderr: &str) -> String {
    let mut lines = stderr.lines().filter(|line| line.contains("administrator"));
    let line = lines.next().expect("a line");
    assert!(line.starts_with("no administrator yet: "), "{line}");
    assert!(line.contains("open http://127.0.0.1:"), "{line}");
    assert!(
        line.contains("symbolon user add you@example.com --role admin"),
        "{line}"
    );
    assert_eq!(lines.next(), None, "said once");
    let (_, token) = line.split_once("give the token ").expect("a token");
    token.split(' ').next().unwrap().to_owned()
}

/// What a server says from start to end.
fn said(place: &Place) -> String {
    let server = place.serve();
    server.signal(Signal::TERM);
    server.ended_saying().1
}

#[test]
fn p10_a_server_without_an_administrator_says_how_to_make_one() {
    for format in ["text", "json"] {
        let place = Place::new()
            .with("log.format", format)
            .with("log.level", "trace");
        let (first, second) = (offered(&said(&place)), offered(&said(&place)));
        assert_ne!(first, second, "a restart makes another one");
        for (path, contents) in place.files() {
            let contents = String::from_utf8_lossy(&contents);
            assert!(!contents.contains(&second), "{}", path.display());
        }
        place
            .run_with(
                &[
                    "user",
                    "add",
                    "root@example.com",
                    "--role",
                    "admin",
                    "--password-stdin",
                ],
                PASSWORD.as_bytes(),
            )
            .succeeded();
        assert!(!said(&place).contains("administrator"));
    }
}
