//! A disk with no room left: nothing is acknowledged that is not stored, the server lives, and goes on when there is
//! room again ("What bad input gets"; threat table X1).

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;

use super::http::{Connection, Reply};
use super::place::{PASSWORD, Place, finish};
use super::running::{Device, Server};

/// Refreshes until the disk is full: some thousands at most.
const MOST_REQUESTS: usize = 100_000;

/// Whether the server says that it has no room: 503, and when to come back.
#[track_caller]
fn is_refused(reply: &Reply) -> bool {
    if reply.status < 500 {
        return false;
    }
    assert_eq!(
        (reply.status, reply.text("code").as_str()),
        (503, "overloaded")
    );
    assert!(reply.has_header("retry-after"), "{reply:?}");
    true
}

/// Refreshes until the first refusal: the newest token that was answered.
fn until_full(connection: &mut Connection, mut token: String) -> String {
    for _ in 0..MOST_REQUESTS {
        let reply = connection.refresh(&token).unwrap();
        if is_refused(&reply) {
            return token;
        }
        token = reply.expect(200).text("refreshToken");
    }
    panic!("the disk is never full");
}

/// Fills the disk, then gives it room again.
fn survives_a_full_disk(server: &Server, device: &Device, make_room: impl FnOnce()) -> String {
    let mut connection = server.connect();
    let token = until_full(&mut connection, device.refresh.clone());
    // Reads need no room.
    connection.profile(&device.access).unwrap().expect(200);
    // Writes are refused, each of them, for as long as it lasts. A write of a few bytes may still find its room.
    let newcomer = json!({ "email": "late@example.com", "password": PASSWORD });
    let registered = connection.post("/api/register", &newcomer).unwrap();
    let stored = !is_refused(&registered);
    let sign_in = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = connection.post("/api/login", &sign_in).unwrap();
    assert!(
        is_refused(&signed_in) || signed_in.status == 200,
        "{signed_in:?}"
    );
    let path = "/api/logout/all";
    let signed_out = connection
        .call("POST", path, Some(&device.access), None)
        .unwrap();
    assert!(is_refused(&signed_out), "{signed_out:?}");
    // A sign-out that was not acknowledged did not happen.
    connection.profile(&device.access).unwrap().expect(200);
    make_room();
    let reply = connection.refresh(&token).unwrap().expect(200);
    let login = connection.post("/api/login", &newcomer).unwrap();
    login.expect(if stored { 200 } else { 401 });
    server.register("after@example.com");
    reply.text("refreshToken")
}

#[test]
fn a_limit_on_the_size_of_files() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    server.stop();
    // Ignored, the signal leaves the error of the write, as a full disk does.
    let limit = "trap '' XFSZ; ulimit -S -f 512; exec \"$0\" \"$@\"";
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let server = Server::start(place.through(&["sh", "-c", limit], &arguments));
    let make_room = || {
        let unlimited = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit {
            current: unlimited,
            maximum: unlimited,
        };
        prlimit(Some(server.pid()), Resource::Fsize, limit).unwrap();
    };
    let token = survives_a_full_disk(&server, &device, make_room);
    server.stop();
    let server = place.serve();
    server.connect().refresh(&token).unwrap().expect(200);
    server
        .connect()
        .profile(&device.access)
        .unwrap()
        .expect(200);
    server.stop();
}

/// A file system of 2 MiB that only the server and what it starts can see; it goes with the process.
#[test]
fn a_file_system_that_is_full() {
    let place = Place::new();
    std::fs::create_dir(place.path("symbolon-data")).unwrap();
    let wrapper = "mount -t tmpfs -o size=2m,mode=0700 tmpfs symbolon-data && exec \"$0\" \"$@\"";
    let words = ["unshare", "-r", "-m", "sh", "-c", wrapper];
    let probed = finish(place.through(&words, &["--version"]), b"");
    if probed.code != Some(0) {
        symbolon_testkit::skip("a full file system: no user namespace to mount one in");
        return;
    }
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let server = Server::start(place.through(&words, &arguments));
    let device = server.register("ada@example.com");
    let inside = std::path::PathBuf::from(format!("/proc/{}/root", server.pid()))
        .join(place.path("symbolon-data").strip_prefix("/").unwrap());
    let filler = inside.join("filler");
    // As much as there is room for, all but what the next refreshes take.
    let written = std::fs::write(&filler, vec![0; 1024 * 1024]);
    written.unwrap();
    let make_room = || std::fs::remove_file(&filler).unwrap();
    let token = survives_a_full_disk(&server, &device, make_room);
    server.connect().refresh(&token).unwrap().expect(200);
    // A copy of what is on that disk is whole.
    std::fs::create_dir(place.path("saved")).unwrap();
    for name in ["symbolon.db", "symbolon.db-wal", "master.key"] {
        std::fs::copy(inside.join(name), place.path("saved").join(name)).unwrap();
    }
    server.kill();
    let server = place.serve_with(&["--data", "saved"]);
    server.connect().refresh(&token).unwrap().expect(200);
    server.stop();
}
