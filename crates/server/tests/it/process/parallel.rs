//! Many callers with one refresh token, on one server and on two (CONTRACT section 5, rule 2; threat table R1, R5).

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use symbolon_testkit::Postgres;

use super::place::Place;
use super::running::{Server, Stopwatch};

const CALLERS: usize = 64;
/// More requests than fit into any bound on the delay of a revocation.
const MOST_POLLS: usize = 20_000;

/// Presents `token` on [`CALLERS`] connections at once, spread over `servers`: the one successor.
fn successor_of_all(servers: &[&Server], token: &str) -> String {
    let barrier = Arc::new(Barrier::new(CALLERS));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let mut connection = servers[number % servers.len()].connect();
            let (barrier, token) = (Arc::clone(&barrier), token.to_owned());
            thread::spawn(move || {
                barrier.wait();
                let reply = connection.refresh(&token).unwrap().expect(200);
                let access = reply.text("accessToken");
                connection.profile(&access).unwrap().expect(200);
                reply.text("refreshToken")
            })
        })
        .collect();
    let mut successors: Vec<_> = callers
        .into_iter()
        .map(|caller| caller.join().unwrap())
        .collect();
    assert_eq!(successors.len(), CALLERS);
    successors.dedup();
    assert_eq!(successors.len(), 1, "one token, several successors");
    successors.remove(0)
}

#[test]
fn parallel_refreshes_have_one_successor_on_sqlite() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let mut token = device.refresh;
    for _ in 0..3 {
        let next = successor_of_all(&[&server], &token);
        assert_ne!(next, token);
        token = next;
    }
    server.stop();
}

/// Two servers begin in one empty folder: they end with one set of keys between them.
#[test]
fn two_first_starts_at_once_share_their_keys() {
    for _ in 0..5 {
        let place = Arc::new(Place::new());
        let barrier = Arc::new(Barrier::new(2));
        let starts: Vec<_> = (0..2)
            .map(|_| {
                let (place, barrier) = (Arc::clone(&place), Arc::clone(&barrier));
                thread::spawn(move || {
                    barrier.wait();
                    place.serve()
                })
            })
            .collect();
        // Both are waited for before either is judged, so that none is left running.
        let started: Vec<_> = starts.into_iter().map(|start| start.join()).collect();
        let servers: Vec<_> = started.into_iter().map(Result::unwrap).collect();
        let device = servers[0].register("ada@example.com");
        let reply = servers[1].connect().refresh(&device.refresh).unwrap();
        let access = reply.expect(200).text("accessToken");
        servers[0].connect().profile(&access).unwrap().expect(200);
        assert_eq!(servers[0].kids(), servers[1].kids());
        for server in servers {
            server.stop();
        }
    }
}

#[test]
fn a_server_of_a_postgresql_makes_its_master_key_in_the_data_folder() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let place = Place::new().with("database.url", &postgres.url());
    let server = place.serve();
    let device = server.register("ada@example.com");
    server.stop();
    let server = place.serve();
    server
        .connect()
        .profile(&device.access)
        .unwrap()
        .expect(200);
    server.stop();
    std::fs::remove_file(place.data("master.key")).unwrap();
    let ended = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(ended.sentence().contains("master.key"), "{ended:?}");
    assert!(!place.data("master.key").exists());
}

#[test]
fn parallel_refreshes_have_one_successor_on_two_servers_of_one_postgresql() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let url = postgres.url();
    // Their issuer is the one that the first start keeps with the data.
    let places = [(); 2].map(|()| Place::node(&url).without("server.issuer"));
    let [one, other] = places.each_ref().map(Place::serve);
    let device = one.register("ada@example.com");
    let mut token = device.refresh.clone();
    for _ in 0..3 {
        token = successor_of_all(&[&one, &other], &token);
    }
    let on_one = one.connect().refresh(&token).unwrap().expect(200);
    let on_other = other.connect().refresh(&token).unwrap().expect(200);
    assert_eq!(on_one.text("refreshToken"), on_other.text("refreshToken"));
    let delay = signs_out_everywhere(&one, &other, &on_other.text("accessToken"));
    println!("from the answer to a sign-out to the refusal at the other server: {delay:?}");
    let next = on_one.text("refreshToken");
    let refused = other.connect().refresh(&next).unwrap();
    refused.refused(401, "session_revoked");
    one.stop();
    other.stop();
}

/// Signs out on `one`: how long it takes until `other` obeys.
fn signs_out_everywhere(one: &Server, other: &Server, access: &str) -> Duration {
    let mut connection = other.connect();
    connection.profile(access).unwrap().expect(200);
    let reply = one.connect().sign_out(access);
    let watch = Stopwatch::start();
    reply.unwrap().expect(204);
    one.connect()
        .profile(access)
        .unwrap()
        .refused(401, "token_revoked");
    for _ in 0..MOST_POLLS {
        let reply = connection.profile(access).unwrap();
        if reply.status == 401 {
            reply.refused(401, "token_revoked");
            return watch.elapsed();
        }
        reply.expect(200);
    }
    panic!("the other server takes the token of a session that has ended");
}
