//! Claims: times, audience, issuer, the others (RFC 7519 section 4.1, RFC 9068 section 2.2; SECURITY J5 to J8).

use anyhow::Result;

use super::cases::{ACCEPTED, Cases, EXPIRED, INVALID};
use super::forge::{EDDSA, EDDSA_NEXT, ES256, PS256, RS256};
use super::members::{Members, quoted};
use super::{LEEWAY, NOW};

pub(super) fn add(cases: &mut Cases) -> Result<()> {
    for kid in [ES256, EDDSA, EDDSA_NEXT, RS256, PS256] {
        let token = cases.forge.signed(kid, &Members::claims())?;
        cases.token(format!("good-{kid}"), token, ACCEPTED);
    }
    times_that_are_no_times(cases)?;
    times(cases)?;
    audience(cases)?;
    issuer(cases)?;
    others(cases)?;
    bindings(cases)?;
    actors(cases)?;
    duplicates(cases)
}

fn with(
    cases: &mut Cases,
    name: String,
    claim: (&str, &str),
    code: Option<&'static str>,
) -> Result<()> {
    let claims = Members::claims().with(claim.0, claim.1);
    cases.claims(name, &claims.text(), code)
}

fn without(cases: &mut Cases, name: String, claim: &str, code: Option<&'static str>) -> Result<()> {
    let claims = Members::claims().without(claim);
    cases.claims(name, &claims.text(), code)
}

/// A value of the wrong kind is no absent one, and one that no clock can reach is no time.
fn times_that_are_no_times(cases: &mut Cases) -> Result<()> {
    for claim in ["exp", "nbf", "iat"] {
        for (name, value) in [
            ("text", quoted(&(NOW + 1).to_string())),
            ("true", "true".to_owned()),
            ("false", "false".to_owned()),
            ("null", "null".to_owned()),
            ("list", format!("[{NOW}]")),
            ("object", "{}".to_owned()),
            ("negative", "-1".to_owned()),
            ("1e400", "1e400".to_owned()),
            ("minus-1e400", "-1e400".to_owned()),
            ("1e300", "1e300".to_owned()),
            ("2-to-the-63", "9223372036854775808".to_owned()),
            ("2-to-the-63-less-one", "9223372036854775807".to_owned()),
            ("2-to-the-64", "18446744073709551616".to_owned()),
            ("beyond-2-to-the-53", "9007199254740994".to_owned()),
            ("not-a-number", "NaN".to_owned()),
            ("infinity", "Infinity".to_owned()),
            ("leading-zero", format!("0{NOW}")),
            ("empty-text", quoted("")),
        ] {
            with(
                cases,
                format!("j5-{claim}-{name}"),
                (claim, &value),
                INVALID,
            )?;
        }
    }
    // RFC 7519 section 2: a NumericDate may have a fraction, and JSON another way to write a number.
    with(
        cases,
        "fraction-exp".to_owned(),
        ("exp", "1790000900.75"),
        ACCEPTED,
    )?;
    with(
        cases,
        "fraction-nbf".to_owned(),
        ("nbf", "1789999999.5"),
        ACCEPTED,
    )?;
    with(
        cases,
        "fraction-exp-with-exponent".to_owned(),
        ("exp", "1.7900009e9"),
        ACCEPTED,
    )
}

/// RFC 7519 section 4.1.4: expired "on or after" the second that `exp` names, give or take the leeway.
fn times(cases: &mut Cases) -> Result<()> {
    without(cases, "j6-exp-absent".to_owned(), "exp", INVALID)?;
    without(cases, "j6-iat-absent".to_owned(), "iat", INVALID)?;
    for (name, exp, code) in [
        ("expired-61-seconds-ago", NOW - 61, EXPIRED),
        ("expired-just-outside-the-leeway", NOW - LEEWAY, EXPIRED),
        ("expired-just-inside-the-leeway", NOW - LEEWAY + 1, ACCEPTED),
        ("expires-now", NOW, ACCEPTED),
        ("expires-next", NOW + 1, ACCEPTED),
        ("expired-in-1970", 0, EXPIRED),
    ] {
        with(cases, format!("j6-{name}"), ("exp", &exp.to_string()), code)?;
    }
    for claim in ["nbf", "iat"] {
        for (name, time, code) in [
            ("now", NOW, ACCEPTED),
            ("in-1970", 0, ACCEPTED),
            ("just-inside-the-leeway", NOW + LEEWAY, ACCEPTED),
            ("just-outside-the-leeway", NOW + LEEWAY + 1, INVALID),
            ("in-an-hour", NOW + 3600, INVALID),
        ] {
            with(
                cases,
                format!("j6-{claim}-{name}"),
                (claim, &time.to_string()),
                code,
            )?;
        }
    }
    let token = cases.forge.signed(EDDSA, &Members::claims())?;
    for (name, now, code) in [
        ("last-second", NOW + 899, ACCEPTED),
        (
            "last-second-of-the-leeway",
            NOW + 900 + LEEWAY - 1,
            ACCEPTED,
        ),
        ("first-second-after-the-leeway", NOW + 900 + LEEWAY, EXPIRED),
        ("an-hour-later", NOW + 3600, EXPIRED),
        ("clock-behind-inside-the-leeway", NOW - LEEWAY, ACCEPTED),
        ("clock-behind-outside-the-leeway", NOW - LEEWAY - 1, INVALID),
    ] {
        cases.token_at(format!("j6-seen-{name}"), token.clone(), now, code);
    }
    Ok(())
}

