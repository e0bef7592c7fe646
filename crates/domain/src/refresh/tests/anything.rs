//! What holds whoever presents whatever, whenever, with the clock going as it likes.

use proptest::prelude::*;

use super::check;
use super::model::{Answer, Fate, LEEWAY, POLICY, Server, Token, WINDOW, at};
use crate::refresh::{Decision, RefreshState, decide};

/// A moment's distance that falls on both sides of every edge.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..LEEWAY,
        1 => LEEWAY - 1..=LEEWAY + 1,
        3 => LEEWAY..WINDOW,
        1 => WINDOW - 1..=WINDOW + 1,
        1 => WINDOW..100 * WINDOW,
    ]
}

/// Requests that load the state at one moment and write one after the other.
#[derive(Debug, Clone)]
struct Round {
    wait: u64,
    clock_back: Option<u64>,
    requests: Vec<Request>,
}

#[derive(Debug, Clone)]
struct Request {
    /// The token, counted back from the current one.
    back: u64,
    forged: bool,
    crashes: bool,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let request = (
        prop_oneof![6 => Just(0_u64), 5 => Just(1), 2 => 2..6_u64],
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.1),
    );
    let request = request.prop_map(|(back, forged, crashes)| Request {
        back,
        forged,
        crashes,
    });
    let back = prop::option::weighted(0.1, distance());
    let round = (distance(), back, prop::collection::vec(request, 1..5));
    let round = round.prop_map(|(wait, clock_back, requests)| Round {
        wait,
        clock_back,
        requests,
    });
    prop::collection::vec(round, 1..40)
}

/// The model asserts at each step that the generation rises by one or not at all, and that no generation is
/// answered twice differently.
#[test]
fn whatever_comes_the_chain_is_one_and_late_answers_are_never_neighbours() {
    check("one chain", &rounds(), |rounds| {
        let mut now = 1_000 * WINDOW;
        let mut server = Server::new(now);
        for round in rounds {
            now = (now + round.wait).saturating_sub(round.clock_back.unwrap_or(0));
            let loaded = server.state;
            for request in round.requests {
                let before = server.clone();
                let token = Token::nth(loaded.generation.saturating_sub(request.back));
                let token = if request.forged {
                    token.forged()
                } else {
                    token
                };
                let fate = if request.crashes {
                    Fate::Crashes
                } else {
                    Fate::Commits
                };
                let answer = server.refresh_from(loaded, token, now, fate);
                let kept = server.state == before.state && server.dead == before.dead;
                let refused = matches!(answer, None | Some(Answer::Invalid | Answer::Dead));
                prop_assert!(kept || !refused, "{answer:?} changed something");
                // Forging one that is older than what is stored needs the key of the tag.
                if request.forged && request.back < 2 {
                    prop_assert!(refused, "{answer:?} for a forged token");
                }
            }
        }
        server.late.sort_unstable();
        server.late.dedup();
        prop_assert!(
            server.late.windows(2).all(|pair| pair[0] + 1 < pair[1]),
            "{:?}",
            server.late
        );
        Ok(())
    });
}

fn any_state() -> impl Strategy<Value = RefreshState> {
    (0..30_u64, prop::option::of(1..4_u64)).prop_map(|(generation, late_back)| RefreshState {
        generation,
        digest: Token::nth(generation).digest(),
        key: 0,
        rotated_at: at(1_000 * WINDOW),
        late_generation: late_back.and_then(|back| generation.checked_sub(back)),
    })
}

/// A state, and how many generations before its token another one is.
fn any_former() -> impl Strategy<Value = (RefreshState, u64)> {
    any_state()
        .prop_filter("has a former token", |state| state.generation > 0)
        .prop_flat_map(|state| (Just(state), 1..=state.generation))
}

#[test]
fn r1_outside_the_windows_every_former_token_kills() {
    let strategy = (any_former(), WINDOW + 1..1_000 * WINDOW);
    check("outside the windows", &strategy, |((state, back), age)| {
        let presented = Token::nth(state.generation - back).presented();
        let now = at(1_000 * WINDOW + age);
        prop_assert_eq!(decide(&state, &presented, &POLICY, now), Decision::Reused);
        Ok(())
    });
}

#[test]
fn a_former_token_within_the_leeway_kills_nothing() {
    let strategy = (any_former(), 0..LEEWAY);
    check("within the leeway", &strategy, |((state, back), age)| {
        let presented = Token::nth(state.generation - back).presented();
        let expected = if back == 1 {
            Decision::Repeat { late: None }
        } else {
            Decision::LateDuplicate
        };
        let now = at(1_000 * WINDOW + age);
        prop_assert_eq!(decide(&state, &presented, &POLICY, now), expected);
        Ok(())
    });
}

#[test]
fn a_clock_that_was_set_back_never_kills() {
    let strategy = (any_state(), 0..32_u64, 0..1_000 * WINDOW, any::<bool>());
    check(
        "clock set back",
        &strategy,
        |(state, generation, now, forged)| {
            let token = Token::nth(generation);
            let token = if forged { token.forged() } else { token };
            let decision = decide(&state, &token.presented(), &POLICY, at(now));
            prop_assert_ne!(decision, Decision::Reused);
            Ok(())
        },
    );
}

#[test]
fn r2_from_any_state_all_callers_with_one_token_get_one_successor() {
    let caller = (0..=LEEWAY, any::<bool>(), prop::bool::weighted(0.1));
    let strategy = (
        any_state(),
        distance(),
        prop::collection::vec(caller, 1..50),
    );
    check("one successor", &strategy, |(state, age, mut callers)| {
        callers.sort_by_key(|(delay, ..)| *delay);
        let start = 1_000 * WINDOW + age;
        let mut server = Server::new(start);
        server.state = state;
        let token = Token::nth(state.generation);
        let mut first_commit = None;
        for (delay, loaded_early, crashes) in callers {
            let now = first_commit.unwrap_or(start) + delay.min(LEEWAY);
            let loaded = if loaded_early { state } else { server.state };
            let fate = if crashes {
                Fate::Crashes
            } else {
                Fate::Commits
            };
            match server.refresh_from(loaded, token, now, fate) {
                Some(answer) => prop_assert_eq!(answer, Answer::Token(token.successor())),
                None => prop_assert!(crashes),
            }
            if server.state != state {
                first_commit =
                    first_commit.or(Some(server.state.rotated_at.millis().unsigned_abs()));
            }
        }
        prop_assert!(server.state.generation <= state.generation + 1);
        prop_assert!(!server.dead);
        Ok(())
    });
}

#[test]
fn r6_a_restart_forgets_nothing() {
    let strategy = (any_state(), 0..32_u64, distance());
    check("restart", &strategy, |(state, generation, age)| {
        let presented = Token::nth(generation).presented();
        let now = at(1_000 * WINDOW + age);
        // What a store gives back, part by part, decides as the state that it was given.
        let stored = (
            state.generation,
            *state.digest.as_bytes(),
            state.key,
            state.rotated_at.millis(),
        );
        let loaded = RefreshState {
            generation: stored.0,
            digest: stored.1.into(),
            key: stored.2,
            rotated_at: crate::Timestamp::from_millis(stored.3),
            late_generation: state.late_generation,
        };
        let decision = decide(&state, &presented, &POLICY, now);
        prop_assert_eq!(decide(&loaded, &presented, &POLICY, now), decision);
        Ok(())
    });
}
