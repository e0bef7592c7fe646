use core::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::UserId;

const USER: UserId = UserId::new(Uuid::from_u128(7));

#[test]
fn a_user_code_is_read_however_it_is_typed() {
    for typed in [
        "BCDFGHJK",
        "BCDF-GHJK",
        "bcdf-ghjk",
        "bCdFgHjK",
        " bcdf ghjk ",
        "B-C-D-F-G-H-J-K",
        "BCDF\u{2010}GHJK",
        "BCDF\u{a0}GHJK\n",
        "BCDF.GHJK!",
    ] {
        let code = UserCode::parse(typed).unwrap();
        assert_eq!(code.as_str(), "BCDFGHJK", "{typed:?}");
        assert_eq!(code.shown(), "BCDF-GHJK");
    }
}

#[test]
fn a20_what_is_no_user_code() {
    for typed in [
        "",
        "-",
        "BCDF-GHJ",
        "BCDF-GHJKL",
        "BCDF-GHJK-LMNP",
        // Vowels and digits are never in one, and stand for no other letter.
        "ACDF-GHJK",
        "BCDF-GHJU",
        "BCDF-GHJY",
        "8CDF-GHJK",
        "BCDF-GHJ0",
        "B1CDF-GHJK",
        // Letters that only look alike.
        "\u{412}CDF-GHJK",
        "\u{ff22}\u{ff23}\u{ff24}\u{ff26}\u{ff27}\u{ff28}\u{ff2a}\u{ff2b}",
        "BCDFGHJ\u{212a}",
        "BCDFGHJ\u{17f}",
        "BCDFGHJK\u{412}",
        "\u{e4}BCDFGHJK",
        "\u{2028}",
        "%",
        "' OR 1=1",
    ] {
        assert_eq!(UserCode::parse(typed), None, "{typed:?}");
    }
    let long = "B".repeat(1_000_000);
    assert_eq!(UserCode::parse(&long), None);
}

#[test]
fn letters_of_user_codes_spell_nothing() {
    let letters: BTreeSet<u8> = USER_CODE_LETTERS.iter().copied().collect();
    assert_eq!(letters.len(), 20);
    assert!(letters.iter().all(u8::is_ascii_uppercase));
    assert!(b"AEIOUY".iter().all(|vowel| !letters.contains(vowel)));
}

/// What a device hears at `now`, whose code is good until 600,000.
fn hears(state: DeviceState, last: Option<i64>, pause_s: u64, now: i64) -> Poll {
    let pause = Duration::from_secs(pause_s);
    poll(state, (last.map(at), pause), (at(600_000), at(now)))
}

fn refused(code: ErrorCode, pause_s: u64) -> Poll {
    Poll::Refuse(code, Duration::from_secs(pause_s))
}

#[test]
fn a20_what_a_device_hears() {
    use DeviceState::{Approved, Denied, Pending, Used};
    let waiting = refused(ErrorCode::AuthorizationPending, 5);
    let expired = refused(ErrorCode::ExpiredToken, 5);
    for (state, last, now, expected) in [
        (Pending, None, 0, waiting),
        (Pending, Some(0), 5_000, waiting),
        (Denied, Some(0), 5_000, refused(ErrorCode::AccessDenied, 5)),
        (Used, Some(0), 5_000, refused(ErrorCode::InvalidGrant, 5)),
        (Approved(USER), None, 0, Poll::Tokens(USER)),
        (Approved(USER), Some(0), 5_000, Poll::Tokens(USER)),
        (Approved(USER), Some(0), 599_999, Poll::Tokens(USER)),
        (Approved(USER), Some(0), 600_000, expired),
        (Pending, None, 600_000, expired),
        (Denied, None, 600_000, expired),
        (Used, None, 700_000, expired),
        // One that is over is told so, however often it asks.
        (Pending, Some(599_999), 600_000, expired),
    ] {
        assert_eq!(
            hears(state, last, 5, now),
            expected,
            "{state:?} {last:?} {now}"
        );
    }
}

#[test]
fn a20_who_asks_too_soon_waits_longer() {
    use DeviceState::{Approved, Denied, Pending, Used};
    for state in [Pending, Approved(USER), Denied, Used] {
        let hears = |last, pause_s, now| hears(state, Some(last), pause_s, now);
        assert_eq!(
            hears(0, 5, 0),
            refused(ErrorCode::SlowDown, 10),
            "{state:?}"
        );
        assert_eq!(hears(0, 5, 4_999), refused(ErrorCode::SlowDown, 10));
        // The longer pause holds from then on, and grows again.
        assert_eq!(hears(4_999, 10, 9_999), refused(ErrorCode::SlowDown, 15));
        assert_eq!(hears(9_999, 15, 24_998), refused(ErrorCode::SlowDown, 20));
        // The clock was set back.
        assert_eq!(hears(50_000, 5, 1_000), refused(ErrorCode::SlowDown, 10));
    }
    let patient = hears(Pending, Some(9_999), 15, 24_999);
    assert_eq!(patient, refused(ErrorCode::AuthorizationPending, 15));
}

fn any_state() -> impl Strategy<Value = DeviceState> {
    prop_oneof![
        Just(DeviceState::Pending),
        Just(DeviceState::Approved(USER)),
        Just(DeviceState::Denied),
        Just(DeviceState::Used),
    ]
}

proptest! {
    #[test]
    fn what_is_shown_can_be_typed(letters in prop::collection::vec(prop::sample::select(&USER_CODE_LETTERS[..]), 8),
        noise in prop::collection::vec("[ ._-]{0,2}", 8), small in any::<u8>())
    {
        let text: String = letters.iter().map(|b| char::from(*b)).collect();
        let code = UserCode::parse(&text).unwrap();
        prop_assert_eq!(code.as_str(), &text);
        prop_assert_eq!(UserCode::parse(&code.shown()), Some(code.clone()));
        let typed: String = letters.iter().zip(&noise).enumerate().map(|(place, (letter, noise))| {
            let letter = if small >> place & 1 == 1 { letter.to_ascii_lowercase() } else { *letter };
            format!("{}{noise}", char::from(letter))
        }).collect();
        prop_assert_eq!(UserCode::parse(&typed), Some(code));
    }

    #[test]
    fn whatever_is_read_is_eight_of_the_letters(typed in "\\PC{0,20}|[A-Za-z0-9 -]{6,12}") {
        if let Some(code) = UserCode::parse(&typed) {
            prop_assert_eq!(code.as_str().len(), 8);
            prop_assert!(code.as_str().bytes().all(|b| USER_CODE_LETTERS.contains(&b)));
        }
    }

    /// Tokens only for who agreed, in time, and at the pace that was asked for; and the pause never shrinks.
    #[test]
    fn a20_nothing_else_gives_tokens(
        state in any_state(), last in prop::option::of(0_i64..100_000), pause_s in 5_u64..60,
        (expires_at, now) in (0_i64..100_000, 0_i64..100_000)
    ) {
        let pause = Duration::from_secs(pause_s);
        let waited = last.is_none_or(|last| at(now) >= at(last).plus(pause));
        match poll(state, (last.map(at), pause), (at(expires_at), at(now))) {
            Poll::Tokens(user) => {
                prop_assert_eq!(state, DeviceState::Approved(user));
                prop_assert!(now < expires_at && waited);
            }
            Poll::Refuse(ErrorCode::SlowDown, longer) => {
                prop_assert!(!waited);
                prop_assert_eq!(longer, pause + SLOW_DOWN);
            }
            Poll::Refuse(_, same) => prop_assert_eq!(same, pause),
        }
    }
}
