use std::time::Duration;

use uuid::Uuid;

use super::{Event, Sessions, consequences, revocation_until};
use crate::revocation::{Effect, Revocation, Subject};
use crate::{Email, EndReason, RoleName, Roles, SessionId, Timestamp, User, UserId, UserStatus};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const UNTIL: Timestamp = Timestamp::from_seconds(1_700_000_960);

fn session(number: u128) -> SessionId {
    SessionId::new(Uuid::from_u128(number))
}

fn user() -> User {
    User {
        id: UserId::new(Uuid::from_u128(7)),
        email: Email::parse("alice@example.com").unwrap(),
        username: None,
        name: None,
        roles: Roles::new(vec![RoleName::USER]),
        status: UserStatus::Active,
        email_verified: false,
        token_version: 41,
        version: 3,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn session_revoked(number: u128) -> Revocation {
    let subject = Subject::Session(session(number));
    Revocation {
        subject,
        effect: Effect::Revoked,
        until: UNTIL,
    }
}

#[test]
fn a_revocation_outlives_every_token_it_can_hit_and_every_leeway() {
    assert_eq!(revocation_until(NOW, Duration::from_mins(15)), UNTIL);
}

#[test]
fn r5_the_end_of_a_session_kills_it_and_its_access_tokens() {
    for reason in [
        EndReason::Logout,
        EndReason::Revoked,
        EndReason::Reused,
        EndReason::Replaced,
    ] {
        let after = consequences(
            &Event::SessionEnds {
                session: session(1),
                reason,
            },
            UNTIL,
        );
        assert_eq!(after.sessions, Sessions::One(session(1)));
        assert_eq!(after.reason, Some(reason));
        assert_eq!(after.token_version, None);
        assert_eq!(after.revocations, [session_revoked(1)]);
    }
}

#[test]
fn r10_the_end_of_all_sessions_spares_a_sign_in_of_the_same_second() {
    let user = user();
    for reason in [
        EndReason::LogoutAll,
        EndReason::Disabled,
        EndReason::Deleted,
    ] {
        let after = consequences(
            &Event::AllSessionsEnd {
                user: &user,
                reason,
            },
            UNTIL,
        );
        assert_eq!(after.sessions, Sessions::AllOf(user.id));
        assert_eq!(after.reason, Some(reason));
        let subject = Subject::User {
            id: user.id,
            below: 42,
        };
        let expected = Revocation {
            subject,
            effect: Effect::Revoked,
            until: UNTIL,
        };
        assert_eq!(after.revocations, [expected]);
        // Tokens given before carry 41, which is below; those given after carry 42, which is not.
        assert_eq!(after.token_version, Some(42));
    }
}

#[test]
fn p6_a_new_password_ends_every_other_session() {
    let live = [1, 2, 3].map(session);
    let event = Event::PasswordChanged {
        user: user().id,
        kept: session(2),
        live: &live,
    };
    let after = consequences(&event, UNTIL);
    assert_eq!(after.sessions, Sessions::AllBut(user().id, session(2)));
    assert_eq!(after.reason, Some(EndReason::PasswordChanged));
    assert_eq!(after.token_version, None);
    assert_eq!(after.revocations, [session_revoked(1), session_revoked(3)]);
}

#[test]
fn p6_a_new_password_on_the_only_session_revokes_nothing() {
    let live = [session(2)];
    let event = Event::PasswordChanged {
        user: user().id,
        kept: session(2),
        live: &live,
    };
    assert_eq!(consequences(&event, UNTIL).revocations, []);
}

#[test]
fn m8_other_roles_make_tokens_stale_and_end_nothing() {
    let user = user();
    let after = consequences(&Event::RolesChanged { user: &user }, UNTIL);
    assert_eq!(after.sessions, Sessions::None);
    assert_eq!(after.reason, None);
    assert_eq!(after.token_version, Some(42));
    let subject = Subject::User {
        id: user.id,
        below: 42,
    };
    let expected = Revocation {
        subject,
        effect: Effect::Stale,
        until: UNTIL,
    };
    assert_eq!(after.revocations, [expected]);
}

#[test]
fn an_operator_ends_tokens_and_no_session() {
    for effect in [Effect::Revoked, Effect::Stale] {
        for subject in [
            Subject::Session(session(1)),
            Subject::Token("jti".to_owned()),
            Subject::Client {
                id: "client".to_owned(),
                before_s: 1_700_000_000,
            },
            Subject::All {
                before_s: 1_700_000_000,
            },
        ] {
            let event = Event::TokensEnd {
                subject: &subject,
                effect,
            };
            let after = consequences(&event, UNTIL);
            assert_eq!(after.sessions, Sessions::None);
            assert_eq!(after.reason, None);
            assert_eq!(after.token_version, None);
            let expected = Revocation {
                subject,
                effect,
                until: UNTIL,
            };
            assert_eq!(after.revocations, [expected]);
        }
    }
}
