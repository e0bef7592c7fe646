//! `GET /api/revocations`, `GET /api/revocations/stream`

use std::time::Duration;

use rusqlite::Connection as Database;
use serde_json::{Value, json};
use symbolon::clock::Clock;
use symbolon::flows::{self, users};
use symbolon_domain::UserStatus;
use symbolon_domain::revocation::{Effect, Revocation, Subject};
use symbolon_token::{encoding, feed_key};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::app::{Folder, START, TestApp};
use crate::client::{Answer, Request};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stream of events.
pub struct Events {
    pub head: Answer,
    received: Vec<u8>,
    stream: TcpStream,
}

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

impl Events {
    pub async fn of(request: Request) -> Self {
        let (head, received, stream) = request.begin().await;
        Self {
            head,
            received,
            stream,
        }
    }

    /// The next event, nothing at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let end = self.received.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let text: Vec<u8> = self.received.drain(..end + 2).collect();
                return Some(Event::parse(std::str::from_utf8(&text).unwrap()));
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.received)).await;
            if read.expect("no event came").unwrap() == 0 {
                assert!(self.received.is_empty(), "half an event");
                return None;
            }
        }
    }

    /// The next event that is no heartbeat.
    pub async fn news(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream is over");
            if event.name != "heartbeat" {
                return event;
            }
        }
    }
}

impl Event {
    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let prefix = format!("{name}: ");
            let values = text
                .lines()
                .filter_map(move |line| line.strip_prefix(prefix.as_str()).map(str::to_owned));
            values.collect::<Vec<_>>()
        };
        Self {
            name: field("event").remove(0),
            id: field("id").pop(),
            data: serde_json::from_str(&field("data").join("\n")).unwrap(),
        }
    }
}

fn named(kind: &str, id: &str) -> String {
    encoding::encode(&feed_key(kind, id))
}

/// The list, once it holds as many entries and they are published: that is a moment after they are committed.
async fn listed(app: &TestApp, entries: usize) -> Value {
    let work = async {
        loop {
            let list = app.get("/api/revocations").send().await.json();
            let published = app.app.issuance().unwrap().feed.place().seq();
            let all = list["entries"].as_array().unwrap().len() >= entries;
            if all && Some(published) >= list["seq"].as_i64() {
                return list;
            }
        }
    };
    timeout(PATIENCE, work)
        .await
        .expect("they are not published")
}

#[tokio::test]
async fn the_list_names_what_was_ended_by_digests() {
    let app = TestApp::start().await;
    let empty = app.get("/api/revocations").send().await;
    let list = empty.expect(200).json();
    assert_eq!((&list["seq"], &list["entries"]), (&json!(0), &json!([])));
    assert_eq!(list["now"], app.now_seconds());
    let ada = app.user().await;
    app.post("/api/logout")
        .bearer(&ada.access)
        .send()
        .await
        .expect(204);
    let list = listed(&app, 1).await;
    let until = app.now_seconds() + 900 + 60 + 1;
    assert_eq!(
        list["entries"],
        json!([{"seq": 1, "kind": "session", "key": named("session", &ada.sid), "effect": "revoked", "until": until}])
    );
    assert_eq!(list["seq"], 1);
    assert!(!list.to_string().contains(&ada.sid));
}

