//! The decision with tokens as they really are.

use symbolon_token::refresh::{ChainKey, RefreshToken};

use super::model::{LEEWAY, POLICY, at};
use crate::refresh::{Decision, Presented, RefreshState, decide};

const START: u64 = 1_000_000_000;

fn presented(key: &ChainKey, text: &str) -> Presented {
    let token = RefreshToken::parse(key, text).unwrap();
    Presented {
        generation: token.generation(),
        digest: token.digest().into(),
        successor: token.successor(key).digest().into(),
    }
}

#[test]
fn r3_the_successor_that_was_lost_is_made_again_byte_for_byte() {
    let key = ChainKey::from_bytes(1, &[7; 32]);
    let zeroth = RefreshToken::first(&key, [1; 16], [2; 32]);
    let mut text = zeroth.encode();
    let mut state = RefreshState::first(zeroth.digest().into(), key.number(), at(START));
    let mut now = START;
    for _ in 0..20 {
        now += 60_000;
        let sent = presented(&key, &text);
        let Decision::Rotate(next) = decide(&state, &sent, &POLICY, at(now)) else {
            panic!("the current token was refused");
        };
        let given = RefreshToken::parse(&key, &text)
            .unwrap()
            .successor(&key)
            .encode();
        now += LEEWAY;
        let again = decide(&next, &presented(&key, &text), &POLICY, at(now));
        assert_eq!(again, Decision::Repeat { late: None });
        assert_eq!(presented(&key, &given).digest, next.digest);
        (state, text) = (next, given);
    }
    assert_eq!(state.generation, 20);
    assert_eq!(
        decide(&state, &presented(&key, &zeroth.encode()), &POLICY, at(now)),
        Decision::Reused
    );
}

#[test]
fn a_chain_of_another_session_is_not_this_one() {
    let key = ChainKey::from_bytes(1, &[7; 32]);
    let mine = RefreshToken::first(&key, [1; 16], [2; 32]);
    let state = RefreshState::first(mine.digest().into(), key.number(), at(START));
    for other in [
        RefreshToken::first(&key, [9; 16], [2; 32]),
        RefreshToken::first(&key, [1; 16], [3; 32]),
    ] {
        let sent = presented(&key, &other.encode());
        assert_eq!(decide(&state, &sent, &POLICY, at(START)), Decision::Unknown);
    }
}
