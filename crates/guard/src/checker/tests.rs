use proptest::prelude::*;
use symbolon_token::{Algorithm, Audience, Error, SigningKey, Typ, VerifyingKey, feed_key};

use super::*;

const ISSUER: &str = "https://auth.example";
const NOW: i64 = 1_790_000_000;

fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "alice".to_owned(),
        aud: Audience::from("api"),
        exp: NOW + 900,
        iat: NOW,
        jti: "one".to_owned(),
        sid: Some("laptop".to_owned()),
        ver: Some(5),
        client_id: "symbolon".to_owned(),
        scope: String::new(),
        roles: vec!["user".to_owned()],
        nbf: None,
        email: None,
        cnf: None,
        auth_time: None,
        acr: None,
        act: None,
    }
}

fn key() -> SigningKey {
    SigningKey::hmac("k1", &[7; 32]).unwrap()
}

fn sign(key: &SigningKey, claims: &AccessClaims) -> String {
    key.sign(Typ::AtJwt, claims).unwrap()
}

fn set(keys: &[&SigningKey]) -> KeySet {
    KeySet::new(keys.iter().map(|key| key.verifying_key()).collect()).unwrap()
}

fn guard_with(keys: KeySet, leeway: u32, cache_capacity: usize) -> Checker {
    let verifier = Verifier::access(ISSUER, "api", &[Algorithm::Hs256, Algorithm::Es256]).unwrap();
    Checker::new(
        CheckerOptions {
            verifier: verifier.leeway_seconds(leeway).unwrap(),
            cache_capacity,
        },
        keys,
    )
}

fn guard() -> Checker {
    guard_with(set(&[&key()]), 0, 100)
}

fn verdict(guard: &Checker, token: &str, now: i64) -> Result<(), Rejection> {
    guard.check(token, now).map(|_| ())
}

#[test]
fn a_good_token_passes_and_is_verified_once() {
    let (guard, token) = (guard(), sign(&key(), &claims()));
    let first = guard.check(&token, NOW).unwrap();
    assert_eq!(first.claims(), &claims());
    assert!(Arc::ptr_eq(
        &first,
        &guard.check(&token, NOW + 899).unwrap()
    ));
    assert!(guard_with(set(&[&key()]), 0, 0).check(&token, NOW).is_ok());
}

#[test]
fn refusals_have_their_codes() {
    let (guard, good) = (guard(), sign(&key(), &claims()));
    let other = sign(&SigningKey::hmac("k1", &[8; 32]).unwrap(), &claims());
    assert_eq!(
        verdict(&guard, &other, NOW),
        Err(Rejection::Invalid(Error::BadSignature))
    );
    assert_eq!(
        verdict(&guard, "", NOW),
        Err(Rejection::Invalid(Error::Malformed))
    );
    assert_eq!(verdict(&guard, &good, NOW + 900), Err(Rejection::Expired));
    let kind = Kind::Session;
    let codes = [
        Rejection::Invalid(Error::Malformed),
        Rejection::Expired,
        Rejection::Revoked(kind),
        Rejection::Stale(kind),
    ];
    assert_eq!(
        codes.map(|rejection| rejection.code()),
        [
            "invalid_token",
            "token_expired",
            "token_revoked",
            "token_stale"
        ]
    );
}

#[test]
fn what_only_ends_like_a_known_token_is_refused() {
    let (guard, token) = (guard(), sign(&key(), &claims()));
    guard.check(&token, NOW).unwrap();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).unwrap();
        assert!(
            matches!(verdict(&guard, &tampered, NOW), Err(Rejection::Invalid(_))),
            "byte {at}"
        );
    }
    assert!(
        guard.check(&token[1..], NOW).is_err() && guard.check(&format!("{token}A"), NOW).is_err()
    );
}

