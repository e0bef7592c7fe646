use core::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::UserId;

const BEGAN: i64 = 1_000_000;
const NOW: i64 = 1_060_000;

fn signed_in(auth_time: i64) -> Browser {
    Browser {
        user: UserId::new(Uuid::from_u128(7)),
        auth_time: at(auth_time),
        silent: false,
        expected: true,
    }
}

fn asked(words: &str, max_age_s: Option<u32>) -> Asked {
    let prompt = Prompt::of(&read(&[("prompt", words)]).unwrap()).unwrap();
    Asked { prompt, max_age_s }
}

/// What happens next at `NOW` on a request for `openid` that began at `BEGAN`.
fn happens(asked: &Asked, auth_time: Option<i64>, agreed: Option<&str>) -> Next {
    let browser = auth_time.map(signed_in);
    let agreed = agreed.map(scopes_from);
    let wanted = scopes_from("openid email");
    let times = (at(BEGAN), at(NOW));
    next(asked, browser.as_ref(), times, (agreed.as_ref(), &wanted))
}

const BEFORE: Option<i64> = Some(BEGAN - 1);
const SINCE: Option<i64> = Some(BEGAN);
const ALL: Option<&str> = Some("email openid orders:read");
const LESS: Option<&str> = Some("openid");

#[test]
fn first_a_person_then_their_consent() {
    let nothing = asked("", None);
    for (auth_time, agreed, expected) in [
        (None, None, Next::SignIn),
        (None, ALL, Next::SignIn),
        (BEFORE, None, Next::Consent),
        (BEFORE, Some(""), Next::Consent),
        (BEFORE, LESS, Next::Consent),
        (BEFORE, ALL, Next::Answer),
        (SINCE, None, Next::Consent),
        (SINCE, ALL, Next::Answer),
        (Some(0), ALL, Next::Answer),
    ] {
        assert_eq!(
            happens(&nothing, auth_time, agreed),
            expected,
            "{auth_time:?} {agreed:?}"
        );
    }
}

#[test]
fn a12_no_page_may_be_shown() {
    use ErrorCode::{ConsentRequired, LoginRequired};
    for (max_age_s, auth_time, agreed, expected) in [
        (None, None, None, Next::Refuse(LoginRequired)),
        (None, None, ALL, Next::Refuse(LoginRequired)),
        (None, BEFORE, None, Next::Refuse(ConsentRequired)),
        (None, BEFORE, LESS, Next::Refuse(ConsentRequired)),
        (None, BEFORE, ALL, Next::Answer),
        (Some(0), BEFORE, ALL, Next::Refuse(LoginRequired)),
        (Some(60), BEFORE, ALL, Next::Refuse(LoginRequired)),
        (Some(61), BEFORE, ALL, Next::Answer),
        (Some(61), BEFORE, LESS, Next::Refuse(ConsentRequired)),
    ] {
        let asked = asked("none", max_age_s);
        assert_eq!(
            happens(&asked, auth_time, agreed),
            expected,
            "{max_age_s:?} {auth_time:?} {agreed:?}"
        );
    }
}

#[test]
fn a12_who_has_to_sign_in_again() {
    for words in ["login", "select_account", "login select_account"] {
        let asked = asked(words, None);
        for auth_time in [None, BEFORE, Some(0)] {
            assert_eq!(
                happens(&asked, auth_time, ALL),
                Next::SignIn,
                "{words} {auth_time:?}"
            );
        }
        // They have, for this request.
        for auth_time in [SINCE, Some(NOW)] {
            assert_eq!(happens(&asked, auth_time, ALL), Next::Answer, "{words}");
            assert_eq!(happens(&asked, auth_time, LESS), Next::Consent, "{words}");
        }
    }
}

#[test]
fn a12_how_long_ago_they_may_have_signed_in() {
    for (max_age_s, auth_time, expected) in [
        (0, BEFORE, Next::SignIn),
        (1, BEFORE, Next::SignIn),
        (60, BEFORE, Next::SignIn),
        (61, BEFORE, Next::Answer),
        (100, Some(NOW - 100_000), Next::Answer),
        (100, Some(NOW - 100_001), Next::SignIn),
        (u32::MAX, Some(0), Next::Answer),
        (u32::MAX, Some(i64::MIN), Next::SignIn),
        // However slow they were since.
        (0, SINCE, Next::Answer),
        (1, SINCE, Next::Answer),
        (0, Some(NOW), Next::Answer),
        // The clock was set back.
        (0, Some(i64::MAX), Next::Answer),
    ] {
        let asked = asked("", Some(max_age_s));
        assert_eq!(
            happens(&asked, auth_time, ALL),
            expected,
            "{max_age_s} {auth_time:?}"
        );
    }
}

#[test]
fn a15_who_is_asked_again() {
    for words in ["consent", "consent login", "consent select_account"] {
        let asked = asked(words, None);
        for agreed in [None, LESS, ALL] {
            assert_eq!(
                happens(&asked, SINCE, agreed),
                Next::Consent,
                "{words} {agreed:?}"
            );
            assert_eq!(
                happens(&asked, None, agreed),
                Next::SignIn,
                "{words} {agreed:?}"
            );
        }
    }
    // Nothing of what was agreed to is forgotten by asking for less.
    let wanted = scopes_from("");
    let times = (at(BEGAN), at(NOW));
    let browser = signed_in(0);
    for (agreed, expected) in [
        (None, Next::Consent),
        (Some(""), Next::Answer),
        (ALL, Next::Answer),
    ] {
        let agreed = agreed.map(scopes_from);
        let next = next(
            &Asked::default(),
            Some(&browser),
            times,
            (agreed.as_ref(), &wanted),
        );
        assert_eq!(next, expected);
    }
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let words = [
        "",
        "none",
        "login",
        "consent",
        "select_account",
        "login consent",
        "consent select_account",
    ];
    let age = prop_oneof![
        Just(None),
        (0_u32..200).prop_map(Some),
        any::<u32>().prop_map(Some)
    ];
    (prop::sample::select(words.to_vec()), age).prop_map(|(words, age)| asked(words, age))
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..300_000, 1 => any::<i64>()]
}

