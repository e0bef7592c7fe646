//! What is answered while the feed is not heard, and by whose clock.

use std::time::Duration;

use futures_util::future::join_all;
use symbolon_guard::{Denied, Event, Staleness};

use crate::issuer::{
    Answer, Issuer, NOW, Script, Then, Watched, ended, heartbeat, heartbeat_at, revocation, sign,
    snapshot, soon,
};

/// A guard with that policy that has known of the end of the session `phone` for more than the bound.
async fn stale(policy: Staleness) -> (Issuer, Watched) {
    let text = snapshot("e1", 1, &[ended(1, "phone")]);
    let issuer = Issuer::with(vec![Script {
        text,
        then: Then::Stay,
    }])
    .await;
    let mut watched = Watched::start(issuer.builder().staleness(policy)).await;
    watched
        .until(|event| matches!(event, Event::Snapshot { .. }))
        .await;
    watched.clock.advance(Duration::from_secs(15));
    assert!(watched.guard.is_fresh());
    assert_eq!(watched.code(&issuer.token()), None);
    watched.clock.advance(Duration::from_millis(1));
    assert!(!watched.guard.is_fresh() && !watched.guard.metrics().fresh);
    (issuer, watched)
}

fn of_session(issuer: &Issuer, session: &str) -> String {
    let mut claims = issuer.claims();
    claims.sid = Some(session.to_owned());
    sign(&issuer.key, &claims)
}

fn expired(issuer: &Issuer) -> String {
    let mut claims = issuer.claims();
    claims.exp = NOW - 100;
    sign(&issuer.key, &claims)
}

#[tokio::test]
async fn fail_closed_answers_503_to_whoever_may_have_a_good_token() {
    let (issuer, mut watched) = stale(Staleness::FailClosed).await;
    let (good, revoked) = (issuer.token(), of_session(&issuer, "phone"));
    for token in [&good, &revoked] {
        assert_eq!(
            watched.guard.verify(token).await.unwrap_err(),
            Denied::Overloaded
        );
        assert_eq!(watched.code(token), Some("overloaded"));
    }
    assert_eq!(watched.code("garbage"), Some("invalid_token"));
    assert_eq!(watched.code(&expired(&issuer)), Some("token_expired"));
    watched.until(|event| *event == Event::Stale).await;

    issuer.say(heartbeat(1));
    watched.until(|event| *event == Event::Fresh).await;
    assert_eq!(watched.code(&good), None);
    assert_eq!(watched.code(&revoked), Some("token_revoked"));
}

#[tokio::test]
async fn fail_open_goes_on_with_what_is_known() {
    let (issuer, mut watched) = stale(Staleness::FailOpen).await;
    assert_eq!(watched.code(&issuer.token()), None);
    assert_eq!(
        watched.code(&of_session(&issuer, "phone")),
        Some("token_revoked")
    );
    watched.until(|event| *event == Event::Stale).await;
}

#[tokio::test]
async fn introspection_asks_the_issuer() {
    let (issuer, watched) = stale(Staleness::Introspect).await;
    let token = issuer.token();
    for (answer, expected) in [
        (Answer::Body(Vec::new()), Ok(())),
        (Answer::Problem(401, "token_revoked"), Err(Denied::Revoked)),
        (Answer::Problem(401, "token_stale"), Err(Denied::Stale)),
        (Answer::Problem(401, "forbidden"), Err(Denied::Invalid)),
        (Answer::Status(401), Err(Denied::Invalid)),
        (
            Answer::Problem(403, "insufficient_scope"),
            Err(Denied::InsufficientScope),
        ),
        (Answer::Status(403), Err(Denied::Forbidden)),
        (Answer::Status(500), Err(Denied::Overloaded)),
        (Answer::Status(204), Err(Denied::Overloaded)),
        (Answer::Redirect, Err(Denied::Overloaded)),
    ] {
        *issuer.world.verification.lock().unwrap() = answer.clone();
        let verdict = soon(watched.guard.verify(&token)).await.map(|verified| {
            assert_eq!(verified.claims().sub, "alice");
        });
        assert_eq!(verdict, expected, "{answer:?}");
    }
    let asked = issuer.world.questions.lock().unwrap().clone();
    assert_eq!(asked, vec![format!("Bearer {token}"); 10]);
    assert_eq!(watched.guard.metrics().introspections, 10);
    // Nobody is asked about these.
    for (token, code) in [
        ("garbage".to_owned(), Denied::Invalid),
        (expired(&issuer), Denied::Expired),
        (of_session(&issuer, "phone"), Denied::Revoked),
    ] {
        assert_eq!(soon(watched.guard.verify(&token)).await.unwrap_err(), code);
    }
    assert_eq!(watched.code(&token), Some("overloaded"));
    assert_eq!(watched.guard.metrics().introspections, 10);
    issuer.say(heartbeat(1));
}

