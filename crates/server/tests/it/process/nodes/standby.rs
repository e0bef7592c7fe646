//! A standby beside the primary: it is never asked, and takes over (SECURITY rows X3 and X7).

use serde_json::Value;
use symbolon_testkit::Postgres;

use super::super::running::{Device, Server};
use super::pair::{EMAIL, Pair};
use super::shop;

const MOST_LOOKS: usize = 100_000;

/// A primary with a database, and its standby.
struct Both {
    primary: Postgres,
    standby: Postgres,
    url: String,
    /// That of the same database at the standby.
    there: String,
}

impl Both {
    /// With two nodes, if there is a PostgreSQL.
    fn start() -> Option<(Self, Pair)> {
        let primary = Postgres::start()?;
        let url = primary.url();
        let standby = primary.standby();
        let there = url.replace(primary.folder(), standby.folder());
        let both = Self {
            primary,
            standby,
            url,
            there,
        };
        let pair = Pair::start(&both.hosts());
        Some((both, pair))
    }

    /// The URL of both, the standby first.
    fn hosts(&self) -> String {
        let (database, _) = self.url.rsplit_once('?').unwrap();
        let (_, database) = database.rsplit_once('/').unwrap();
        let [here, there] =
            [&self.primary, &self.standby].map(|one| one.folder().replace('/', "%2F"));
        format!("postgres://postgres@{there},{here}/{database}")
    }

    /// What the standby says, once that is so.
    fn until(&self, sql: &str, wanted: &str) {
        let is_so = (0..MOST_LOOKS).any(|_| self.standby.run(&self.there, sql) == wanted);
        assert!(is_so, "{sql}");
    }

    /// From here on the standby hears of nothing.
    fn cut(&self) {
        let all = self.primary.run(&self.url, "SELECT pg_current_wal_lsn()");
        let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{all}'");
        self.until(&caught_up, "t");
        self.standby
            .run(&self.there, "ALTER SYSTEM SET primary_conninfo = ''");
        self.standby.run(&self.there, "SELECT pg_reload_conf()");
        self.until("SELECT count(*) FROM pg_stat_wal_receiver", "0");
    }

    /// The primary dies, and the standby takes over.
    fn take_over(&self) {
        self.primary.crash();
        let done = self.standby.run(&self.there, "SELECT pg_promote()");
        assert_eq!(done, "t");
    }
}

/// Ends a session at a node, which is asked again where it says so.
fn sign_out(node: &Server, device: &Device) {
    let mut connection = node.connect();
    let mut answers = (0..MOST_LOOKS).map(|_| connection.sign_out(&device.access).unwrap());
    let done = answers.find(|reply| reply.status != 503);
    done.unwrap().expect(204);
}

#[test]
fn x3_codes_refreshes_and_revocations_ask_the_primary_and_not_a_standby_that_lags() {
    let Some((both, pair)) = Both::start() else {
        return;
    };
    let [here, there] = &pair.nodes;
    let mut device = pair.device.clone();
    shop::open(&pair.places[0]);
    both.cut();
    for round in 0..10 {
        let next = pair.nodes[round % 2].connect().refresh(&device.refresh);
        let next = next.unwrap().expect(200);
        let again = pair.nodes[(round + 1) % 2].connect();
        let again = { again }.refresh(&device.refresh).unwrap().expect(200);
        assert_eq!(next.text("refreshToken"), again.text("refreshToken"));
        device = Device::given(&next);
    }
    let code = shop::code(&pair.nodes);
    shop::redeem(&mut there.connect(), &code).expect(200);
    shop::redeem(&mut here.connect(), &code).expect(400);
    sign_out(here, &device);
    pair.assert_ended(&device);
    let known = both.standby.run(&both.there, "SELECT seq FROM feed");
    assert_eq!(known, "0", "it did not lag");
    pair.stop();
}

#[test]
fn x7_a_standby_that_takes_over_without_the_last_revocations_brings_no_access_token_back() {
    let Some((both, pair)) = Both::start() else {
        return;
    };
    let [here, there] = &pair.nodes;
    let devices = [(); 4].map(|()| here.sign_in(EMAIL));
    sign_out(here, &devices[0]);
    both.cut();
    sign_out(here, &devices[1]);
    sign_out(there, &devices[2]);
    for device in &devices[..3] {
        pair.assert_ended(device);
    }
    let before = here.until_listed(3);
    let guards = pair.guards(3);
    both.take_over();
    Pair::are_cut_off(guards);
    for node in &pair.nodes {
        let mut connection = node.connect();
        let mut looks = 0..MOST_LOOKS;
        let ready = looks.any(|_| {
            let reply = connection.call("GET", "/readyz", None, None);
            reply.unwrap().status == 200
        });
        assert!(ready, "it does not go over");
        let mut lists = (0..MOST_LOOKS).map(|_| node.revocations()["epoch"].clone());
        let epoch = lists.find(Value::is_string);
        assert_ne!(epoch.as_ref(), Some(&before["epoch"]));
        // What is lost in the database is known to who was told.
        Pair::assert_one_left(node, &devices);
    }
    sign_out(there, &devices[3]);
    pair.assert_ended(&devices[3]);
    pair.stop();
}
