//! What lies on the disk: no token, password or private key in the clear, and nobody else may read it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use symbolon_testkit::{Postgres, Redis};
use symbolon_token::encoding;

use super::http::find;
use super::place::{Outcome, PASSWORD, Place};

const OTHER_PASSWORD: &str = "granite meadow lantern 3";
/// The PKCS#8 beginnings of an EC, an Ed25519 and any RSA key, after the length.
const PRIVATE_KEYS: [&[u8]; 3] = [
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04",
    b"\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04",
];

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The bytes to look for: the secrets as they were sent, and what they are made of.
fn needles(secrets: &[String]) -> Vec<Vec<u8>> {
    let mut needles: Vec<Vec<u8>> = PRIVATE_KEYS.iter().map(|start| start.to_vec()).collect();
    for secret in secrets {
        if let Some(body) = secret.strip_prefix("sbr_") {
            let raw = encoding::decode(body.as_bytes()).unwrap();
            // Version, key, session and generation come first; the secret part is what must not be found.
            needles.push(raw[26..58].to_vec());
        } else if let Ok(raw) = encoding::decode(secret.as_bytes()) {
            needles.push(raw);
        }
        needles.push(secret.clone().into_bytes());
    }
    needles
}

#[test]
fn a_copy_of_the_files_holds_no_secret() {
    let place = Place::new().with("log.level", "trace");
    let server = place.serve();
    let device = server.register("ada@example.com");
    let mut secrets = vec![PASSWORD.to_owned(), OTHER_PASSWORD.to_owned()];
    secrets.extend([device.access.clone(), device.refresh.clone()]);
    let mut connection = server.connect();
    let mut token = device.refresh;
    for _ in 0..20 {
        let reply = connection.refresh(&token).unwrap().expect(200);
        token = reply.text("refreshToken");
        secrets.extend([token.clone(), reply.text("accessToken")]);
    }
    place.run(&["key", "rotate", "--now"]);
    let set = [
        "user",
        "set-password",
        "ada@example.com",
        "--password-stdin",
    ];
    place.run_with(&set, OTHER_PASSWORD.as_bytes());
    let master = fs::read_to_string(place.data("master.key"))
        .unwrap()
        .trim()
        .to_owned();
    // A copy of the bytes, of the log as well, while the server runs, and another one after its end.
    let mut copies = place.files();
    assert!(copies.keys().any(|path| path.ends_with("symbolon.db-wal")));
    for path in copies.keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&place.path("symbolon-data")), 0o700);
    let log = server.stop();
    assert!(!log.is_empty());
    copies.extend(
        place
            .files()
            .into_iter()
            .map(|(path, bytes)| (path.join("after"), bytes)),
    );
    copies.insert("the log".into(), log.into_bytes());
    copies.retain(|path, _| !path.to_string_lossy().contains("master.key"));
    assert_eq!(copies.len(), 7, "{:?}", copies.keys());
    secrets.push(master);
    let needles = needles(&secrets);
    for (path, bytes) in &copies {
        for needle in &needles {
            let shown = String::from_utf8_lossy(needle);
            assert!(
                find(bytes, needle).is_none(),
                "{} holds {shown:?}",
                path.display()
            );
        }
    }
}

