//! Connections are cut in the middle of an event, the server is killed, thousands of revocations are committed by many
//! at once: no guard misses one.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use symbolon_domain::Timestamp;
use symbolon_domain::revocation::{Effect, Revocation, Subject};
use symbolon_store::{DatabaseUrl, OpenOptions, Store};
use symbolon_testkit::Postgres;

use super::super::place::Place;
use super::examples::examples;

const REVOCATIONS: i64 = 10_000;
const WRITERS: i64 = 8;
/// How often the server is killed on the way.
const KILLS: i64 = 3;

#[test]
fn no_guard_misses_one_on_the_embedded_database() {
    let place = Place::new();
    let url = format!("sqlite:{}", place.data("symbolon.db").display());
    chaos(place, &url);
}

#[test]
fn no_guard_misses_one_on_postgresql() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let url = postgres.url();
    chaos(Place::new().with("database.url", &url), &url);
}

fn chaos(place: Place, database: &str) {
    let proxy = Proxy::start();
    let issuer = format!("http://{}", proxy.address);
    let place = place.with("server.issuer", &issuer);
    let mut server = place.serve();
    proxy.lead_to(server.address);
    let examples = examples(&issuer);
    // From here on no connection is safe.
    proxy.cut.store(true, Ordering::SeqCst);

    let committed = Arc::new(AtomicI64::new(0));
    let writers = write(database, &committed);
    for kill in 1..=KILLS {
        while committed.load(Ordering::SeqCst) < kill * REVOCATIONS / (KILLS + 1) {
            thread::yield_now();
        }
        server.kill();
        server = place.serve();
        proxy.lead_to(server.address);
    }
    writers.join().unwrap();
    for example in &examples {
        let state = example.state();
        let epoch = state["epoch"].as_str().unwrap_or_default().to_owned();
        example.wait_for(&epoch, REVOCATIONS);
        let state = example.state();
        assert_eq!(
            (&state["entries"], &state["seq"]),
            (&REVOCATIONS.into(), &REVOCATIONS.into()),
            "{}: {state}",
            example.name
        );
        assert!(
            state["reconnects"].as_u64() >= Some(KILLS as u64),
            "{}: {state}",
            example.name
        );
    }
    server.stop();
}

/// Commits revocations one by one, many at once, as other processes would.
fn write(database: &str, committed: &Arc<AtomicI64>) -> thread::JoinHandle<()> {
    let (url, committed) = (
        database.parse::<DatabaseUrl>().unwrap(),
        Arc::clone(committed),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    thread::spawn(move || {
        runtime.block_on(async {
            let store = Store::open(&url, &OpenOptions::default()).await.unwrap();
            let writers = (0..WRITERS).map(|writer| {
                let (store, committed) = (store.clone(), Arc::clone(&committed));
                tokio::spawn(async move {
                    for number in 0..REVOCATIONS / WRITERS {
                        revoke(&store, &format!("{writer}-{number}")).await;
                        committed.fetch_add(1, Ordering::SeqCst);
                    }
                })
            });
            for writer in writers.collect::<Vec<_>>() {
                writer.await.unwrap();
            }
            store.close().await;
        });
    })
}

async fn revoke(store: &Store, jti: &str) {
    let revocation = Revocation {
        subject: Subject::Token(jti.to_owned()),
        effect: Effect::Revoked,
        // In the year 2100.
        until: Timestamp::from_millis(4_102_444_800_000),
    };
    // A database that is busy says so: it was not committed.
    while store
        .batch()
        .insert_revocation(&revocation)
        .commit()
        .await
        .is_err()
    {}
}

/// Carries bytes to a server that may be another one each time, and cuts what it carries anywhere.
struct Proxy {
    address: SocketAddr,
    to: Arc<Mutex<Option<SocketAddr>>>,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let to = Arc::new(Mutex::new(None));
        let cut = Arc::new(AtomicBool::new(false));
        let (leads, cuts) = (Arc::clone(&to), Arc::clone(&cut));
        let random = AtomicU64::new(0x9e37_79b9_7f4a_7c15);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let to: Option<SocketAddr> = *leads.lock().unwrap();
                // Between 1 and 60 KB: a page, half an event, hundreds of them.
                let random = random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                let most = 1_000 + (random ^ (random >> 31)) % 60_000;
                let cuts = Arc::clone(&cuts);
                if let Some(server) = to.and_then(|to| TcpStream::connect(to).ok()) {
                    carry(client, server, move |carried| {
                        cuts.load(Ordering::SeqCst) && carried > most
                    });
                }
            }
        });
        Self { address, to, cut }
    }

    fn lead_to(&self, server: SocketAddr) {
        *self.to.lock().unwrap() = Some(server);
    }
}

fn carry(client: TcpStream, server: TcpStream, is_cut: impl Fn(u64) -> bool + Send + 'static) {
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        // Whoever breaks off, the other side hears of it.
        let _broken = std::io::copy(&mut from_client, &mut to_server);
        let _closed = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    thread::spawn(move || {
        let (mut carried, mut bytes) = (0, [0; 777]);
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            carried += read as u64;
            if is_cut(carried) || to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _closed = to_client.shutdown(Shutdown::Both);
        let _closed = from_server.shutdown(Shutdown::Both);
    });
}
