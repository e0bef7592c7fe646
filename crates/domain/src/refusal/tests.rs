use std::collections::BTreeSet;
use std::time::Duration;

use super::Refusal;
use crate::Problem;

/// One of each. A new variant fails to compile here until it is added.
fn all() -> Vec<Refusal> {
    let wait = Duration::from_secs(3);
    let field = Problem::new("email_malformed", "This is not an e-mail address.").at("/email");
    let all = vec![
        Refusal::NoToken,
        Refusal::InvalidToken,
        Refusal::TokenExpired,
        Refusal::TokenRevoked,
        Refusal::TokenStale,
        Refusal::InvalidCredentials,
        Refusal::NoRefreshToken,
        Refusal::InvalidRefreshToken,
        Refusal::RefreshTokenExpired,
        Refusal::RefreshTokenReused,
        Refusal::SessionRevoked,
        Refusal::Forbidden,
        Refusal::WrongPassword,
        Refusal::AccountDisabled,
        Refusal::CsrfRejected,
        Refusal::NotFound,
        Refusal::MethodNotAllowed,
        Refusal::PreconditionFailed,
        Refusal::Conflict("email"),
        Refusal::PayloadTooLarge,
        Refusal::UnsupportedMediaType,
        Refusal::Validation(vec![field]),
        Refusal::MalformedRequest("The body is not JSON.".to_owned()),
        Refusal::RateLimited { retry_after: wait },
        Refusal::Overloaded { retry_after: wait },
        Refusal::InsufficientScope,
        Refusal::InvalidLink,
        Refusal::EmailNotVerified,
        Refusal::InvalidProof,
        Refusal::ProofNonceNeeded,
        Refusal::RegistrationClosed,
        Refusal::InvalidClient,
    ];
    let numbers: BTreeSet<_> = all.iter().map(number).collect();
    assert!(numbers.into_iter().eq(0..32), "one of each");
    all
}

fn number(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::NoToken => 0,
        Refusal::InvalidToken => 1,
        Refusal::TokenExpired => 2,
        Refusal::TokenRevoked => 3,
        Refusal::TokenStale => 4,
        Refusal::InvalidCredentials => 5,
        Refusal::NoRefreshToken => 6,
        Refusal::InvalidRefreshToken => 7,
        Refusal::RefreshTokenExpired => 8,
        Refusal::RefreshTokenReused => 9,
        Refusal::SessionRevoked => 10,
        Refusal::Forbidden => 11,
        Refusal::WrongPassword => 12,
        Refusal::AccountDisabled => 13,
        Refusal::CsrfRejected => 14,
        Refusal::NotFound => 15,
        Refusal::MethodNotAllowed => 16,
        Refusal::Conflict(_) => 17,
        Refusal::PayloadTooLarge => 18,
        Refusal::UnsupportedMediaType => 19,
        Refusal::Validation(_) => 20,
        Refusal::MalformedRequest(_) => 21,
        Refusal::RateLimited { .. } => 22,
        Refusal::Overloaded { .. } => 23,
        Refusal::InsufficientScope => 24,
        Refusal::PreconditionFailed => 25,
        Refusal::InvalidLink => 26,
        Refusal::EmailNotVerified => 27,
        Refusal::InvalidProof => 28,
        Refusal::ProofNonceNeeded => 29,
        Refusal::RegistrationClosed => 30,
        Refusal::InvalidClient => 31,
    }
}

#[test]
fn every_code_is_one_of_the_published_ones_and_few_share_one() {
    let published = "malformed_request no_token invalid_token token_expired token_revoked token_stale \
        invalid_credentials no_refresh_token invalid_refresh_token refresh_token_expired \
        refresh_token_reused session_revoked forbidden insufficient_scope wrong_password account_disabled csrf_rejected \
        not_found method_not_allowed precondition_failed conflict payload_too_large unsupported_media_type \
        validation_failed rate_limited overloaded email_not_verified \
        invalid_dpop_proof use_dpop_nonce";
    let published: BTreeSet<&str> = published.split_whitespace().collect();
    let codes: BTreeSet<&str> = all().iter().map(Refusal::code).collect();
    assert_eq!(codes, published);
    // A link that is not valid is a request that cannot be understood, a closed registration is forbidden, and a client is
    // one who shows credentials.
    assert_eq!(codes.len() + 3, all().len());
}

#[test]
fn a_bad_access_token_is_told_nothing_but_that() {
    assert_eq!(Refusal::NoToken.detail(), "No token provided");
    for refusal in [
        Refusal::InvalidToken,
        Refusal::TokenExpired,
        Refusal::TokenRevoked,
        Refusal::TokenStale,
    ] {
        assert_eq!(refusal.detail(), "Invalid token");
    }
}

#[test]
fn l7_wrong_credentials_do_not_say_which() {
    let detail = Refusal::InvalidCredentials.detail().to_lowercase();
    for word in ["user", "password", "email", "account", "exist"] {
        assert!(!detail.contains(word), "{detail}");
    }
}

#[test]
fn every_refusal_has_a_sentence_and_shows_as_it() {
    for refusal in all() {
        assert!(!refusal.detail().is_empty(), "{refusal:?}");
        assert_eq!(refusal.to_string(), refusal.detail());
    }
}

#[test]
fn only_those_that_pass_with_time_say_how_long_to_wait() {
    for refusal in all() {
        let waits = matches!(refusal.code(), "rate_limited" | "overloaded");
        assert_eq!(refusal.retry_after().is_some(), waits, "{refusal:?}");
    }
}
