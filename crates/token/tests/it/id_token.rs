//! ID tokens as hints (SECURITY A22, J9).

use serde_json::{Value, json};
use symbolon_token::id_token::{Expected, IdTokenHint};
use symbolon_token::{Algorithm, Audience, Error, SigningKey, Typ};

use crate::support::{ISSUER, NOW, key, keys};

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "aud": "reports", "iat": NOW - 10_000, "exp": NOW - 9_000, "sid": "laptop"})
}

fn verify(text: &str) -> Result<IdTokenHint, Error> {
    let expected = Expected {
        issuer: ISSUER,
        algorithms: &Algorithm::ALL,
    };
    IdTokenHint::verify(text, &keys(&Algorithm::ALL), &expected)
}

fn signed(typ: Typ, claims: &Value) -> String {
    key(Algorithm::Rs256).sign(typ, claims).unwrap()
}

#[test]
fn a22_an_expired_id_token_still_says_who_it_was() {
    let hint = verify(&signed(Typ::Jwt, &claims())).unwrap();
    assert_eq!(
        hint,
        IdTokenHint {
            sub: "alice".to_owned(),
            aud: Audience::from("reports"),
            azp: None,
            sid: Some("laptop".to_owned()),
            iat: NOW - 10_000,
            exp: NOW - 9_000,
        }
    );
}

#[test]
fn a22_forged_and_foreign_hints() {
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = stranger.sign(Typ::Jwt, &claims()).unwrap();
    assert_eq!(verify(&forged), Err(Error::UnknownKey));
    let mut foreign = claims();
    foreign["iss"] = json!("https://other.example");
    let foreign = signed(Typ::Jwt, &foreign);
    assert_eq!(verify(&foreign), Err(Error::WrongIssuer));
    for name in ["iss", "sub", "aud", "iat", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        let verified = verify(&signed(Typ::Jwt, &claims));
        assert_eq!(verified, Err(Error::MissingClaim(name)));
    }
}

#[test]
fn j9_other_tokens_are_no_hints() {
    for typ in [Typ::AtJwt, "dpop+jwt".into(), "logout+jwt".into()] {
        let verified = verify(&signed(typ.clone(), &claims()));
        assert_eq!(verified, Err(Error::WrongType), "{typ:?}");
    }
}