fn any_scopes() -> impl Strategy<Value = Scopes> {
    "([a-c] ){0,3}".prop_map(|text| scopes_from(&text))
}

proptest! {
    #[test]
    fn a12_a_page_only_where_one_may_be_shown(
        asked in any_asked(), auth_time in prop::option::of(any_time()), (began_at, now) in (any_time(), any_time()),
        (agreed, wanted) in (prop::option::of(any_scopes()), any_scopes())
    ) {
        let browser = auth_time.map(signed_in);
        let next = next(&asked, browser.as_ref(), (at(began_at), at(now)), (agreed.as_ref(), &wanted));
        match next {
            Next::SignIn => prop_assert!(!asked.prompt.none),
            Next::Consent => prop_assert!(!asked.prompt.none && browser.is_some()),
            Next::Refuse(code) => {
                prop_assert!(asked.prompt.none);
                let told = [ErrorCode::LoginRequired, ErrorCode::ConsentRequired];
                prop_assert!(told.contains(&code));
                prop_assert!(browser.is_some() || code == ErrorCode::LoginRequired);
            }
            Next::Answer => {
                let auth_time = auth_time.map(at);
                prop_assert!(auth_time.is_some(), "never without a person");
                let own = auth_time >= Some(at(began_at));
                let age = auth_time.map(|auth_time| at(now).since(auth_time));
                let most = asked.max_age_s.map(|most| Duration::from_secs(most.into()));
                prop_assert!(own || most.is_none_or(|most| age <= Some(most)));
                prop_assert!(own || !(asked.prompt.login || asked.prompt.select_account));
                prop_assert!(!asked.prompt.consent);
                prop_assert!(agreed.is_some_and(|agreed| agreed.cover(&wanted)));
            }
        }
    }

    /// Nobody is sent round in a circle: who signs in is not sent to sign in again, and who agrees is done.
    #[test]
    fn it_comes_to_an_end(
        asked in any_asked(), (began_at, pause) in (0_i64..300_000, 0_i64..300_000), late in 0_i64..300_000,
        wanted in any_scopes()
    ) {
        let browser = signed_in(began_at + pause);
        let times = (at(began_at), at(began_at + pause + late));
        let step = next(&asked, Some(&browser), times, (None, &wanted));
        prop_assert!(matches!(step, Next::Consent | Next::Refuse(ErrorCode::ConsentRequired)));
        let answered = Asked { prompt: Prompt { consent: false, ..asked.prompt }, ..asked };
        let step = next(&answered, Some(&browser), times, (Some(&wanted), &wanted));
        prop_assert_eq!(step, Next::Answer);
    }

    /// To have agreed to more, or to have signed in later, never makes it harder.
    #[test]
    fn more_is_never_less(
        asked in any_asked(), (auth_time, later) in (0_i64..300_000, 0_i64..300_000), began_at in 0_i64..300_000,
        (agreed, more, wanted) in (any_scopes(), any_scopes(), any_scopes())
    ) {
        let times = (at(began_at), at(300_000));
        let before = next(&asked, Some(&signed_in(auth_time)), times, (Some(&agreed), &wanted));
        if before == Next::Answer {
            let agreed = agreed.with(&more);
            let browser = signed_in(auth_time.saturating_add(later));
            let after = next(&asked, Some(&browser), times, (Some(&agreed), &wanted));
            prop_assert_eq!(after, Next::Answer);
        }
    }
}

#[test]
fn somebody_else_than_expected_signs_in_again_but_not_for_ever() {
    let (agreed, wanted) = (scopes_from("openid"), scopes_from("openid"));
    let happens = |words: &str, auth_time| {
        let other = Browser {
            expected: false,
            ..signed_in(auth_time)
        };
        let times = (at(BEGAN), at(NOW));
        next(
            &asked(words, None),
            Some(&other),
            times,
            (Some(&agreed), &wanted),
        )
    };
    let refused = Next::Refuse(ErrorCode::LoginRequired);
    assert_eq!(happens("", BEGAN - 1), Next::SignIn);
    assert_eq!(happens("none", BEGAN - 1), refused);
    assert_eq!(happens("", BEGAN), refused);
    assert_eq!(happens("login", BEGAN), refused);
}

#[test]
fn a_sign_in_elsewhere_that_may_be_old_is_not_a_new_one() {
    let scopes = scopes_from("openid");
    let happens = |words: &str, max_age_s| {
        let silent = Browser {
            silent: true,
            ..signed_in(BEGAN)
        };
        let asked = asked(words, max_age_s);
        let times = (at(BEGAN), at(NOW));
        next(&asked, Some(&silent), times, (Some(&scopes), &scopes))
    };
    assert_eq!(happens("", None), Next::Answer);
    assert_eq!(happens("select_account", None), Next::Answer);
    assert_eq!(happens("login", None), Next::SignIn);
    assert_eq!(happens("", Some(3_600)), Next::SignIn);
    assert_eq!(
        happens("none", Some(3_600)),
        Next::Refuse(ErrorCode::LoginRequired)
    );
}
