//! Starts that fail: one clear sentence, an exit code, and existing data as it was ("What bad input gets"; threat
//! table X6).

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use super::place::{Files, Place};

/// A place whose data a server has written and left in order.
fn lived_in() -> Place {
    let place = Place::new();
    let server = place.serve();
    server.register("ada@example.com");
    server.stop();
    place
}

/// Starts a server that must not start. Every file that was there is as before, and there are no new ones.
#[track_caller]
fn fails(place: &Place, arguments: &[&str]) -> String {
    let before = place.files();
    let place_to_listen: &[_] = match arguments {
        ["--listen", ..] => &[],
        _ => &["--listen", "127.0.0.1:0"],
    };
    let all = [&["serve"], place_to_listen, arguments].concat();
    let sentence = place.run(&all).sentence().to_owned();
    assert_same(&before, &place.files());
    let (code, detail) = place.run(&[all.as_slice(), &["--json"]].concat()).failure();
    assert_eq!(detail, sentence);
    assert!(
        !code.is_empty()
            && code
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase()),
        "{code}"
    );
    assert_same(&before, &place.files());
    sentence
}

#[track_caller]
fn assert_same(before: &Files, after: &Files) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(after), names(before), "files came or went");
    for (path, bytes) in before {
        assert!(after[path] == *bytes, "{} has changed", path.display());
    }
}

#[track_caller]
fn fails_naming(place: &Place, arguments: &[&str], words: &[&str]) {
    let sentence = fails(place, arguments);
    for word in words {
        assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
    }
}

#[test]
fn a_port_in_use() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails_naming(&place, &["--listen", &address], &[&address, "in use"]);
    assert!(!place.path("symbolon-data").exists());
}

#[test]
fn an_unknown_setting_names_the_nearest() {
    let place = Place::new();
    place.write("symbolon.toml", "[tokens]\n\naccess_tll = \"15m\"\n");
    let words = [
        "symbolon.toml:3",
        "`tokens.access_tll`",
        "`tokens.access_ttl`",
    ];
    fails_naming(&place, &[], &words);
    fs::remove_file(place.path("symbolon.toml")).unwrap();
    let place = place.with("refresh.idel_ttl", "7d");
    let words = ["SYMBOLON_REFRESH__IDEL_TTL", "SYMBOLON_REFRESH__IDLE_TTL"];
    fails_naming(&place, &[], &words);
    assert!(!place.path("symbolon-data").exists());
}

#[test]
fn a_bad_value() {
    let place = Place::new().with("tokens.access_ttl", "soon");
    fails_naming(&place, &[], &["SYMBOLON_TOKENS__ACCESS_TTL", "soon", "15m"]);
    let place = place.with("tokens.access_ttl", "15m");
    place.write("other.toml", "[server]\nissuer = \"http://example.com\"\n");
    fails_naming(
        &place,
        &["--config", "other.toml"],
        &["other.toml:2", "https"],
    );
    fails_naming(&place, &["--config", "missing.toml"], &["missing.toml"]);
    place.write("broken.toml", "[server\n");
    fails_naming(
        &place,
        &["--config", "broken.toml"],
        &["broken.toml:1", "TOML"],
    );
    fails_naming(
        &place,
        &["--database", "mysql://x"],
        &["--database", "postgres://"],
    );
    assert!(!place.path("symbolon-data").exists());
}

