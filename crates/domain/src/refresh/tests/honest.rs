//! An honest client on a bad network is never signed out.
//!
//! The client has one jar for its token and any number of tabs that share it. It sends the token of the jar, and
//! sends it again until an answer comes. The network loses requests and answers, repeats and reorders requests;
//! the server is killed now and then before it commits; its clock is set back now and then. Two things are
//! assumed, and they are those of the contract: a request is not repeated by the network for longer than
//! `leeway`, and of two generations in a row not both had all their answers lost for longer than that.

use proptest::prelude::*;

use super::check;
use super::model::{Answer, Fate, LEEWAY, Server, Token, WINDOW};

/// How the client comes from one token to the next.
#[derive(Debug, Clone)]
struct Turn {
    /// Since the turn before, in milliseconds.
    pause: u64,
    /// Requests that never arrive, or meet a server that dies before it commits.
    in_vain: Vec<(u64, bool)>,
    /// Requests of this and other tabs after the first, whose answers are lost, at this time after the rotation.
    unanswered: Vec<u64>,
    /// When after the rotation the retry comes that is answered; `None` if the first request is.
    retry: Option<u64>,
    /// Copies that the network delivers, at this time after the request that was answered.
    copies: Vec<u64>,
    clock_back: u64,
}

const DAY: u64 = 24 * 3_600_000;

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let pause = prop_oneof![3 => 0..LEEWAY, 2 => LEEWAY..WINDOW, 2 => WINDOW..6 * DAY];
    let in_vain = prop::collection::vec((0..WINDOW, any::<bool>()), 0..3);
    let unanswered = prop::collection::vec(0..LEEWAY, 0..6);
    let retry = prop_oneof![
        2 => Just(None),
        2 => (0..LEEWAY).prop_map(Some),
        4 => (LEEWAY..=WINDOW).prop_map(Some),
    ];
    let copies = prop::collection::vec(0..LEEWAY, 0..6);
    let clock_back = prop_oneof![9 => Just(0), 1 => 0..DAY];
    let turn = (pause, in_vain, unanswered, retry, copies, clock_back).prop_map(
        |(pause, in_vain, unanswered, retry, copies, clock_back)| Turn {
            pause,
            in_vain,
            unanswered,
            retry,
            copies,
            clock_back,
        },
    );
    prop::collection::vec(turn, 1..40).prop_map(without_two_late_in_a_row)
}

/// The assumption of the contract. A retry that was late makes the next one punctual.
fn without_two_late_in_a_row(mut turns: Vec<Turn>) -> Vec<Turn> {
    let mut late_before = false;
    for turn in &mut turns {
        let late = turn.retry.is_some_and(|after| after > LEEWAY);
        if late && late_before {
            turn.retry = turn.retry.map(|after| after % LEEWAY);
        }
        late_before = late && !late_before;
    }
    turns
}

/// Time as it passes, and what the clock of the server makes of it.
struct World {
    server: Server,
    passed: u64,
    clock_set_back: u64,
    /// Copies on their way: when they arrive, and what they carry.
    on_their_way: Vec<(u64, Token)>,
}

impl World {
    fn new() -> Self {
        let passed = 100 * DAY;
        Self {
            server: Server::new(passed),
            passed,
            clock_set_back: 0,
            on_their_way: Vec::new(),
        }
    }

    fn clock(&self) -> u64 {
        self.passed - self.clock_set_back
    }

    /// Lets time pass, with everything arriving that is due.
    fn pass_to(&mut self, moment: u64) {
        self.on_their_way.sort_by_key(|(arrives, _)| *arrives);
        let due = self
            .on_their_way
            .partition_point(|(arrives, _)| *arrives <= moment);
        for (arrives, token) in self.on_their_way.drain(..due).collect::<Vec<_>>() {
            self.passed = self.passed.max(arrives);
            self.server.refresh(token, self.clock());
        }
        self.passed = self.passed.max(moment);
    }