fn audience(cases: &mut Cases) -> Result<()> {
    without(cases, "j7-aud-absent".to_owned(), "aud", INVALID)?;
    for (name, aud, code) in [
        ("other", r#""https://other.example""#, INVALID),
        ("prefix", r#""https://api.exampl""#, INVALID),
        ("longer", r#""https://api.example.evil""#, INVALID),
        ("trailing-slash", r#""https://api.example/""#, INVALID),
        ("path-below", r#""https://api.example/v1""#, INVALID),
        ("other-letters", r#""HTTPS://API.EXAMPLE""#, INVALID),
        ("leading-space", r#"" https://api.example""#, INVALID),
        (
            "two-in-one-text",
            r#""https://other.example https://api.example""#,
            INVALID,
        ),
        ("empty-text", r#""""#, INVALID),
        ("empty-list", "[]", INVALID),
        (
            "list-of-others",
            r#"["https://other.example","https://api.example/"]"#,
            INVALID,
        ),
        (
            "list-with-ours",
            r#"["https://other.example","https://api.example"]"#,
            ACCEPTED,
        ),
        ("list-of-ours", r#"["https://api.example"]"#, ACCEPTED),
        (
            "list-ours-and-number",
            r#"["https://api.example",1]"#,
            INVALID,
        ),
        (
            "list-number-and-ours",
            r#"[1,"https://api.example"]"#,
            INVALID,
        ),
        (
            "list-ours-and-null",
            r#"["https://api.example",null]"#,
            INVALID,
        ),
        ("list-in-list", r#"[["https://api.example"]]"#, INVALID),
        ("object", r#"{"0":"https://api.example"}"#, INVALID),
        (
            "object-keyed-by-ours",
            r#"{"https://api.example":true}"#,
            INVALID,
        ),
        ("null", "null", INVALID),
        ("true", "true", INVALID),
        ("number", "1", INVALID),
    ] {
        with(cases, format!("j7-aud-{name}"), ("aud", aud), code)?;
    }
    Ok(())
}

fn issuer(cases: &mut Cases) -> Result<()> {
    without(cases, "j8-iss-absent".to_owned(), "iss", INVALID)?;
    for (name, iss) in [
        ("other", r#""https://evil.example""#),
        ("prefix", r#""https://auth.exampl""#),
        ("longer", r#""https://auth.example.evil""#),
        ("trailing-slash", r#""https://auth.example/""#),
        ("other-letters", r#""https://AUTH.example""#),
        ("other-scheme", r#""http://auth.example""#),
        ("trailing-space", r#""https://auth.example ""#),
        ("empty", r#""""#),
        ("list", r#"["https://auth.example"]"#),
        ("object", r#"{"iss":"https://auth.example"}"#),
        ("null", "null"),
        ("number", "1"),
    ] {
        with(cases, format!("j8-iss-{name}"), ("iss", iss), INVALID)?;
    }
    // JSON has more than one way to write a text.
    let escaped = r#""https:\/\/auth\u002eexample""#;
    with(
        cases,
        "j8-iss-escaped".to_owned(),
        ("iss", escaped),
        ACCEPTED,
    )
}

fn others(cases: &mut Cases) -> Result<()> {
    for claim in ["sub", "jti", "client_id"] {
        without(cases, format!("claim-{claim}-absent"), claim, INVALID)?;
        for (name, value) in [
            ("null", "null"),
            ("number", "1"),
            ("true", "true"),
            ("list", r#"["a"]"#),
            ("object", "{}"),
        ] {
            with(
                cases,
                format!("claim-{claim}-{name}"),
                (claim, value),
                INVALID,
            )?;
        }
    }
    for (claim, name, value) in [
        ("sid", "null", "null"),
        ("sid", "number", "1"),
        ("sid", "list", r#"["a"]"#),
        ("ver", "text", r#""5""#),
        ("ver", "null", "null"),
        ("ver", "true", "true"),
        ("ver", "fraction", "5.5"),
        ("scope", "list", r#"["openid"]"#),
        ("scope", "null", "null"),
        ("scope", "number", "1"),
        ("roles", "text", r#""admin""#),
        ("roles", "null", "null"),
        ("roles", "mixed-list", r#"["admin",1]"#),
        ("roles", "object", r#"{"admin":true}"#),
    ] {
        with(
            cases,
            format!("claim-{claim}-{name}"),
            (claim, value),
            INVALID,
        )?;
    }
    for claim in ["sid", "ver", "scope", "roles"] {
        without(cases, format!("claim-{claim}-absent"), claim, ACCEPTED)?;
    }
    let unknown = r#"{"deep":[1,{"a":null}]}"#;
    with(
        cases,
        "claim-unknown".to_owned(),
        ("https://x.example/claim", unknown),
        ACCEPTED,
    )
}

/// RFC 9449 section 6.1. What nobody understands is no absent binding: the token would be good in a thief's hands.
fn bindings(cases: &mut Cases) -> Result<()> {
    for (name, value) in [
        ("null", "null"),
        ("text", r#""x""#),
        ("list", "[]"),
        ("empty", "{}"),
        (
            "other",
            r#"{"x5t#S256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        ),
        ("jkt-null", r#"{"jkt":null}"#),
        ("jkt-short", r#"{"jkt":"0ZcOCORZNYy"}"#),
        (
            "jkt-with-spare-bits",
            r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J"}"#,
        ),
    ] {
        with(cases, format!("d3-cnf-{name}"), ("cnf", value), INVALID)?;
    }
    Ok(())
}

/// RFC 8693 section 4.1. What nobody understands is no absent actor: the token would look like one of the person's own.
fn actors(cases: &mut Cases) -> Result<()> {
    for (name, value) in [
        ("null", "null"),
        ("text", r#""web""#),
        ("list", "[]"),
        ("empty", "{}"),
        ("sub-null", r#"{"sub":null}"#),
        ("sub-number", r#"{"sub":7}"#),
        ("inner-null", r#"{"sub":"a","act":null}"#),
        ("inner-empty", r#"{"sub":"a","act":{}}"#),
    ] {
        with(cases, format!("a21-act-{name}"), ("act", value), INVALID)?;
    }
    let chain = |length: usize| {
        (1..length).fold(r#"{"sub":"a"}"#.to_owned(), |act, _| {
            format!(r#"{{"sub":"b","act":{act}}}"#)
        })
    };
    for (name, length, verdict) in [
        ("one", 1, ACCEPTED),
        ("eight", 8, ACCEPTED),
        ("nine", 9, INVALID),
    ] {
        let value = chain(length);
        with(cases, format!("a21-act-{name}"), ("act", &value), verdict)?;
    }
    for (name, value, verdict) in [
        ("fraction", "1789990000.5", ACCEPTED),
        ("text", r#""1789990000""#, INVALID),
        ("null", "null", INVALID),
        ("negative", "-1", INVALID),
    ] {
        let name = format!("claim-auth-time-{name}");
        with(cases, name, ("auth_time", value), verdict)?;
    }
    classes(cases)
}

/// RFC 9470 section 3: what a challenge could not name is no `acr`, and no absent one either.
fn classes(cases: &mut Cases) -> Result<()> {
    let long = |length: usize| quoted(&"x".repeat(length));
    for (name, value, verdict) in [
        ("one", quoted("1"), ACCEPTED),
        ("uri", quoted("urn:mace:incommon:iap:silver"), ACCEPTED),
        ("of-256", long(256), ACCEPTED),
        ("of-257", long(257), INVALID),
        ("empty", long(0), INVALID),
        ("null", "null".to_owned(), INVALID),
        ("number", "1".to_owned(), INVALID),
        ("list", r#"["1"]"#.to_owned(), INVALID),
        ("two-words", quoted("1 2"), INVALID),
        ("quote", quoted("1\""), INVALID),
        ("backslash", quoted("1\\"), INVALID),
        ("letter-with-an-accent", quoted("é"), INVALID),
        ("line-feed", quoted("1\n"), INVALID),
    ] {
        let name = format!("claim-acr-{name}");
        with(cases, name, ("acr", &value), verdict)?;
    }
    Ok(())
}

/// RFC 7519 section 4, RFC 7515 section 4: two readers of one token could see two values.
fn duplicates(cases: &mut Cases) -> Result<()> {
    let good = Members::claims();
    for (name, member, value) in [
        ("exp", r#""exp""#, "1"),
        ("exp-escaped", r#""\u0065xp""#, "1"),
        ("sub", r#""sub""#, r#""somebody""#),
        ("aud", r#""aud""#, r#""https://other.example""#),
        ("roles", r#""roles""#, r#"["admin"]"#),
        ("unknown-member", r#""x":1,"x""#, "2"),
        ("nested", r#""cnf""#, r#"{"jkt":"a","jkt":"b"}"#),
        ("nested-in-list", r#""x""#, r#"[{"y":1,"\u0079":2}]"#),
    ] {
        cases.claims(
            format!("duplicate-claim-{name}"),
            &good.twice(member, value),
            INVALID,
        )?;
    }
    Ok(())
}