#[test]
fn a_data_folder_that_cannot_be() {
    let place = Place::new();
    place.write("taken", "a file of somebody");
    fails_naming(&place, &["--data", "taken"], &["taken"]);
    fails_naming(&place, &["--data", "taken/inside"], &["taken/inside"]);
    // Nobody may make a folder there, the superuser included.
    if Path::new("/proc/self").exists() {
        fails_naming(&place, &["--data", "/proc/symbolon"], &["/proc/symbolon"]);
    }
    let place = lived_in();
    fs::set_permissions(
        place.path("symbolon-data"),
        fs::Permissions::from_mode(0o500),
    )
    .unwrap();
    let writable = fs::write(place.data("probe"), "").is_ok();
    if writable {
        // The superuser: nothing is in the way.
        fs::remove_file(place.data("probe")).unwrap();
    } else {
        fails(&place, &[]);
    }
    fs::set_permissions(
        place.path("symbolon-data"),
        fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    place.serve().stop();
}

#[test]
fn a_damaged_database() {
    let place = lived_in();
    let file = place.data("symbolon.db");
    let good = fs::read(&file).unwrap();
    // The first page after the header: the list of tables.
    let mut torn = good.clone();
    torn[100..4096].fill(0xff);
    fs::write(&file, &torn).unwrap();
    fails_naming(&place, &[], &["symbolon.db", "damaged", "backup"]);
    // Half of it is gone.
    fs::write(&file, &good[..good.len() / 2 / 4096 * 4096]).unwrap();
    fails_naming(&place, &[], &["symbolon.db", "damaged", "backup"]);
    // Something else.
    fs::write(&file, vec![b'x'; 8192]).unwrap();
    fails_naming(&place, &[], &["symbolon.db", "not a SQLite database"]);
    fs::write(&file, "notes").unwrap();
    fails_naming(&place, &[], &["symbolon.db", "not a SQLite database"]);
    fs::write(&file, &good).unwrap();
    place.serve().stop();
}

#[test]
fn a_database_of_another_program() {
    let place = Place::new();
    let file = place.path("other.db");
    let other = Connection::open(&file).unwrap();
    other
        .execute_batch("CREATE TABLE letters (text TEXT); INSERT INTO letters VALUES ('dear')")
        .unwrap();
    other.close().unwrap();
    fails_naming(
        &place,
        &["--database", "sqlite:other.db"],
        &["other.db", "another program"],
    );
    fails_naming(
        &place,
        &["--database", "sqlite:missing/other.db"],
        &["missing"],
    );
}

#[test]
fn a_postgresql_that_does_not_answer() {
    let place = Place::new();
    // Nothing listens on the port that a listener has just given back.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("postgres://ada:hunter2@{free}/symbolon");
    let sentence = fails(&place, &["--database", &url]);
    assert!(sentence.contains("127.0.0.1"), "{sentence}");
    assert!(!sentence.contains("hunter2"), "{sentence}");
}

#[test]
fn a_database_that_another_program_holds() {
    let place = lived_in();
    let before = fs::read(place.data("symbolon.db")).unwrap();
    let holder = Connection::open(place.data("symbolon.db")).unwrap();
    holder
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    // The file is not looked at meanwhile: who closes it gives up the locks of this process.
    let ended = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(ended.sentence().contains("locked"), "{ended:?}");
    holder.execute_batch("ROLLBACK").unwrap();
    holder.close().unwrap();
    assert!(fs::read(place.data("symbolon.db")).unwrap() == before);
    place.serve().stop();
}

#[test]
fn a_master_key_that_is_not_there() {
    let place = lived_in();
    let key = place.data("master.key");
    let text = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    fails_naming(&place, &[], &["master.key", "missing", "server.master_key"]);
    assert!(!key.exists(), "it is never made again");
    // Nor is it made for a database elsewhere.
    fs::rename(place.data("symbolon.db"), place.path("moved.db")).unwrap();
    fs::remove_dir_all(place.path("symbolon-data")).unwrap();
    fs::create_dir(place.path("symbolon-data")).unwrap();
    fails_naming(&place, &["--database", "sqlite:moved.db"], &["master.key"]);
    // As a setting it is as good.
    let place = place.with("server.master_key", text.trim());
    place.serve_with(&["--database", "sqlite:moved.db"]).stop();
}

#[test]
fn a_master_key_that_is_unusable() {
    let place = lived_in();
    let key = place.data("master.key");
    let good = fs::read(&key).unwrap();
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    fails_naming(&place, &[], &["master.key", "chmod 600"]);
    mode(0o600);
    for bad in [
        "",
        "\n",
        "c2hvcnQ",
        "not base64 at all, and long enough to be a key",
        &"A".repeat(2000),
    ] {
        fs::write(&key, bad).unwrap();
        fails_naming(&place, &[], &["master.key"]);
    }
    fs::write(&key, [0xff; 43]).unwrap();
    fails_naming(&place, &[], &["master.key"]);
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    fails_naming(&place, &[], &["master.key"]);
    fs::remove_dir(&key).unwrap();
    fs::write(&key, "bm90IHRoZSBrZXkgb2YgdGhpcyBzdG9yZSwgc29ycnk").unwrap();
    mode(0o600);
    fails_naming(&place, &[], &["master key", "does not open"]);
    // What commands do with keys is refused as well.
    let rotated = place.run(&["key", "rotate"]);
    assert!(rotated.sentence().contains("does not open"), "{rotated:?}");
    fs::write(&key, good).unwrap();
    place.serve().stop();
}

#[test]
fn a_newer_schema() {
    let place = lived_in();
    let database = Connection::open(place.data("symbolon.db")).unwrap();
    let note = "INSERT INTO schema_migrations VALUES (99, 'later', 'x', ?1, 0)";
    database.execute(note, [99]).unwrap();
    database.close().unwrap();
    fails_naming(&place, &[], &["newer version", "99"]);
    // One that only added is none of our business (threat table X8).
    let database = Connection::open(place.data("symbolon.db")).unwrap();
    let change = "UPDATE schema_migrations SET needs = 1 WHERE number = 99";
    database.execute(change, []).unwrap();
    database.close().unwrap();
    place.serve().stop();
}
