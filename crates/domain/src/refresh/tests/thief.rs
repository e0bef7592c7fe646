//! A thief and an owner who both go on are both out within two refreshes.
//!
//! The thief copies any token that the owner has had, at any time. From then on each refreshes when it likes, once
//! or several times in a row, but not within `leeway` of the other: that much the contract leaves to key-bound
//! tokens.

use proptest::prelude::*;

use super::check;
use super::model::{Answer, LEEWAY, Server, Token, WINDOW};

#[derive(Debug, Clone, Copy)]
struct Act {
    thief: bool,
    /// Since the last act, longer than the leeway.
    wait: u64,
    /// Whether the answers of this act are lost on their way to the owner. Those to the thief never are.
    lost: bool,
    /// Refreshes in this act, each after so many milliseconds.
    refreshes: [Option<u64>; 3],
}

#[derive(Debug, Clone)]
struct Story {
    /// Refreshes of the owner before the theft, each with a late retry or none.
    before: Vec<(u64, Option<u64>)>,
    /// Which token is stolen, counted back from the owner's.
    stolen_back: u64,
    acts: Vec<Act>,
}

fn wait() -> impl Strategy<Value = u64> {
    prop_oneof![
        1 => Just(LEEWAY + 1),
        5 => LEEWAY + 1..=WINDOW,
        1 => WINDOW..=WINDOW + 1,
        1 => WINDOW..20 * WINDOW,
    ]
}

fn owned_refresh() -> impl Strategy<Value = (u64, Option<u64>)> {
    (wait(), prop::option::weighted(0.3, LEEWAY + 1..=WINDOW))
}

fn stories() -> impl Strategy<Value = Story> {
    let more = || prop::option::weighted(0.3, 0..2 * LEEWAY);
    let lost = prop::bool::weighted(0.2);
    let act = (any::<bool>(), wait(), lost, more(), more());
    let act = act.prop_map(|(thief, wait, lost, second, third)| Act {
        thief,
        wait,
        lost: lost && !thief,
        refreshes: [Some(0), second, third],
    });
    let stolen_back = prop_oneof![4 => Just(0_u64), 2 => Just(1), 1 => 2..5_u64];
    (
        prop::collection::vec(owned_refresh(), 0..8),
        stolen_back,
        prop::collection::vec(act, 1..30),
    )
        .prop_map(|(before, stolen_back, acts)| Story {
            before,
            stolen_back,
            acts,
        })
}

struct Party {
    token: Token,
    /// Refreshes that it heard the answer of.
    refreshes: u32,
}

struct Outcome {
    server: Server,
    owner: Party,
    thief: Party,
    now: u64,
}

/// The honest part: late retries never in two generations in a row, as the owner's network has it.
fn owned(before: &[(u64, Option<u64>)], now: &mut u64) -> Result<(Server, Token), TestCaseError> {
    let mut server = Server::new(*now);
    let mut token = Token::first();
    let mut late_before = false;
    for (wait, retry) in before {
        *now += wait;
        prop_assert_eq!(
            server.refresh(token, *now),
            Answer::Token(token.successor())
        );
        if let Some(after) = retry.filter(|_| !late_before) {
            *now += after;
            prop_assert_eq!(
                server.refresh(token, *now),
                Answer::Token(token.successor())
            );
            late_before = true;
        } else {
            late_before = false;
        }
        token = token.successor();
    }
    Ok((server, token))
}

fn played(story: &Story) -> Result<Outcome, TestCaseError> {
    let mut now = 1_000 * WINDOW;
    let (server, token) = owned(&story.before, &mut now)?;
    let stolen = Token::nth(token.generation.saturating_sub(story.stolen_back));
    let mut outcome = Outcome {
        server,
        owner: Party {
            token,
            refreshes: 0,
        },
        thief: Party {
            token: stolen,
            refreshes: 0,
        },
        now,
    };
    for act in &story.acts {
        outcome.now += act.wait;
        for pause in act.refreshes.iter().flatten() {
            outcome.now += pause;
            outcome.refresh(act)?;
        }
    }
    Ok(outcome)
}

