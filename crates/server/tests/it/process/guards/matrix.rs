//! Each event that ends tokens, against each kind of token, at each guard (SECURITY rows S4, M8, R1).

use std::io::Write;

use serde_json::{Value, json};

use super::super::place::{PASSWORD, Place};
use super::super::running::{Device, Server};
use super::examples::{Example, Verdict, examples};

/// A server and its guards.
pub struct World {
    pub server: Server,
    pub examples: Vec<Example>,
}

impl World {
    pub fn start(place: &Place) -> Self {
        let server = place.serve();
        let examples = examples(&format!("http://{}", server.address));
        Self { server, examples }
    }

    pub fn each(&self, check: impl Fn(&Example)) {
        self.examples.iter().for_each(check);
    }

    /// The feed's point.
    pub fn feed(&self) -> (String, i64) {
        let mut connection = self.server.connect();
        let head = format!(
            "GET /api/revocations HTTP/1.0\r\nhost: {}\r\n\r\n",
            self.server.address
        );
        connection.send(head.as_bytes()).unwrap();
        let list: Value = serde_json::from_slice(&connection.rest().unwrap()).unwrap();
        (
            list["epoch"].as_str().unwrap().to_owned(),
            list["seq"].as_i64().unwrap(),
        )
    }

    /// Waits until every guard has heeded the feed, which has come to `seq` at least; says to where.
    pub fn settle(&self, seq: i64) -> i64 {
        let (epoch, seq) = std::iter::repeat_with(|| self.feed())
            .find(|(_, now)| *now >= seq)
            .unwrap();
        self.each(|example| example.wait_for(&epoch, seq));
        seq
    }
}

/// Two devices of a user, and one of somebody else.
struct People {
    email: String,
    /// Signed in, refreshed once: the token from before, too.
    here: Device,
    earlier: Device,
    there: Device,
    other: Device,
}

/// What becomes of the tokens.
struct Fate {
    /// Of the session that acts, or is acted upon.
    here: &'static str,
    /// Of the user's other session.
    there: &'static str,
    /// Of somebody else.
    other: &'static str,
    /// Whether the first session can be refreshed, for a token that is good again.
    refreshes: bool,
}

const LIVES: &str = "";
const REVOKED: &str = "token_revoked";
const STALE: &str = "token_stale";

type Act = fn(&Place, &World, &People);

const ONE: Fate = Fate {
    here: REVOKED,
    there: LIVES,
    other: LIVES,
    refreshes: false,
};
const BOTH: Fate = Fate {
    here: REVOKED,
    there: REVOKED,
    other: LIVES,
    refreshes: false,
};
const OTHERS: Fate = Fate {
    here: LIVES,
    there: REVOKED,
    other: LIVES,
    refreshes: true,
};
const RENEWED: Fate = Fate {
    here: STALE,
    there: STALE,
    other: LIVES,
    refreshes: true,
};
const EVERYBODY: Fate = Fate {
    here: REVOKED,
    there: REVOKED,
    other: REVOKED,
    refreshes: true,
};

/// Everything that ends tokens, or makes them be renewed.
const EVENTS: [(&str, Act, Fate); 19] = [
    (
        "sign out",
        |_, world, people| call(world, "POST", "/api/logout", &people.here, None),
        ONE,
    ),
    (
        "sign out by refresh token",
        |_, world, people| {
            let body = json!({ "refreshToken": people.here.refresh });
            world
                .server
                .connect()
                .call("DELETE", "/api/refresh", None, Some(&body))
                .unwrap()
                .expect(204);
        },
        ONE,
    ),
    (
        "sign out another device",
        |_, world, people| {
            call(
                world,
                "DELETE",
                &format!("/api/sessions/{}", people.here.sid),
                &people.there,
                None,
            );
        },
        ONE,
    ),
    (
        "a refresh token is reused",
        |_, world, people| {
            let reply = world
                .server
                .connect()
                .refresh(&people.earlier.refresh)
                .unwrap();
            reply.refused(401, "refresh_token_reused");
        },
        ONE,
    ),
    (
        "session revoke",
        |place, _, people| run(place, &["session", "revoke", &people.here.sid]),
        ONE,
    ),
    (
        "revocations add --session",
        |place, _, people| {
            run(
                place,
                &["revocations", "add", "--session", &people.here.sid],
            )
        },
        ONE,
    ),
    (
        "sign out everywhere",
        |_, world, people| call(world, "POST", "/api/logout/all", &people.here, None),
        BOTH,
    ),
    (
        "delete the own account",
        |_, world, people| {
            call(
                world,
                "DELETE",
                "/api/user/profile",
                &people.here,
                Some(&json!({ "password": PASSWORD })),
            );
        },
        BOTH,
    ),
    (
        "session revoke --user",
        |place, _, people| run(place, &["session", "revoke", "--user", &people.email]),
        BOTH,
    ),
    (
        "revocations add --user",
        |place, _, people| run(place, &["revocations", "add", "--user", &people.email]),
        BOTH,
    ),
    (
        "user disable",
        |place, _, people| run(place, &["user", "disable", &people.email]),
        BOTH,
    ),
    (
        "user delete",
        |place, _, people| run(place, &["user", "delete", &people.email]),
        BOTH,
    ),
    (
        "user set-password",
        |place, _, people| {
            let words = ["user", "set-password", &people.email, "--password-stdin"];
            place.run_with(&words, b"granite meadow lantern 3\n").text();
        },
        BOTH,
    ),
    (
        "change the password",
        |_, world, people| {
            let body =
                json!({ "currentPassword": PASSWORD, "newPassword": "granite meadow lantern 3" });
            call(
                world,
                "POST",
                "/api/user/password",
                &people.here,
                Some(&body),
            );
        },
        OTHERS,
    ),
    (
        "user set-roles",
        |place, _, people| {
            run(
                place,
                &["user", "set-roles", &people.email, "--role", "admin"],
            )
        },
        RENEWED,
    ),
    (
        "revocations add --user --stale",
        |place, _, people| {
            run(
                place,
                &["revocations", "add", "--user", &people.email, "--stale"],
            );
        },
        RENEWED,
    ),
    (
        "revocations add --client",
        |place, _, _| run(place, &["revocations", "add", "--client", "symbolon"]),
        EVERYBODY,
    ),
    (
        "revocations add --all",
        |place, _, _| run(place, &["revocations", "add", "--all"]),
        EVERYBODY,
    ),
    (
        "key withdraw",
        |place, _, people| {
            let kid = crate::people::header(&people.here.access)["kid"]
                .as_str()
                .unwrap()
                .to_owned();
            run(place, &["key", "withdraw", &kid]);
        },
        EVERYBODY,
    ),
];

