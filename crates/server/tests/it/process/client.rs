//! `symbolon-client` against a real server: a whole life, and many tasks on a network that loses one answer in five.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use symbolon_client::{
    Client, Clock, Error, FileStore, Login, Presence, Registration, SignedOutReason,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::place::{PASSWORD, Place};

const EMAIL: &str = "ada@example.com";
const TASKS: u32 = 50;
const ROUNDS: u32 = 20;
/// Longer than an access token lives.
const AGES: Duration = Duration::from_secs(3_600);

/// A network between a client and the server.
#[derive(Default)]
struct Network {
    /// Numbers that look like chance and are the same in every run (Marsaglia's xorshift); 0 where nothing is lost.
    dice: u64,
    lost: u32,
    refreshes: u32,
    refreshing: u32,
    most_at_once: u32,
}

impl Network {
    fn loses_this(&mut self) -> bool {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        let lost = self.dice != 0 && (self.dice >> 20).is_multiple_of(5);
        self.lost += u32::from(lost);
        lost
    }

    fn refresh_begins(&mut self) {
        self.refreshes += 1;
        self.refreshing += 1;
        self.most_at_once = self.most_at_once.max(self.refreshing);
    }
}

/// The address at which the server is reached over the network.
async fn through(network: &Arc<Mutex<Network>>, server: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let network = Arc::clone(network);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(server).await.unwrap();
            tokio::spawn(carry(client, upstream, Arc::clone(&network)));
        }
    });
    url
}

/// Carries one connection, until somebody ends it or an answer is lost.
async fn carry(mut client: TcpStream, mut server: TcpStream, network: Arc<Mutex<Network>>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut is_refresh = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { break };
                if asked[..length].starts_with(b"POST /api/refresh") {
                    is_refresh = true;
                    network.lock().unwrap().refresh_begins();
                }
                if server.write_all(&asked[..length]).await.is_err() {
                    break;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { break };
                network.lock().unwrap().refreshing -= u32::from(std::mem::take(&mut is_refresh));
                if network.lock().unwrap().loses_this()
                    || client.write_all(&answered[..length]).await.is_err()
                {
                    break;
                }
            }
        }
    }
    network.lock().unwrap().refreshing -= u32::from(is_refresh);
}

async fn json(client: &Client, url: &str) -> Value {
    let answer = client.get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_life() {
    let place = Place::new();
    let server = place.serve();
    let issuer = format!("http://{}", server.address);
    let clock = Clock::frozen();
    let client = || {
        let client = Client::builder(issuer.as_str()).clock(clock.clone());
        let kept = FileStore::new(place.path("session"));
        client.store(kept).build().unwrap()
    };
    let ada = client();
    let error = ada.register(&Registration::new("ada", "x")).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Some("validation_failed"));
    let fields = &error.refusal().unwrap().fields;
    assert_eq!((fields.len(), fields[0].pointer.as_str()), (2, "/email"));
    let registration = Registration::new(EMAIL, PASSWORD).username("ada");
    let made = ada.register(&registration.name("Ada")).await.unwrap();
    let error = ada.login(&Login::new("ada", "another one")).await;
    assert_eq!(error.unwrap_err().code(), Some("invalid_credentials"));
    let login = Login::new("ada", PASSWORD).device("laptop");
    assert_eq!(ada.login(&login).await.unwrap(), made);
    let sessions = json(&ada, &format!("{issuer}/api/sessions")).await;
    assert_eq!(sessions["items"][0]["device"], "laptop");

    let before = ada.access_token().await.unwrap();
    clock.advance(AGES);
    let after = ada.access_token().await.unwrap();
    assert_ne!(before.reveal(), after.reveal());
    let other = client();
    assert_eq!(other.restore().await.unwrap(), Some(made));
    clock.advance(AGES);
    let profile = json(&ada, &format!("{issuer}/api/user/profile")).await;
    assert_eq!(profile["email"], EMAIL);

    other.logout_everywhere().await.unwrap();
    let error = ada.get(&format!("{issuer}/api/user/profile")).await;
    let reason = match error.unwrap_err() {
        Error::SignedOut { reason, .. } => reason,
        other => panic!("{other}"),
    };
    // The file that both share is empty by now.
    assert_eq!(reason, SignedOutReason::NoRefreshToken);
    assert_eq!(*ada.presence().borrow(), Presence::SignedOut(reason));
    ada.login(&login).await.unwrap();
    ada.logout().await.unwrap();
    assert_eq!(client().restore().await.unwrap(), None);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tasks_on_a_bad_network_stay_signed_in_with_one_session_and_one_refresh_at_a_time() {
    let place = Place::new();
    let server = place.serve();
    server.register("bob@example.com");
    let network = Arc::new(Mutex::new(Network::default()));
    let issuer = through(&network, server.address).await;
    let clock = Clock::frozen();
    let client = Client::builder(issuer.as_str()).clock(clock.clone());
    let client = client.seed(7).build().unwrap();
    let login = Login::new("bob@example.com", PASSWORD);
    client.login(&login).await.unwrap();
    let session = json(&client, &format!("{issuer}/api/sessions")).await;
    network.lock().unwrap().dice = 0x5eed_5b01;
    let profile = format!("{issuer}/api/user/profile");
    for _ in 0..ROUNDS {
        clock.advance(AGES);
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (client, profile) = (client.clone(), profile.clone());
            tasks.spawn(async move {
                loop {
                    match client.get(&profile).await {
                        Ok(answer) => break assert_eq!(answer.status(), 200),
                        Err(error) => assert!(matches!(error, Error::Network(_)), "{error}"),
                    }
                }
            });
        }
        tasks.join_all().await;
    }
    network.lock().unwrap().dice = 0;
    assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
    let sessions = json(&client, &format!("{issuer}/api/sessions")).await;
    let ids = |sessions: &Value| -> Vec<Value> {
        let items = sessions["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].clone()).collect()
    };
    // The other one is that of the device which made the account.
    assert_eq!((ids(&sessions).len(), ids(&sessions)), (2, ids(&session)));
    let network = network.lock().unwrap();
    assert_eq!(network.most_at_once, 1);
    assert!(network.refreshes >= ROUNDS && network.lost > ROUNDS);
    println!(
        "{ROUNDS} rounds, {TASKS} tasks: {} refreshes, {} answers lost",
        network.refreshes, network.lost
    );
    drop(network);
    server.stop();
}