#[tokio::test]
async fn an_etag_spares_the_list_and_since_its_beginning() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    let before = app.get("/api/revocations").send().await;
    let tag = before.header("etag").unwrap().to_owned();
    let ask = |path: &str| app.get(path);
    let unchanged = ask("/api/revocations")
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(
        (unchanged.expect(304).body.len(), unchanged.header("etag")),
        (0, Some(tag.as_str()))
    );
    let epoch = before.json()["epoch"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let device = app.login("ada").await;
        app.post("/api/logout")
            .bearer(&device.access)
            .send()
            .await
            .expect(204);
    }
    listed(&app, 2).await;
    ask("/api/revocations")
        .header("if-none-match", &tag)
        .send()
        .await
        .expect(200);
    let entries = async |since: &str| {
        let list = ask(&format!("/api/revocations?since={since}")).send().await;
        list.expect(200).json()["entries"].as_array().unwrap().len()
    };
    assert_eq!(entries(&format!("{epoch}:1")).await, 1);
    assert_eq!(entries(&format!("{epoch}:2")).await, 0);
    // From the future, and of another epoch: that point is gone.
    assert_eq!(entries(&format!("{epoch}:3")).await, 2);
    assert_eq!(entries("other:1").await, 2);
    for bad in ["x", "", ":1", "e:", "e:-1"] {
        ask(&format!("/api/revocations?since={bad}"))
            .send()
            .await
            .problem(400, "malformed_request");
    }
    ask("/api/revocations?since=e:1&since=e:2")
        .send()
        .await
        .problem(400, "malformed_request");
    app.assert_signed_in(&ada).await;
}

#[tokio::test]
async fn a_long_list_is_whole_and_valid() {
    let app = TestApp::start().await;
    let mut batch = app.app.store.batch();
    for number in 0..1000 {
        batch.insert_revocation(&revocation(number));
    }
    batch.commit().await.unwrap();
    let list = listed(&app, 1000).await;
    let seqs: Vec<_> = list["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=1000).collect::<Vec<_>>());
    let mut events = Events::of(app.get("/api/revocations/stream")).await;
    let snapshot = events.next().await.unwrap();
    assert_eq!(snapshot.data["entries"], list["entries"]);
    let epoch = list["epoch"].as_str().unwrap();
    let resumed = app.get(&format!("/api/revocations/stream?since={epoch}:300"));
    let mut events = Events::of(resumed).await;
    for seq in 301..=1000 {
        let event = events.news().await;
        assert_eq!(
            (event.name.as_str(), &event.data["seq"]),
            ("revocation", &json!(seq))
        );
    }
    // A heartbeat follows at once and says that this was all.
    assert_eq!(events.next().await.unwrap().data["seq"], 1000);
}

fn revocation(number: usize) -> Revocation {
    Revocation {
        subject: Subject::Token(number.to_string()),
        effect: Effect::Revoked,
        until: START.plus(Duration::from_secs(900)),
    }
}

#[tokio::test]
async fn the_stream_begins_with_a_snapshot_and_goes_on() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user().await, app.other_user().await);
    app.post("/api/logout")
        .bearer(&ada.access)
        .send()
        .await
        .expect(204);
    let epoch = listed(&app, 1).await["epoch"].as_str().unwrap().to_owned();
    let mut events = Events::of(app.get("/api/revocations/stream")).await;
    assert_eq!(
        events.head.expect(200).header("content-type"),
        Some("text/event-stream")
    );
    assert_eq!(events.head.header("cache-control"), Some("no-store"));
    let snapshot = events.next().await.unwrap();
    assert_eq!(
        (snapshot.name.as_str(), snapshot.id),
        ("snapshot", Some(format!("{epoch}:1")))
    );
    assert_eq!(
        snapshot.data["entries"][0]["key"],
        json!(named("session", &ada.sid))
    );
    let heartbeat = events.next().await.unwrap();
    assert_eq!((heartbeat.name.as_str(), heartbeat.id), ("heartbeat", None));
    assert_eq!(heartbeat.data, json!({"now": app.now_seconds(), "seq": 1}));
    let stored = app.stored(&bob).await;
    users::set_status(
        &app.app,
        flows::actor::Actor::Operator,
        stored.clone(),
        UserStatus::Disabled,
        &flows::Origin::default(),
    )
    .await
    .unwrap();
    let event = events.news().await;
    assert_eq!(
        (event.name.as_str(), event.id),
        ("revocation", Some(format!("{epoch}:2")))
    );
    assert_eq!(
        event.data["key"],
        json!(named("user", &stored.id.to_string()))
    );
    assert_eq!(
        (&event.data["kind"], &event.data["below"]),
        (&json!("user"), &json!(stored.token_version + 1))
    );
}

