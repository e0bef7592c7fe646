use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::{DELIVERY_LIFE, EmailChange, Locale, MailKind, ProofKind, Retry, is_new_device, retry};
use crate::{Email, Timestamp, UserId};

const START: Timestamp = Timestamp::from_millis(1_000_000);

#[test]
fn a_language_is_negotiated() {
    for (header, expected) in [
        ("", Locale::En),
        ("de", Locale::De),
        ("de-AT,en;q=0.5", Locale::De),
        ("pt, fr;q=0.3, ES-mx;q=0.7", Locale::Es),
        ("en;q=0.4,pl;q=0.40", Locale::En),
        ("pl;q=0", Locale::En),
        ("it,*;q=0.1", Locale::En),
        ("de;q=nan,fr;q=2,pl;q=0.9999", Locale::En),
        ("\u{1F600};;;,,=", Locale::En),
    ] {
        assert_eq!(Locale::negotiate(header), expected, "{header}");
    }
    let late = format!("{}de", "it,".repeat(16));
    assert_eq!(
        Locale::negotiate(&late),
        Locale::En,
        "only so many are read"
    );
}

#[test]
fn the_first_language_that_there_is() {
    for (tags, expected) in [
        ("", None),
        ("it x-klingon", None),
        ("it PL-pl de", Some(Locale::Pl)),
        ("fr-CA fr en", Some(Locale::Fr)),
        ("de,fr", None),
    ] {
        assert_eq!(Locale::of_ui_locales(tags), expected, "{tags}");
    }
}

#[test]
fn every_mail_that_somebody_else_can_cause_is_counted_tighter() {
    for kind in MailKind::ALL {
        assert_eq!(kind.hourly() == 5, kind.is_asked_for(), "{kind}");
        assert!(kind.proof().is_none() || kind.is_asked_for(), "{kind}");
    }
}

#[test]
fn pauses_grow_from_a_minute_to_four_hours() {
    let pause = |attempts| match retry(START, attempts, false, START, 0) {
        Retry::At(at) => at.since(START).as_secs(),
        Retry::GiveUp => 0,
    };
    let pauses: Vec<_> = [1, 2, 3, 8, 9, 40].into_iter().map(pause).collect();
    assert_eq!(pauses, [60, 120, 240, 7_680, 14_400, 14_400]);
    let shortest = retry(START, 1, false, START, u16::MAX);
    assert_eq!(shortest, Retry::At(START.plus(Duration::from_secs(45))));
}

proptest! {
    #[test]
    fn e7_whatever_chance_says_a_mail_is_tried_for_three_days_and_then_given_up(chances in proptest::collection::vec(any::<u16>(), 100)) {
        let (mut now, mut attempts) = (START, 0);
        let tried = chances.iter().find_map(|chance| {
            attempts += 1;
            match retry(START, attempts, false, now, *chance) {
                Retry::At(at) => {
                    assert!(at > now);
                    now = at;
                    None
                }
                Retry::GiveUp => Some(now.since(START)),
            }
        });
        let tried = tried.expect("it ends");
        prop_assert!(tried <= DELIVERY_LIFE);
        prop_assert!(tried + Duration::from_secs(4 * 3600) >= DELIVERY_LIFE);
        prop_assert!((18..=36).contains(&attempts), "{attempts}");
    }

    #[test]
    fn a_refusal_for_good_is_believed_within_the_hour(attempts in 1_u32..100, chance in any::<u16>(), late in 0_u64..4000) {
        let now = START.plus(Duration::from_secs(late));
        match retry(START, attempts, true, now, chance) {
            Retry::At(at) => prop_assert!(at <= START.plus(Duration::from_secs(3600))),
            Retry::GiveUp => prop_assert!(attempts > 1 || late > 3500),
        }
    }

    #[test]
    fn a_change_is_complete_when_both_have_confirmed_in_any_order(links in proptest::collection::vec(any::<bool>(), 0..6)) {
        let mut change = EmailChange {
            id: Uuid::nil(),
            user: UserId::new(Uuid::nil()),
            email: Email::parse("a@b").unwrap(),
            new_confirmed: false,
            old_confirmed: false,
            expires_at: START,
        };
        for new in &links {
            change = change.confirmed(if *new { ProofKind::ChangeEmailNew } else { ProofKind::ChangeEmailOld });
        }
        prop_assert_eq!(change.is_complete(), links.contains(&true) && links.contains(&false));
    }
}

#[test]
fn the_first_device_of_all_is_not_new() {
    assert!(!is_new_device(&1, &[]));
    assert!(!is_new_device(&1, &[2, 1]));
    assert!(is_new_device(&3, &[2, 1]));
}
