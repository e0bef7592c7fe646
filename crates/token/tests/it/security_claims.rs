//! Attacks by claims and types, one test for each row of the catalogue.

use symbolon_token::{Algorithm, Error, Typ, Verifier};

use crate::support::{
    AUDIENCE, ISSUER, NOW, claims, claims_but, claims_json, key, keys, sign, sign_under, verifier,
    verify, verify_payload,
};

#[test]
fn j5_times_that_are_no_numbers() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            r#""1800000900""#,
            "true",
            "false",
            "null",
            "[]",
            "{}",
            "[1800000900]",
            "-1",
            "-0.5",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "1e300",
        ] {
            let verified = verify_payload(&claims_but(name, Some(value)));
            assert_eq!(verified, Err(Error::MalformedClaim(name)), "{name} {value}");
        }
        // Not JSON numbers at all, or beyond what a number can be.
        for value in [
            "1e400",
            "NaN",
            "Infinity",
            "0x6b49d200",
            "01800000900",
            "1800000900.",
        ] {
            let verified = verify_payload(&claims_but(name, Some(value)));
            assert_eq!(verified, Err(Error::Malformed), "{name} {value}");
        }
    }
    // RFC 7519 section 2: a NumericDate may have a fraction.
    verify_payload(&claims_but("exp", Some("1800000900.75"))).unwrap();
    verify_payload(&claims_but("exp", Some("1.8000009e9"))).unwrap();
    verify_payload(&claims_but("nbf", Some("0"))).unwrap();
}

#[test]
fn j6_times_that_are_over_or_to_come() {
    assert_eq!(
        verify_payload(&claims_but("exp", None)),
        Err(Error::MissingClaim("exp"))
    );
    assert_eq!(
        verify_payload(&claims_but("iat", None)),
        Err(Error::MissingClaim("iat"))
    );
    let at = |name: &str, second: i64, leeway: u32| {
        let token = sign(
            Algorithm::Es256,
            &claims_but(name, Some(&second.to_string())),
        );
        verifier()
            .leeway_seconds(leeway)
            .unwrap()
            .verify(&keys(&[Algorithm::Es256]), &token, NOW)
            .map(drop)
    };
    assert_eq!(at("exp", NOW + 1, 0), Ok(()));
    assert_eq!(at("exp", NOW, 0), Err(Error::Expired));
    assert_eq!(at("exp", NOW - 59, 60), Ok(()));
    assert_eq!(at("exp", NOW - 60, 60), Err(Error::Expired));
    assert_eq!(at("exp", NOW - 61, 60), Err(Error::Expired));
    for name in ["nbf", "iat"] {
        assert_eq!(at(name, NOW, 0), Ok(()));
        assert_eq!(at(name, NOW + 1, 0), Err(Error::NotYetValid));
        assert_eq!(at(name, NOW + 60, 60), Ok(()));
        assert_eq!(at(name, NOW + 61, 60), Err(Error::NotYetValid));
    }
    verifier().leeway_seconds(61).unwrap_err();
}

#[test]
fn j7_audience_of_another() {
    let refused = |aud: Option<&str>| verify_payload(&claims_but("aud", aud)).err();
    assert_eq!(refused(None), Some(Error::MissingClaim("aud")));
    for aud in [
        r#""https://other.example""#,
        r#""https://api.example/""#,
        r#""https://api.exampl""#,
        r#""https://api.example.evil""#,
        r#""HTTPS://API.EXAMPLE""#,
        r#"" https://api.example""#,
        r#""https://other.example https://api.example""#,
        r#""""#,
        "[]",
        r#"["https://other.example"]"#,
    ] {
        assert_eq!(refused(Some(aud)), Some(Error::WrongAudience), "{aud}");
    }
    for aud in [
        "null",
        "1",
        "true",
        "{}",
        r#"["https://api.example",1]"#,
        r#"["https://api.example",null]"#,
        r#"["https://api.example",["https://api.example"]]"#,
        r#"{"0":"https://api.example"}"#,
    ] {
        assert_eq!(
            refused(Some(aud)),
            Some(Error::MalformedClaim("aud")),
            "{aud}"
        );
    }
    assert_eq!(
        refused(Some(r#"["https://other.example","https://api.example"]"#)),
        None
    );
}

#[test]
fn j8_issuer_of_another() {
    let refused = |iss: Option<&str>| verify_payload(&claims_but("iss", iss)).err();
    assert_eq!(refused(None), Some(Error::MissingClaim("iss")));
    for iss in [
        r#""https://issuer.example/""#,
        r#""https://issuer.exampl""#,
        r#""https://issuer.example.evil""#,
        r#""https://ISSUER.example""#,
        r#""""#,
    ] {
        assert_eq!(refused(Some(iss)), Some(Error::WrongIssuer), "{iss}");
    }
    for iss in [r#"["https://issuer.example"]"#, "null", "1", "{}"] {
        assert_eq!(
            refused(Some(iss)),
            Some(Error::MalformedClaim("iss")),
            "{iss}"
        );
    }
}

#[test]
fn j8_verifier_without_issuer_or_audience_cannot_be_made() {
    Verifier::access("", AUDIENCE, &Algorithm::ALL).unwrap_err();
    Verifier::access(ISSUER, "", &Algorithm::ALL).unwrap_err();
    Verifier::access(ISSUER, AUDIENCE, &[]).unwrap_err();
}

#[test]
fn j9_token_of_another_kind() {
    let kid = key(Algorithm::Es256).kid();
    for typ in [
        "JWT",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "client-authentication+jwt",
        "rt+jwt",
        "",
        "at+jwt ",
        "text/at+jwt",
        "application/x/at+jwt",
    ] {
        let signed = key(Algorithm::Es256)
            .sign(Typ::from(typ), &claims())
            .unwrap();
        assert_eq!(verify(&signed), Err(Error::WrongType), "{typ}");
    }
    let untyped = format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#);
    let payload = claims_json().to_string();
    assert_eq!(
        verify(&sign_under(Algorithm::Es256, &untyped, &payload)),
        Err(Error::WrongType)
    );
    for typ in ["null", r#"["at+jwt"]"#, "1"] {
        let header = format!(r#"{{"alg":"ES256","typ":{typ},"kid":"{kid}"}}"#);
        let token = sign_under(Algorithm::Es256, &header, &payload);
        assert_eq!(verify(&token), Err(Error::Malformed), "{typ}");
    }
    // RFC 9068 section 4 allows both spellings; media types ignore case.
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "AT+JWT",
        "Application/At+Jwt",
    ] {
        let header = format!(r#"{{"alg":"ES256","typ":"{typ}","kid":"{kid}"}}"#);
        verify(&sign_under(Algorithm::Es256, &header, &payload)).unwrap();
    }
}