#[tokio::test]
async fn a_point_to_go_on_from_is_gone_on_from() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        let device = match app.get("/api/revocations").send().await.json()["seq"].as_i64() {
            Some(0) => app.user().await,
            _ => app.login("ada").await,
        };
        app.post("/api/logout")
            .bearer(&device.access)
            .send()
            .await
            .expect(204);
        listed(&app, 1).await;
    }
    let epoch = listed(&app, 3).await["epoch"].as_str().unwrap().to_owned();
    let stream = |id: &str| {
        app.get("/api/revocations/stream")
            .header("last-event-id", id)
    };
    let mut resumed = Events::of(stream(&format!("{epoch}:1"))).await;
    assert_eq!(resumed.news().await.data["seq"], 2);
    assert_eq!(resumed.news().await.data["seq"], 3);
    let mut at_the_end = Events::of(stream(&format!("{epoch}:3"))).await;
    assert_eq!(at_the_end.next().await.unwrap().name, "heartbeat");
    // The header goes before the query; what is no point of this feed gets everything.
    let both = app.get(&format!("/api/revocations/stream?since={epoch}:1"));
    let both = both.header("last-event-id", &format!("{epoch}:2"));
    assert_eq!(Events::of(both).await.news().await.data["seq"], 3);
    for gone in [
        format!("{epoch}:4"),
        "other:2".to_owned(),
        "nonsense".to_owned(),
        "\u{e9}".to_owned(),
    ] {
        let first = Events::of(stream(&gone)).await.next().await.unwrap();
        assert_eq!(
            (first.name.as_str(), &first.data["seq"]),
            ("snapshot", &json!(3)),
            "{gone}"
        );
    }
    app.get("/api/revocations/stream?since=x")
        .send()
        .await
        .problem(400, "malformed_request");
}

#[tokio::test]
async fn another_epoch_ends_the_stream_and_begins_with_a_snapshot() {
    let app = TestApp::start().await;
    let mut events = Events::of(app.get("/api/revocations/stream")).await;
    let old = events.next().await.unwrap().id.unwrap();
    let mut batch = app.app.store.batch();
    batch.renew_feed("another");
    batch.commit().await.unwrap();
    while let Some(event) = events.next().await {
        assert_eq!(event.name, "heartbeat");
    }
    let again = app
        .get("/api/revocations/stream")
        .header("last-event-id", &old);
    let first = Events::of(again).await.next().await.unwrap();
    assert_eq!(
        (first.name.as_str(), first.id.as_deref()),
        ("snapshot", Some("another:0"))
    );
}

#[tokio::test]
async fn what_was_revoked_just_before_another_epoch_is_obeyed_here_too() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    // Both by another process, before this one looks.
    let mut batch = app.app.store.batch();
    batch.insert_revocation(&Revocation {
        subject: Subject::Session(ada.sid.parse().unwrap()),
        effect: Effect::Revoked,
        until: START.plus(Duration::from_secs(900)),
    });
    batch.renew_feed("another");
    batch.commit().await.unwrap();
    let looked = async {
        while app.app.issuance().unwrap().feed.place().epoch() != "another" {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looked).await.unwrap();
    app.get("/api/user/profile")
        .bearer(&ada.access)
        .send()
        .await
        .problem(401, "token_revoked");
}

#[tokio::test]
async fn numbers_that_the_database_lost_end_the_epoch() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    for number in 0..5 {
        commit(&app, &revocation(number)).await;
    }
    let before = listed(&app, 5).await;
    let point = format!("{}:5", before["epoch"].as_str().unwrap());
    // Once a reader has the fifth, it is published.
    let mut events = Events::of(app.get("/api/revocations/stream")).await;
    while events.next().await.unwrap().data["seq"] != 5 {}
    // As after a backup was restored, or a standby took over that had not heard of the last three.
    let database = Database::open(folder.path().join("symbolon.db")).unwrap();
    let lose = "DELETE FROM revocations WHERE seq > 2; UPDATE feed SET seq = 2";
    database
        .execute_batch(&format!("BEGIN; {lose}; COMMIT"))
        .unwrap();
    while events.next().await.is_some() {}
    // Their numbers are given again, and who had them gets everything.
    for number in 5..10 {
        commit(&app, &revocation(number)).await;
    }
    let after = listed(&app, 7).await;
    assert_ne!(after["epoch"], before["epoch"]);
    let resumed = app.get("/api/revocations/stream");
    let resumed = resumed.header("last-event-id", &point);
    let first = Events::of(resumed).await.next().await.unwrap();
    assert_eq!(first.name, "snapshot");
}