/// What hits the token of `claims()`, of each kind, and what misses it by a hair.
fn pairs() -> [(Kind, &'static str, Kind, &'static str); 6] {
    [
        (Kind::Session, "laptop", Kind::Session, "phone"),
        (
            Kind::User { below: 6 },
            "alice",
            Kind::User { below: 5 },
            "alice",
        ),
        (Kind::Token, "one", Kind::Token, "two"),
        (
            Kind::Client { before: NOW },
            "symbolon",
            Kind::Client { before: NOW - 1 },
            "symbolon",
        ),
        (Kind::Key, "k1", Kind::Key, "k2"),
        (
            Kind::All { before: NOW },
            "",
            Kind::All { before: NOW - 1 },
            "",
        ),
    ]
}

#[test]
fn each_kind_and_effect_is_obeyed_for_tokens_new_and_known() {
    for (hit, id, miss, other) in pairs() {
        for effect in [Effect::Revoked, Effect::Stale] {
            for known in [false, true] {
                let (guard, token) = (guard(), sign(&key(), &claims()));
                if known {
                    guard.check(&token, NOW).unwrap();
                }
                let entry = |kind: Kind, id| Entry {
                    kind,
                    key: feed_key(kind.as_str(), id),
                    effect,
                    until: NOW + 900,
                };
                guard.apply(&entry(miss, other));
                assert_eq!(verdict(&guard, &token, NOW), Ok(()), "{miss:?}");
                guard.apply(&entry(hit, id));
                let refused = if effect == Effect::Revoked {
                    Rejection::Revoked(hit)
                } else {
                    Rejection::Stale(hit)
                };
                assert_eq!(verdict(&guard, &token, NOW), Err(refused));
                guard.replace([entry(miss, other)]);
                assert_eq!(
                    verdict(&guard, &token, NOW),
                    Ok(()),
                    "{miss:?} after a snapshot"
                );
            }
        }
    }
}

#[test]
fn signing_out_everywhere_and_in_again_within_one_second_works() {
    let guard = guard();
    let old = sign(&key(), &claims());
    let unversioned = sign(
        &key(),
        &AccessClaims {
            ver: None,
            sid: None,
            ..claims()
        },
    );
    let new = sign(
        &key(),
        &AccessClaims {
            ver: Some(6),
            sid: Some("next".to_owned()),
            ..claims()
        },
    );
    let kind = Kind::User { below: 6 };
    guard.apply(&Entry {
        kind,
        key: feed_key("user", "alice"),
        effect: Effect::Revoked,
        until: NOW + 900,
    });
    assert_eq!(verdict(&guard, &old, NOW), Err(Rejection::Revoked(kind)));
    assert_eq!(
        verdict(&guard, &unversioned, NOW),
        Err(Rejection::Revoked(kind))
    );
    assert_eq!(verdict(&guard, &new, NOW), Ok(()));
}

#[test]
fn entries_outlive_the_tokens_that_leeway_keeps_alive() {
    let (guard, token) = (guard_with(set(&[&key()]), 60, 100), sign(&key(), &claims()));
    guard.apply(&Entry {
        kind: Kind::Session,
        key: feed_key("session", "laptop"),
        effect: Effect::Revoked,
        until: NOW + 900,
    });
    assert_eq!(guard.expire(NOW + 959), 0);
    assert_eq!(
        verdict(&guard, &token, NOW + 959),
        Err(Rejection::Revoked(Kind::Session))
    );
    assert_eq!(guard.expire(NOW + 960), 1);
    assert_eq!(verdict(&guard, &token, NOW + 960), Err(Rejection::Expired));
}