impl Outcome {
    fn refresh(&mut self, act: &Act) -> Result<(), TestCaseError> {
        let dead_before = self.server.dead;
        let party = if act.thief {
            &mut self.thief
        } else {
            &mut self.owner
        };
        let answer = self.server.refresh(party.token, self.now);
        party.refreshes += u32::from(!act.lost);
        match answer {
            Answer::Token(_) if act.lost => {}
            Answer::Token(next) => party.token = next,
            Answer::Dead => prop_assert!(dead_before),
            Answer::Reused => prop_assert!(!dead_before && self.server.dead),
            Answer::Invalid => prop_assert!(false, "neither good nor theft"),
        }
        if self.owner.refreshes >= 2 && self.thief.refreshes >= 2 {
            prop_assert!(self.server.dead, "both are still in");
        }
        Ok(())
    }
}

#[test]
fn r4_s7_a_thief_and_an_owner_who_go_on_are_both_out_within_two_refreshes() {
    check("thief and owner", &stories(), |story| {
        let mut outcome = played(&story)?;
        if outcome.owner.refreshes >= 2 && outcome.thief.refreshes >= 2 {
            for token in [outcome.owner.token, outcome.thief.token] {
                prop_assert_eq!(outcome.server.refresh(token, outcome.now), Answer::Dead);
            }
        }
        Ok(())
    });
}

/// The thief is found at once if it is one step late, or brings what the owner has long replaced.
#[test]
fn r1_a_token_older_than_the_one_before_is_found_at_its_first_use() {
    let strategy = (
        prop::collection::vec(owned_refresh(), 5..12),
        2..6_u64,
        wait(),
    );
    check("old token", &strategy, |(before, back, after)| {
        let mut now = 1_000 * WINDOW;
        let (mut server, token) = owned(&before, &mut now)?;
        let stolen = Token::nth(token.generation - back);
        prop_assert_eq!(server.refresh(stolen, now + after), Answer::Reused);
        prop_assert_eq!(server.refresh(token, now + after), Answer::Dead);
        Ok(())
    });
}

/// The thief goes first and on; the owner comes back when the successor was used.
#[test]
fn r4_the_windows_never_keep_a_thief_whose_token_was_used() {
    check("used successor", &(wait(), wait()), |(first, second)| {
        let mut now = WINDOW;
        let mut server = Server::new(now);
        let owner = Token::first();
        let mut thief = owner;
        for _ in 0..2 {
            now += first;
            let answer = server.refresh(thief, now);
            prop_assert_eq!(answer, Answer::Token(thief.successor()));
            thief = thief.successor();
        }
        now += second;
        prop_assert_eq!(server.refresh(owner, now), Answer::Reused);
        prop_assert_eq!(server.refresh(thief, now), Answer::Dead);
        Ok(())
    });
}

/// Staying in step is no way to stay: the one that is always one step behind is out at its second.
#[test]
fn r4_a_thief_in_step_is_out_at_the_second_late_answer() {
    let late = LEEWAY + 1..=WINDOW;
    check(
        "in step",
        &(late.clone(), wait(), late),
        |(first, second, third)| {
            let mut now = WINDOW;
            let mut server = Server::new(now);
            let (zeroth, one) = (Token::nth(0), Token::nth(1));
            prop_assert_eq!(server.refresh(zeroth, now), Answer::Token(one));
            now += first;
            prop_assert_eq!(server.refresh(zeroth, now), Answer::Token(one));
            now += second;
            prop_assert_eq!(server.refresh(one, now), Answer::Token(Token::nth(2)));
            now += third;
            prop_assert_eq!(server.refresh(one, now), Answer::Reused);
            prop_assert!(server.dead);
            Ok(())
        },
    );
}
