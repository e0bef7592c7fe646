use std::time::Duration;

use super::Timestamp;

#[test]
fn seconds_round_down_and_up_on_both_sides_of_1970() {
    for (millis, floor, ceil) in [
        (0, 0, 0),
        (1, 0, 1),
        (999, 0, 1),
        (1000, 1, 1),
        (1001, 1, 2),
        (-1, -1, 0),
        (-1000, -1, -1),
        (-1001, -2, -1),
    ] {
        let moment = Timestamp::from_millis(millis);
        assert_eq!(
            (moment.seconds(), moment.seconds_ceil()),
            (floor, ceil),
            "{millis}"
        );
    }
    assert_eq!(Timestamp::from_seconds(7).millis(), 7000);
}

#[test]
fn arithmetic_stops_at_the_ends() {
    let (first, last) = (
        Timestamp::from_millis(i64::MIN),
        Timestamp::from_millis(i64::MAX),
    );
    assert_eq!(last.plus(Duration::MAX), last);
    assert_eq!(first.minus(Duration::MAX), first);
    assert_eq!(first.minus(Duration::from_millis(1)), first);
    assert_eq!(
        last.since(first),
        Duration::from_millis(i64::MAX.unsigned_abs())
    );
    assert_eq!(Timestamp::from_seconds(i64::MAX), last);
    assert_eq!(Timestamp::from_seconds(i64::MIN), first);
    assert!(last.seconds_ceil() > 0 && first.seconds() < 0);
}

#[test]
fn no_time_has_passed_since_what_is_still_to_come() {
    let now = Timestamp::from_millis(1000);
    assert_eq!(
        now.since(Timestamp::from_millis(999)),
        Duration::from_millis(1)
    );
    assert_eq!(now.since(now), Duration::ZERO);
    assert_eq!(now.since(Timestamp::from_millis(1001)), Duration::ZERO);
    assert_eq!(Timestamp::from_millis(i64::MIN).since(now), Duration::ZERO);
}
