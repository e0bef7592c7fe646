use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::EndReason;

const START: Timestamp = Timestamp::from_millis(1_000_000);

#[test]
fn the_status_tells_whether_a_client_has_heard() {
    let outcome = |status| logout_outcome(status, (START, 1), START);
    for status in [200, 204] {
        assert_eq!(outcome(Some(status)), LogoutOutcome::Heard, "{status}");
    }
    for status in [400, 501] {
        assert_eq!(outcome(Some(status)), LogoutOutcome::Refused, "{status}");
    }
    let again = LogoutOutcome::Again(START.plus(Duration::from_secs(10)));
    for status in [
        100, 202, 302, 307, 401, 403, 404, 405, 415, 429, 500, 502, 503, 504,
    ] {
        assert_eq!(outcome(Some(status)), again, "{status}");
    }
    assert_eq!(outcome(None), again);
}

#[test]
fn pauses_grow_from_ten_seconds_to_two_hours() {
    let pause = |attempts| match logout_outcome(None, (START, attempts), START) {
        LogoutOutcome::Again(at) => at.since(START).as_secs(),
        other => panic!("{other:?}"),
    };
    let pauses: Vec<_> = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(pause).into();
    assert_eq!(pauses, [10, 10, 60, 300, 1_800, 7_200, 7_200, 7_200]);
}

proptest! {
    #[test]
    fn it_is_tried_for_a_day_and_no_longer(waits in proptest::collection::vec(0u64..600, 60)) {
        let (mut now, mut attempts) = (START, 0);
        let given_up = waits.iter().any(|wait| {
            attempts += 1;
            match logout_outcome(Some(503), (START, attempts), now) {
                LogoutOutcome::Again(at) => {
                    now = at.plus(Duration::from_secs(*wait));
                    false
                }
                LogoutOutcome::GivenUp => true,
                other => panic!("{other:?}"),
            }
        });
        prop_assert!(given_up);
        prop_assert!((14..=18).contains(&attempts), "{}", attempts);
        let tried = now.since(START);
        prop_assert!(tried > LOGOUT_DELIVERY - Duration::from_secs(7_200));
        prop_assert!(tried <= LOGOUT_DELIVERY + Duration::from_secs(600));
    }
}

#[test]
fn who_ended_a_session_by_itself_is_not_told() {
    for reason in EndReason::ALL.iter().copied() {
        assert_eq!(is_told(reason), reason != EndReason::Logout, "{reason}");
    }
}