#[test]
fn a_database_elsewhere_is_private_too() {
    let place = Place::new();
    let server = place.serve_with(&["--database", "sqlite:elsewhere.db", "--data", "a/b"]);
    for name in [
        "elsewhere.db",
        "elsewhere.db-wal",
        "elsewhere.db-shm",
        "a/b/master.key",
    ] {
        assert_eq!(mode(&place.path(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&place.path("a/b")), 0o700);
    server.stop();
}

/// The URL of a database with a password, as an owner writes it; a server that trusts everybody takes it.
fn with_a_password(postgres: &Postgres) -> String {
    let url = postgres.url().replace("&user=postgres", "");
    let url = url.replace("postgres:///", "postgres://postgres:hunter2@/");
    assert!(url.contains(":hunter2@"), "{url}");
    url
}

#[test]
fn p9_a_move_says_no_password() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let mut said = Vec::new();
    let mut note = |outcome: Outcome| {
        said.push(String::from_utf8(outcome.stdout).unwrap());
        said.push(outcome.stderr);
        outcome.code
    };
    let places = [(); 2].map(|()| Place::new().with("log.level", "trace"));
    for (place, json) in places.iter().zip([true, false]) {
        let server = place.serve();
        let device = server.register("ada@example.com");
        let url = with_a_password(&postgres);
        let words = ["migrate", "--to", &url, "--json"];
        let words = if json { &words[..] } else { &words[..3] };
        assert_eq!(note(place.run(words)), Some(0));
        // It goes over, which is what its log tells of.
        let mut connection = server.connect();
        connection.refresh(&device.refresh).unwrap().expect(200);
        let log = server.stop();
        assert!(log.contains("database.url"), "{log}");
        assert!(!log.contains("hunter2"), "{log}");
        note(place.run(&["audit", "list", "--json"]));
        note(place.run(&["user", "list"]));
        assert_eq!(note(place.run(&["key", "list"])), Some(0));
        note(place.run(&["migrate", "--to", &url]));
        note(place.run(&["migrate", "--abandon"]));
        let other = with_a_password(&postgres);
        note(place.run(&["migrate", "--to", &other, "--json"]));
    }
    drop(postgres);
    for place in &places {
        for words in [["user", "list"], ["key", "list"], ["serve", "--json"]] {
            assert_ne!(note(place.run(&words)), Some(0), "{words:?}");
        }
    }
    assert!(said.iter().any(|text| text.contains("database_moved")));
    for text in &said {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// Wrong URLs, of a cache with a password: who wrote them is told so, and nobody the password.
const MISTYPED: [&str; 4] = [
    "http://:hunter2@127.0.0.1",
    "redis://:hunter2@127.0.0.1:port",
    "redis://:hunter2@[::1",
    "rediss://me:hunter2@127.0.0.1:1/hunter2",
];

#[test]
fn p9_a_cache_that_is_not_there_or_refuses_says_no_password() {
    let Some(redis) = Redis::start() else {
        return;
    };
    // Nobody is there, or somebody who knows no such password.
    let with = |user: &str| redis.url().replace("://", &format!("://{user}:hunter2@"));
    let urls = [
        ("debug", "redis://:hunter2@127.0.0.1:1".to_owned()),
        ("trace", "rediss://me:hunter2@127.0.0.1:1/7".to_owned()),
        ("debug", with("me")),
        ("trace", with("")),
    ];
    let mut said = Vec::new();
    let mut note = |outcome: Outcome| {
        said.push(String::from_utf8(outcome.stdout).unwrap());
        said.push(outcome.stderr);
        outcome.code
    };
    for (level, url) in &urls {
        let place = Place::new().with("log.level", level).with("cache.url", url);
        for words in [
            &["config", "check"][..],
            &["config", "show"],
            &["config", "show", "--json"],
        ] {
            assert_eq!(note(place.run(words)), Some(0), "{words:?}");
        }
        let server = place.serve();
        server.sign_out(&server.register("ada@example.com"));
        let log = server.stop();
        assert!(log.contains("each node counts for itself"), "{url}: {log}");
        assert!(!log.contains("hunter2"), "{log}");
    }
    for url in MISTYPED {
        let place = Place::new()
            .with("log.level", "trace")
            .with("cache.url", url);
        for words in [
            &["config", "check"][..],
            &["config", "check", "--json"],
            &["serve"],
            &["user", "list", "--json"],
        ] {
            assert_ne!(note(place.run(words)), Some(0), "{url}: {words:?}");
        }
    }
    assert!(said.iter().any(|text| text.contains("cache.url")));
    for text in &said {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