    /// One turn of the client. What it holds afterwards.
    fn turn(&mut self, jar: Token, turn: &Turn) -> Result<Token, TestCaseError> {
        self.pass_to(self.passed + turn.pause);
        self.clock_set_back = (self.clock_set_back + turn.clock_back).min(self.passed);
        for (wait, arrives) in &turn.in_vain {
            self.pass_to(self.passed + wait);
            if *arrives {
                let loaded = self.server.state;
                let answer = self
                    .server
                    .refresh_from(loaded, jar, self.clock(), Fate::Crashes);
                prop_assert_eq!(answer, None);
            }
        }
        let rotated = self.passed;
        let mut answer = self.server.refresh(jar, self.clock());
        prop_assert_eq!(answer, Answer::Token(jar.successor()));
        self.on_their_way
            .extend(turn.unanswered.iter().map(|after| (rotated + after, jar)));
        if let Some(after) = turn.retry {
            self.pass_to(rotated + after);
            answer = self.server.refresh(jar, self.clock());
            prop_assert_eq!(answer, Answer::Token(jar.successor()));
        }
        // A copy of a punctual request still comes within the leeway, and one of a late request within the window.
        let punctual = turn.retry.is_none_or(|after| after <= LEEWAY);
        let last = rotated + if punctual { LEEWAY - 1 } else { WINDOW };
        let copies = turn
            .copies
            .iter()
            .map(|after| ((self.passed + after).min(last), jar));
        self.on_their_way.extend(copies);
        Ok(jar.successor())
    }
}

#[test]
fn r3_r14_an_honest_client_is_never_signed_out() {
    check("honest client", &turns(), |turns| {
        let mut world = World::new();
        let mut jar = Token::first();
        for turn in &turns {
            jar = world.turn(jar, turn)?;
            prop_assert!(!world.server.dead, "signed out at {:?}", turn);
        }
        world.pass_to(world.passed + WINDOW);
        prop_assert!(!world.server.dead, "signed out by what came last");
        let answer = world.server.refresh(jar, world.clock());
        prop_assert_eq!(answer, Answer::Token(jar.successor()));
        Ok(())
    });
}

/// Rule 4 has an exception, and it is no wider than it says.
#[test]
fn two_answers_in_a_row_lost_for_longer_than_the_leeway_sign_out() {
    let late = LEEWAY + 1..=WINDOW;
    check(
        "the exception",
        &(late.clone(), late, 0..6 * DAY),
        |(first, second, pause)| {
            let mut server = Server::new(0);
            let (zeroth, one) = (Token::nth(0), Token::nth(1));
            prop_assert_eq!(server.refresh(zeroth, 1), Answer::Token(one));
            prop_assert_eq!(server.refresh(zeroth, 1 + first), Answer::Token(one));
            let now = 1 + first + pause;
            prop_assert_eq!(server.refresh(one, now), Answer::Token(Token::nth(2)));
            prop_assert_eq!(server.refresh(one, now + second), Answer::Reused);
            Ok(())
        },
    );
}

/// Ten tabs wake up at once and none of them waits for another: whatever the order of arrival, and however late the
/// last of them loaded what it decides on, all hold the one next token.
#[test]
fn r14_ten_tabs_at_once_end_with_one_token() {
    let tab = (0..LEEWAY, any::<bool>());
    let strategy = prop::collection::vec(prop::collection::vec(tab, 10), 1..20);
    check("ten tabs", &strategy, |rounds| {
        let mut now = DAY;
        let mut server = Server::new(now);
        for mut tabs in rounds {
            let before = server.state;
            let token = Token::nth(before.generation);
            now += 15 * 60_000;
            tabs.sort_unstable();
            for (offset, loaded_early) in tabs {
                let loaded = if loaded_early { before } else { server.state };
                let answer = server.refresh_from(loaded, token, now + offset, Fate::Commits);
                prop_assert_eq!(answer, Some(Answer::Token(token.successor())));
            }
            prop_assert_eq!(server.state.generation, before.generation + 1);
        }
        prop_assert!(!server.dead && server.late.is_empty());
        Ok(())
    });
}
