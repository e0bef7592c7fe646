use std::time::Duration;

use uuid::Uuid;

use super::{EndReason, Ended, Life, Session, SessionPolicy, SignInMethod, Transport};
use crate::refresh::{Digest, RefreshState};
use crate::{Refusal, SessionId, Timestamp, UserId};

const START: Timestamp = Timestamp::from_seconds(1_700_000_000);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn session(policy: SessionPolicy, remember: bool) -> Session {
    let lives = policy.lifetimes(remember, START);
    Session {
        id: SessionId::new(Uuid::from_u128(1)),
        user: UserId::new(Uuid::from_u128(2)),
        client_id: "symbolon".to_owned(),
        refresh: RefreshState::first(Digest::new([0; 32]), 1, START),
        idle_ttl: lives.idle_ttl,
        expires_at: lives.expires_at,
        persistent: lives.persistent,
        transport: Transport::Cookie,
        method: SignInMethod::Password,
        device: None,
        user_agent: None,
        address: None,
        created_at: START,
        last_used_at: START,
        ended: None,
    }
}

fn remembered() -> Session {
    session(SessionPolicy::default(), true)
}

fn just_before(moment: Timestamp) -> Timestamp {
    moment.minus(Duration::from_millis(1))
}

#[test]
fn s3_a_session_dies_of_idleness_at_the_millisecond() {
    let session = remembered();
    let end = START.plus(7 * DAY);
    assert_eq!(session.idle_expires_at(), end);
    assert_eq!(session.life(START), Life::Live);
    assert_eq!(session.life(just_before(end)), Life::Live);
    assert_eq!(session.life(end), Life::IdleExpired);
}

#[test]
fn s3_r11_no_use_moves_the_absolute_end() {
    let mut session = remembered();
    let end = START.plus(30 * DAY);
    let mut now = START;
    while now < end {
        assert_eq!(session.life(now), Life::Live);
        assert!(session.idle_expires_at() <= end);
        session.last_used_at = now;
        now = now.plus(6 * DAY);
    }
    session.last_used_at = just_before(end);
    assert_eq!(session.life(just_before(end)), Life::Live);
    assert_eq!(session.life(end), Life::AbsoluteExpired);
    assert_eq!(session.life(end.plus(100 * DAY)), Life::AbsoluteExpired);
}

#[test]
fn s3_a_clock_set_back_does_not_end_a_session() {
    assert_eq!(remembered().life(START.minus(100 * DAY)), Life::Live);
}

#[test]
fn what_was_ended_is_ended_before_it_is_expired() {
    for reason in EndReason::ALL.iter().copied() {
        let ended = Ended { at: START, reason };
        let session = Session {
            ended: Some(ended),
            ..remembered()
        };
        for now in [
            START.minus(DAY),
            START,
            START.plus(DAY),
            START.plus(365 * DAY),
        ] {
            assert_eq!(session.life(now), Life::Ended(ended));
            assert_eq!(session.life(now).refusal(), Some(Refusal::SessionRevoked));
        }
    }
}

#[test]
fn an_expired_session_is_told_apart_from_an_ended_one() {
    assert_eq!(Life::Live.refusal(), None);
    assert_eq!(
        Life::IdleExpired.refusal(),
        Some(Refusal::RefreshTokenExpired)
    );
    assert_eq!(
        Life::AbsoluteExpired.refusal(),
        Some(Refusal::RefreshTokenExpired)
    );
}

#[test]
fn without_remember_a_session_lives_24_hours_in_total() {
    let mut session = session(SessionPolicy::default(), false);
    assert_eq!(session.expires_at, START.plus(DAY));
    assert_eq!(session.cookie_max_age(START), None);
    session.last_used_at = START.plus(23 * HOUR);
    assert_eq!(session.life(START.plus(23 * HOUR)), Life::Live);
    assert_eq!(session.life(START.plus(24 * HOUR)), Life::AbsoluteExpired);
}

#[test]
fn shorter_settings_hold_without_remember_too() {
    let policy = SessionPolicy {
        idle_ttl: HOUR,
        absolute_ttl: 8 * HOUR,
        ..SessionPolicy::default()
    };
    let lives = policy.lifetimes(false, START);
    assert_eq!(
        (lives.idle_ttl, lives.expires_at),
        (HOUR, START.plus(8 * HOUR))
    );
}

#[test]
fn an_idle_life_longer_than_the_absolute_one_is_cut() {
    let policy = SessionPolicy {
        idle_ttl: 60 * DAY,
        absolute_ttl: 30 * DAY,
        ..SessionPolicy::default()
    };
    let session = session(policy, true);
    assert_eq!(session.idle_expires_at(), START.plus(30 * DAY));
    assert_eq!(session.cookie_max_age(START), Some(30 * DAY));
}

#[test]
fn max_age_is_the_idle_life_and_never_past_the_absolute_one() {
    let session = remembered();
    assert_eq!(session.cookie_max_age(START), Some(7 * DAY));
    assert_eq!(session.cookie_max_age(START.plus(23 * DAY)), Some(7 * DAY));
    assert_eq!(session.cookie_max_age(START.plus(24 * DAY)), Some(6 * DAY));
    assert_eq!(
        session.cookie_max_age(START.plus(30 * DAY)),
        Some(Duration::ZERO)
    );
    assert_eq!(
        session.cookie_max_age(START.plus(31 * DAY)),
        Some(Duration::ZERO)
    );
}

#[test]
fn no_access_token_outlives_its_session() {
    let quarter = HOUR / 4;
    let session = remembered();
    assert_eq!(
        session.access_expires_at(START, quarter),
        START.plus(quarter)
    );
    let end = START.plus(30 * DAY);
    assert_eq!(session.access_expires_at(end.minus(quarter), quarter), end);
    assert_eq!(session.access_expires_at(just_before(end), quarter), end);
    // An idle life shorter than an access token's is the end of the token as well.
    let brief = Session {
        idle_ttl: Duration::from_mins(5),
        ..remembered()
    };
    assert_eq!(
        brief.access_expires_at(START, quarter),
        START.plus(Duration::from_mins(5))
    );
    for age in 0..40 {
        let now = START.plus(age * DAY);
        let used = Session {
            last_used_at: now,
            ..remembered()
        };
        assert!(used.access_expires_at(now, quarter) <= used.idle_expires_at().max(end));
    }
}