#[test]
fn a_key_that_goes_takes_its_tokens_along() {
    let (first, second) = (key(), SigningKey::generate(Algorithm::Es256).unwrap());
    let guard = guard_with(set(&[&first, &second]), 0, 100);
    let tokens = [sign(&first, &claims()), sign(&second, &claims())];
    let known = tokens
        .each_ref()
        .map(|token| guard.check(token, NOW).unwrap());
    // The same keys in another order, one more, then one less: what stays is not verified anew.
    guard.set_keys(set(&[&second, &first]));
    guard.set_keys(set(&[
        &SigningKey::hmac("k3", &[9; 32]).unwrap(),
        &second,
        &first,
    ]));
    for (token, known) in tokens.iter().zip(&known) {
        assert!(Arc::ptr_eq(known, &guard.check(token, NOW).unwrap()));
    }
    guard.set_keys(set(&[&second]));
    assert_eq!(
        verdict(&guard, &tokens[0], NOW),
        Err(Rejection::Invalid(Error::UnknownKey))
    );
    assert!(Arc::ptr_eq(
        &known[1],
        &guard.check(&tokens[1], NOW + 1).unwrap()
    ));
    // Back again: it was gone in between, so its tokens are verified anew.
    guard.set_keys(set(&[&first, &second]));
    assert!(!Arc::ptr_eq(
        &known[0],
        &guard.check(&tokens[0], NOW).unwrap()
    ));
    guard.set_keys(KeySet::default());
    assert!(tokens.iter().all(|token| guard.check(token, NOW).is_err()));
}

#[test]
fn a_name_that_stays_is_no_key_that_stays() {
    let (guard, token) = (guard(), sign(&key(), &claims()));
    guard.check(&token, NOW).unwrap();
    guard.set_keys(set(&[&SigningKey::hmac("k1", &[8; 32]).unwrap()]));
    assert_eq!(
        verdict(&guard, &token, NOW),
        Err(Rejection::Invalid(Error::BadSignature))
    );
}

#[test]
fn a_nameless_key_is_asked_again_after_each_change() {
    let nameless =
        |secret: &[u8]| KeySet::new(vec![VerifyingKey::hmac(None, secret).unwrap()]).unwrap();
    let (guard, token) = (
        guard_with(nameless(&[7; 32]), 0, 100),
        sign(&key(), &claims()),
    );
    let known = guard.check(&token, NOW).unwrap();
    guard.set_keys(nameless(&[7; 32]));
    assert!(!Arc::ptr_eq(&known, &guard.check(&token, NOW).unwrap()));
    guard.set_keys(nameless(&[8; 32]));
    assert!(guard.check(&token, NOW).is_err());
}

#[test]
fn threads_share_a_guard_while_it_changes() {
    let (guard, key) = (guard(), key());
    let token = sign(&key, &claims());
    let entry = Entry {
        kind: Kind::Session,
        key: feed_key("session", "laptop"),
        effect: Effect::Revoked,
        until: NOW,
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| (0..20_000).all(|_| guard.check(&token, NOW).is_ok()));
        for number in 0..500_u64 {
            guard.set_keys(set(&[&key]));
            guard.apply(&Entry {
                key: feed_key("session", &number.to_string()),
                ..entry
            });
            guard.replace([]);
        }
        assert!(reader.join().unwrap());
    });
    guard.apply(&entry);
    assert_eq!(
        verdict(&guard, &token, NOW),
        Err(Rejection::Revoked(Kind::Session))
    );
}

proptest! {
    /// A token that is known gets the verdict of one that is not, whichever way the clock goes.
    #[test]
    fn memory_does_not_change_the_verdict(
        (life, nbf, leeway) in (1..200_i64, prop::option::of(-100..200_i64), 0..=60_u32),
        times in prop::collection::vec(-100..300_i64, 1..12),
    ) {
        let token = sign(&key(), &AccessClaims { exp: NOW + life, nbf: nbf.map(|nbf| NOW + nbf), ..claims() });
        let warm = guard_with(set(&[&key()]), leeway, 100);
        for time in times {
            let cold = guard_with(set(&[&key()]), leeway, 100);
            prop_assert_eq!(verdict(&warm, &token, NOW + time), verdict(&cold, &token, NOW + time));
        }
    }
}