async fn commit(app: &TestApp, revocation: &Revocation) {
    let mut batch = app.app.store.batch();
    batch.insert_revocation(revocation);
    batch.commit().await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_hear_of_revocations_says_so() {
    let mut app = TestApp::start().await;
    let ada = app.user().await;
    let stream = "/api/revocations/stream";
    let mut events = Events::of(app.get(stream)).await;
    let last = events.next().await.unwrap().id.unwrap();
    app.deafen(Duration::from_secs(60)).await;
    // A heartbeat for who comes back would be a lie.
    let fresh = app.get(stream).send().await;
    fresh.problem(503, "overloaded");
    let resumed = app.get(stream).header("last-event-id", &last).send().await;
    resumed.problem(503, "overloaded");
    for path in ["/api/verify", "/api/user/profile"] {
        let refused = app.get(path).bearer(&ada.access).send().await;
        refused.problem(503, "overloaded");
        app.get(path)
            .bearer("a.b.c")
            .send()
            .await
            .problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let app = TestApp::start().await;
    let mut events = Events::of(app.get("/api/revocations/stream")).await;
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    app.stop().await;
    while let Some(event) = events.next().await {
        assert_eq!(event.name, "heartbeat");
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_nobody() {
    let app = TestApp::start().await;
    let lazy = Events::of(app.get("/api/revocations/stream")).await;
    let mut events = Events::of(app.get("/api/revocations/stream")).await;
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    // More than a socket and the server keep for one that does not read.
    for round in 0..60 {
        let mut batch = app.app.store.batch();
        for number in 0..1000 {
            batch.insert_revocation(&revocation(round * 1000 + number));
        }
        batch.commit().await.unwrap();
        app.app.issuance().unwrap().feed.committed();
        for seq in (round * 1000 + 1)..=(round + 1) * 1000 {
            assert_eq!(events.news().await.data["seq"], json!(seq));
        }
    }
    // And gets everything, late as it is.
    let mut lazy = lazy;
    assert_eq!(lazy.next().await.unwrap().name, "snapshot");
    for seq in 1..=60_000 {
        assert_eq!(lazy.news().await.data["seq"], json!(seq));
    }
}

#[tokio::test]
async fn x7_the_end_of_a_server_takes_over_only_what_goes_on_from_where_it_was() {
    for replaced in [false, true] {
        let folder = Folder::new();
        let mut app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
        let mut events = Events::of(app.get("/api/revocations/stream")).await;
        let epoch = events.next().await.unwrap().data["epoch"].clone();
        let batch = app.app.store.batch();
        app.app.commit(batch, &[revocation(1)]).await.unwrap();
        assert_eq!(events.news().await.data["seq"], json!(1));
        app.deafen(Duration::ZERO).await;
        if replaced {
            let database = Database::open(folder.path().join("symbolon.db")).unwrap();
            let changed = database.execute("UPDATE revocations SET key = randomblob(16)", []);
            assert_eq!(changed.unwrap(), 1);
        }
        let batch = app.app.store.batch();
        app.app.commit(batch, &[revocation(2)]).await.unwrap();
        app.app.close().await;
        let mark = std::fs::read_to_string(folder.path().join("feed.mark")).unwrap();
        let (point, _) = mark.split_once(' ').unwrap();
        let seq = if replaced { 1 } else { 2 };
        assert_eq!(point, format!("{}:{seq}", epoch.as_str().unwrap()));
    }
}
