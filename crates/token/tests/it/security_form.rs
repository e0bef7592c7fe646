//! Attacks by the form of a token, one test for each row of the catalogue.

use symbolon_token::{Algorithm, Error, encoding};

use crate::support::{
    claims_json, claims_with, forged, header, key, sign, sign_under, verify, verify_payload,
};

#[test]
fn j10_encrypted_tokens() {
    let signed = sign(Algorithm::Es256, &claims_json().to_string());
    let (header, rest) = signed.split_once('.').unwrap();
    // Five segments, with any header, the right one included.
    let jwe = encoding::encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#);
    assert_eq!(
        verify(&format!("{jwe}.AAAA.AAAA.AAAA.AAAA")),
        Err(Error::Malformed)
    );
    assert_eq!(
        verify(&format!("{header}.AAAA.AAAA.{rest}")),
        Err(Error::Malformed)
    );
    // Three segments with the header of a JWE that was signed by us.
    let kid = key(Algorithm::Es256).kid();
    let header = format!(r#"{{"alg":"ES256","enc":"A256GCM","typ":"at+jwt","kid":"{kid}"}}"#);
    let token = sign_under(Algorithm::Es256, &header, &claims_json().to_string());
    assert_eq!(verify(&token), Err(Error::Malformed));
}

#[test]
fn j11_wrong_number_of_segments() {
    let token = sign(Algorithm::Es256, &claims_json().to_string());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three segments");
    };
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{signature}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!(".{token}"),
        format!("{token}.{signature}.{signature}"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}.{payload}..{signature}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload} .{signature}"),
    ] {
        let refused = verify(&token).unwrap_err();
        assert!(
            matches!(refused, Error::Malformed | Error::BadSignature),
            "{token:?}: {refused}"
        );
    }
    assert_eq!(
        verify(&format!("{header}..{signature}")),
        Err(Error::BadSignature)
    );
    assert_eq!(
        verify(&format!("{header}.{payload}.")),
        Err(Error::BadSignature)
    );
}

#[test]
fn j11_json_serialisation() {
    let token = sign(Algorithm::Es256, &claims_json().to_string());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three segments");
    };
    for token in [
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
        format!(
            r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
        ),
        // A reader that looks for dots (python-jwt CVE-2022-39227).
        format!(
            r#"{{"{header}.":"","protected":"{header}","payload":"{payload}","signature":"{signature}","x":".{payload}."}}"#
        ),
    ] {
        assert_eq!(verify(&token), Err(Error::Malformed));
    }
}

#[test]
fn j11_tokens_without_end() {
    assert_eq!(verify(&".".repeat(1 << 20)), Err(Error::TooLong));
    assert_eq!(verify(&"A".repeat(1 << 16)), Err(Error::TooLong));
    assert_eq!(verify(&".".repeat(8192)), Err(Error::Malformed));
    assert_eq!(verify(&".".repeat(8193)), Err(Error::TooLong));
    assert_eq!(
        verify(&format!("{}.e30.AA", "A".repeat(4096))),
        Err(Error::HeaderTooLarge)
    );
    // A header of very many members, and one nested very deep.
    let many: String = (0..600).map(|n| format!(r#""{n}":1,"#)).collect();
    let header = format!(r#"{{{}"alg":"ES256"}}"#, &many[..2800]);
    let header = header.replace(r#"1,""alg""#, r#"1,"alg""#);
    assert_eq!(verify(&forged(&header, &[])), Err(Error::Malformed));
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(1400), "]".repeat(1400));
    assert_eq!(verify(&forged(&deep, &[])), Err(Error::Malformed));
    // We sign nothing that we would not read.
    let signed = key(Algorithm::Es256).sign_raw(b"{}", &[b'a'; 6200]);
    assert_eq!(signed, Err(Error::Unsignable));
}

#[test]
fn j11_members_named_twice() {
    for members in [
        r#""exp":1"#,
        r#""\u0065xp":1"#,
        r#""x":1,"x":1"#,
        r#""x":{"y":1,"y":2}"#,
        r#""x":[{"y":1,"\u0079":2}]"#,
        r#""cnf":{"jkt":"a","jkt":"b"}"#,
    ] {
        let verified = verify_payload(&claims_with(members));
        assert_eq!(verified, Err(Error::DuplicateMember), "{members}");
    }
    let payload = claims_json().to_string();
    for member in [
        r#""alg":"ES256""#,
        r#""alg":"none""#,
        r#""kid":"other""#,
        r#""typ":"JWT""#,
    ] {
        let header = header(Algorithm::Es256).replacen('{', &format!("{{{member},"), 1);
        let token = sign_under(Algorithm::Es256, &header, &payload);
        assert_eq!(verify(&token), Err(Error::DuplicateMember), "{member}");
    }
}

#[test]
fn j11_payloads_that_are_no_object() {
    let array = format!("[{}]", claims_json());
    let positional = r#"["https://issuer.example","sub","https://api.example",1800000900,1800000000,"jti","sid",1,"client","",[]]"#;
    for payload in [
        "",
        "null",
        "1",
        "\"x\"",
        "[]",
        "{",
        "{}x",
        "\u{feff}{}",
        &array,
        positional,
    ] {
        assert_eq!(
            verify_payload(payload),
            Err(Error::Malformed),
            "{payload:?}"
        );
    }
    let broken = key(Algorithm::Es256)
        .sign_raw(header(Algorithm::Es256).as_bytes(), b"{\"iss\":\"\xff\"}")
        .unwrap();
    assert_eq!(verify(&broken), Err(Error::Malformed), "not UTF-8");
}

#[test]
fn j19_costly_encryption_headers_are_not_acted_on() {
    for header in [
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AAAA"}"#,
        r#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#,
    ] {
        let header = encoding::encode(header.as_bytes());
        let bomb = encoding::encode(&[0; 4096]);
        assert_eq!(
            verify(&format!("{header}.AA.AA.{bomb}.AA")),
            Err(Error::Malformed)
        );
        assert_eq!(
            verify(&format!("{header}.{bomb}.AA")),
            Err(Error::Malformed)
        );
    }
}
