//! Each rule and each edge of each window, once, by hand.

use super::model::{LEEWAY, POLICY, Token, WINDOW, at};
use crate::refresh::{Decision, Digest, RefreshPolicy, RefreshState, decide};

const ROTATED: u64 = 1_000_000_000;

/// T(7) is current since [`ROTATED`].
fn seventh(late_generation: Option<u64>) -> RefreshState {
    RefreshState {
        generation: 7,
        digest: Token::nth(7).digest(),
        key: 3,
        rotated_at: at(ROTATED),
        late_generation,
    }
}

fn decided(state: &RefreshState, token: Token, age: u64) -> Decision {
    decide(state, &token.presented(), &POLICY, at(ROTATED + age))
}

#[test]
fn the_current_token_rotates_whatever_its_age() {
    for late in [None, Some(4), Some(5), Some(6)] {
        for age in [0, 1, LEEWAY, WINDOW, 10 * WINDOW] {
            let next = RefreshState {
                generation: 8,
                digest: Token::nth(8).digest(),
                rotated_at: at(ROTATED + age),
                ..seventh(late)
            };
            assert_eq!(
                decided(&seventh(late), Token::nth(7), age),
                Decision::Rotate(next)
            );
        }
    }
}

#[test]
fn r3_the_token_before_is_repeated_within_the_leeway_always() {
    for late in [None, Some(4), Some(5), Some(6)] {
        for age in [0, 1, LEEWAY - 1, LEEWAY] {
            let decision = decided(&seventh(late), Token::nth(6), age);
            assert_eq!(decision, Decision::Repeat { late: None });
        }
    }
}

#[test]
fn r3_the_token_before_is_repeated_within_the_retry_window_and_noted() {
    for late in [None, Some(3), Some(4)] {
        for age in [LEEWAY + 1, 60_000, WINDOW] {
            let noted = seventh(Some(6));
            let decision = decided(&seventh(late), Token::nth(6), age);
            assert_eq!(decision, Decision::Repeat { late: Some(noted) });
            // Once noted, it needs no second write.
            assert_eq!(
                decided(&noted, Token::nth(6), age),
                Decision::Repeat { late: None }
            );
        }
    }
}

#[test]
fn r4_but_not_for_two_generations_in_a_row() {
    for age in [LEEWAY + 1, 60_000, WINDOW] {
        assert_eq!(
            decided(&seventh(Some(5)), Token::nth(6), age),
            Decision::Reused
        );
    }
}

#[test]
fn r1_the_token_before_outside_both_windows_is_theft() {
    for late in [None, Some(4), Some(5), Some(6)] {
        for age in [WINDOW + 1, 10 * WINDOW] {
            assert_eq!(
                decided(&seventh(late), Token::nth(6), age),
                Decision::Reused
            );
        }
    }
}

#[test]
fn r1_anything_older_is_theft_unless_the_rotation_is_younger_than_the_leeway() {
    for late in [None, Some(4), Some(5), Some(6)] {
        for generation in 0..=5 {
            let token = Token::nth(generation);
            for age in [0, 1, LEEWAY - 1] {
                assert_eq!(decided(&seventh(late), token, age), Decision::LateDuplicate);
            }
            for age in [LEEWAY, LEEWAY + 1, WINDOW, 10 * WINDOW] {
                assert_eq!(decided(&seventh(late), token, age), Decision::Reused);
            }
        }
    }
}

#[test]
fn what_was_never_given_is_unknown_and_not_theft() {
    for age in [0, LEEWAY, WINDOW, 10 * WINDOW] {
        let state = seventh(None);
        for token in [8, 9, 1000].map(Token::nth) {
            assert_eq!(decided(&state, token, age), Decision::Unknown);
        }
        for token in [6, 7].map(Token::nth) {
            assert_eq!(decided(&state, token.forged(), age), Decision::Unknown);
        }
        let mut claims_current = Token::nth(6).presented();
        claims_current.generation = 7;
        let decision = decide(&state, &claims_current, &POLICY, at(ROTATED + age));
        assert_eq!(decision, Decision::Unknown);
        let mut claims_previous = Token::nth(7).presented();
        claims_previous.generation = 6;
        let decision = decide(&state, &claims_previous, &POLICY, at(ROTATED + age));
        assert_eq!(decision, Decision::Unknown);
    }
}