#[tokio::test]
async fn no_more_than_64_questions_are_under_way() {
    let (issuer, watched) = stale(Staleness::Introspect).await;
    *issuer.world.verification.lock().unwrap() = Answer::Problem(401, "token_revoked");
    let token = issuer.token();
    let verdicts = soon(join_all((0..100).map(|_| watched.guard.verify(&token)))).await;
    let count = |wanted| {
        verdicts
            .iter()
            .filter(|verdict| verdict.as_ref().err() == Some(&wanted))
            .count()
    };
    assert_eq!(
        (count(Denied::Revoked), count(Denied::Overloaded)),
        (64, 36)
    );
    // They are free again.
    assert_eq!(
        soon(watched.guard.verify(&token)).await.unwrap_err(),
        Denied::Revoked
    );
}

#[tokio::test]
async fn tokens_are_judged_by_the_issuers_clock() {
    for skew in [60, -60] {
        let issuer = Issuer::start().await;
        let clock = symbolon_guard::Clock::frozen(NOW - skew);
        let (builder, events) = crate::issuer::watched(issuer.builder().clock(clock.clone()));
        let guard = soon(builder.start()).await.unwrap();
        let mut watched = Watched {
            guard,
            clock,
            events,
        };
        assert_eq!(watched.guard.metrics().skew, skew);
        watched
            .until(|event| {
                *event
                    == Event::Skew {
                        seconds: Some(skew),
                    }
            })
            .await;
        // By this machine's clock one is not valid yet, or the other has not expired yet.
        assert_eq!(watched.code(&issuer.token()), None);
        let mut claims = issuer.claims();
        (claims.iat, claims.exp) = (NOW - 900, NOW - 5);
        assert_eq!(
            watched.code(&sign(&issuer.key, &claims)),
            Some("token_expired")
        );

        watched.clock.set(NOW + 1);
        // Of the last two comparisons the higher counts.
        issuer.say(heartbeat_at(NOW, 0));
        issuer.say(heartbeat_at(NOW, 0));
        watched
            .until(|event| *event == Event::Skew { seconds: None })
            .await;
        assert_eq!(watched.guard.metrics().skew, 0);
    }
}

#[tokio::test]
async fn a_heartbeat_that_was_late_does_not_turn_the_clock_back() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    issuer.say(heartbeat_at(NOW - 20, 0));
    issuer.say(revocation("e1", &ended(1, "phone")));
    soon(watched.guard.wait_for(1)).await;
    assert_eq!(watched.guard.metrics().skew, 0);
    // What is told twice is no accident.
    issuer.say(heartbeat_at(NOW - 20, 1));
    issuer.say(heartbeat_at(NOW - 20, 1));
    issuer.say(revocation("e1", &ended(2, "tablet")));
    soon(watched.guard.wait_for(2)).await;
    assert_eq!(watched.guard.metrics().skew, -20);
}

#[tokio::test]
async fn what_is_held_back_on_the_way_is_not_heard() {
    let issuer = Issuer::with(vec![
        Script {
            text: snapshot("e1", 0, &[]),
            then: Then::Stay,
        },
        Script {
            text: heartbeat_at(NOW + 60, 0),
            then: Then::Stay,
        },
    ])
    .await;
    let mut watched = issuer.guard().await;
    // A little later with each: 10 s of the issuer's in 15 s of ours.
    for number in 1..=4 {
        watched.clock.advance(Duration::from_secs(15));
        issuer.say(heartbeat_at(NOW + 10 * number, 0));
        if number < 4 {
            let entry = ended(u64::try_from(number).unwrap(), "tablet");
            issuer.say(revocation("e1", &entry));
            soon(watched.guard.wait_for(entry["seq"].as_u64().unwrap())).await;
        }
    }
    watched
        .until(|event| matches!(event, Event::Disconnected { .. }))
        .await;
    assert_eq!(watched.guard.metrics().malformed, 0);
    // It comes back where it was, and what the new connection tells is no older than that.
    assert_eq!(issuer.connections(2).await, [None, Some("e1:3".to_owned())]);
}