fn call(world: &World, method: &str, path: &str, device: &Device, body: Option<&Value>) {
    let reply = world
        .server
        .connect()
        .call(method, path, Some(&device.access), body)
        .unwrap();
    reply.expect(204);
}

fn run(place: &Place, words: &[&str]) {
    place.run(words).text();
}

#[test]
fn s4_every_event_ends_what_it_should_at_every_guard() {
    // So that a token is reused the moment its successor is out.
    let place = Place::new()
        .with("refresh.leeway", "0s")
        .with("refresh.retry_window", "0s");
    let world = World::start(&place);
    world.settle(0);
    for (number, (event, act, fate)) in EVENTS.iter().enumerate() {
        let people = People::sign_in(&world, number);
        world.each(|example| {
            for token in people.tokens() {
                assert_eq!(
                    example.verdict("/orders", token),
                    verdict(LIVES),
                    "before {event}, {}",
                    example.name
                );
            }
        });
        // An event may have more than one entry: those of the last one are no sign of this one.
        let (_, seq) = world.feed();
        act(&place, &world, &people);
        world.settle(seq + 1);
        world.each(|example| people.check(example, event, fate));
        let again = people.again(&world, event, fate);
        world.each(|example| {
            assert_eq!(
                example.verdict("/orders", &again),
                verdict(LIVES),
                "after {event}, {}",
                example.name
            );
        });
        // The server's own routes say the same.
        let own = world.server.connect().profile(&people.here.access).unwrap();
        assert_eq!(own.status == 200, fate.here == LIVES, "{event}: {own:?}");
        let _told = writeln!(std::io::stderr(), "{event}: ok");
    }
}

#[test]
fn one_token_is_revoked_and_the_session_goes_on() {
    let place = Place::new();
    let world = World::start(&place);
    let ada = world.server.register("ada@example.com");
    let jti = crate::people::claims(&ada.access)["jti"]
        .as_str()
        .unwrap()
        .to_owned();
    run(&place, &["revocations", "add", "--token", &jti]);
    world.settle(1);
    let reply = world.server.connect().refresh(&ada.refresh).unwrap();
    let next = reply.expect(200).text("accessToken");
    world.each(|example| {
        assert_eq!(
            example.verdict("/orders", &ada.access),
            verdict(REVOKED),
            "{}",
            example.name
        );
        assert_eq!(
            example.verdict("/orders", &next),
            verdict(LIVES),
            "{}",
            example.name
        );
    });
}

fn verdict(code: &str) -> Verdict {
    (if code.is_empty() { 200 } else { 401 }, code.to_owned())
}

impl People {
    fn sign_in(world: &World, number: usize) -> Self {
        let email = format!("ada{number}@example.com");
        let there = world.server.register(&email);
        let earlier = world.server.sign_in(&email);
        let reply = world.server.connect().refresh(&earlier.refresh).unwrap();
        Self {
            here: Device::given(&reply.expect(200)),
            earlier,
            there,
            other: world.server.register(&format!("bob{number}@example.com")),
            email,
        }
    }

    fn tokens(&self) -> [&str; 4] {
        [
            &self.here.access,
            &self.earlier.access,
            &self.there.access,
            &self.other.access,
        ]
    }

    fn check(&self, example: &Example, event: &str, fate: &Fate) {
        let expected = [fate.here, fate.here, fate.there, fate.other];
        let found = self.tokens().map(|token| example.verdict("/orders", token));
        assert_eq!(
            found,
            expected.map(verdict),
            "after {event}, {}",
            example.name
        );
    }

    /// A token of after the event: refreshed where the session goes on, of a new sign-in otherwise.
    fn again(&self, world: &World, event: &str, fate: &Fate) -> String {
        if !fate.refreshes {
            let email = match event {
                "user disable" | "user delete" | "delete the own account" => {
                    format!("new-{}", self.email)
                }
                _ => self.email.clone(),
            };
            return match event {
                "user set-password" => {
                    let body = json!({ "email": email, "password": "granite meadow lantern 3", "transport": "body" });
                    world
                        .server
                        .connect()
                        .post("/api/login", &body)
                        .unwrap()
                        .expect(200)
                        .text("accessToken")
                }
                _ if email == self.email => world.server.sign_in(&email).access,
                _ => world.server.register(&email).access,
            };
        }
        let mut token = self.here.refresh.clone();
        // Revoking every token of a second hits those that are issued in the same one.
        loop {
            let reply = world.server.connect().refresh(&token).unwrap().expect(200);
            let access = reply.text("accessToken");
            if world.server.connect().profile(&access).unwrap().status == 200 {
                return access;
            }
            token = reply.text("refreshToken");
        }
    }
}