#[test]
fn a_clock_set_back_lengthens_windows() {
    for back in [1, LEEWAY, WINDOW, ROTATED] {
        let now = at(ROTATED - back);
        for late in [None, Some(5)] {
            let decision = |n| decide(&seventh(late), &Token::nth(n).presented(), &POLICY, now);
            assert_eq!(decision(6), Decision::Repeat { late: None });
            assert_eq!(decision(5), Decision::LateDuplicate);
            assert!(matches!(decision(7), Decision::Rotate(next) if next.rotated_at == now));
        }
    }
}

#[test]
fn the_first_token_has_none_before_it() {
    let state = RefreshState::first(Token::nth(0).digest(), 1, at(ROTATED));
    assert!(
        matches!(decided(&state, Token::nth(0), 0), Decision::Rotate(next) if next.generation == 1)
    );
    assert_eq!(decided(&state, Token::nth(1), 0), Decision::Unknown);
    // Generation 0 repeated late: `late_generation: None` must not count as the generation before it.
    let state = RefreshState {
        generation: 1,
        digest: Token::nth(1).digest(),
        ..state
    };
    let noted = RefreshState {
        late_generation: Some(0),
        ..state
    };
    let decision = decided(&state, Token::nth(0), LEEWAY + 1);
    assert_eq!(decision, Decision::Repeat { late: Some(noted) });
}

#[test]
fn windows_of_no_length_leave_only_strict_rotation() {
    let zero = std::time::Duration::ZERO;
    let strict = RefreshPolicy {
        leeway: zero,
        retry_window: zero,
    };
    let decision = |n, age| {
        decide(
            &seventh(None),
            &Token::nth(n).presented(),
            &strict,
            at(ROTATED + age),
        )
    };
    assert!(matches!(decision(7, 0), Decision::Rotate(_)));
    assert_eq!(decision(6, 1), Decision::Reused);
    assert_eq!(decision(5, 0), Decision::Reused);
    // The same millisecond is the same moment: callers that race get one answer even then.
    assert_eq!(decision(6, 0), Decision::Repeat { late: None });
}

#[test]
fn a_retry_window_shorter_than_the_leeway_changes_nothing_within_it() {
    let policy = RefreshPolicy {
        retry_window: std::time::Duration::ZERO,
        ..POLICY
    };
    let decision = |age| {
        decide(
            &seventh(None),
            &Token::nth(6).presented(),
            &policy,
            at(ROTATED + age),
        )
    };
    assert_eq!(decision(LEEWAY), Decision::Repeat { late: None });
    assert_eq!(decision(LEEWAY + 1), Decision::Reused);
}

#[test]
fn numbers_do_not_run_over() {
    let presented = Token::nth(7).presented();
    let last = RefreshState {
        generation: u64::MAX,
        ..seventh(None)
    };
    let presented_last = crate::refresh::Presented {
        generation: u64::MAX,
        ..presented
    };
    assert_eq!(
        decide(&last, &presented_last, &POLICY, at(0)),
        Decision::Unknown
    );
    for now in [i64::MIN, i64::MAX] {
        let now = crate::Timestamp::from_millis(now);
        assert!(matches!(
            decide(&seventh(None), &presented, &POLICY, now),
            Decision::Rotate(_)
        ));
    }
}

#[test]
fn r15_a_digest_is_equal_byte_for_byte_and_never_printed() {
    let digest = Digest::new([0xab; 32]);
    assert_eq!(digest, Digest::from([0xab; 32]));
    for position in 0..32 {
        let mut bytes = [0xab; 32];
        bytes[position] ^= 1;
        assert_ne!(digest, Digest::new(bytes));
    }
    assert_eq!(format!("{digest:?}"), "Digest");
    assert!(!format!("{:?} {:?}", seventh(None), Token::nth(7).presented()).contains("171"));
}
