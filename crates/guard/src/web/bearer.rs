//! The header `Authorization` (RFC 6750 section 2.1, RFC 9449 section 7.1, RFC 9110 section 11.6.2).

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{denied::Denied, proofs::Scheme};

/// The scheme and the token: the scheme's name in any case, one space, one credential. Another scheme counts as no
/// token, so that the answer names the challenge that would work. A token in the query or the body is not looked for.
pub(super) fn credential(headers: &HeaderMap) -> Result<(Scheme, &str), Denied> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Denied::NoToken),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Denied::MalformedRequest),
    };
    let end = value
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or(value.len());
    let (name, rest) = value.split_at_checked(end).ok_or(Denied::NoToken)?;
    let scheme = match name {
        name if name.eq_ignore_ascii_case(b"bearer") => Scheme::Bearer,
        name if name.eq_ignore_ascii_case(b"dpop") => Scheme::Dpop,
        _ => return Err(Denied::NoToken),
    };
    let token = rest.strip_prefix(b" ").ok_or(Denied::Invalid)?;
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
    match std::str::from_utf8(token) {
        Ok(text) if !token.is_empty() && token.iter().all(is_plain) => Ok((scheme, text)),
        _ => Err(Denied::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<(Scheme, String), Denied> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        credential(&headers).map(|(scheme, token)| (scheme, token.to_owned()))
    }

    #[test]
    fn reads_what_every_guard_must_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/vectors/guard.json");
        let text =
            std::fs::read(path).expect("sdk/vectors/guard.json, which `cargo xtask gen` writes");
        let vectors: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let cases = vectors["authorization"].as_array().unwrap();
        assert!(cases.len() > 20);
        for case in cases {
            let values = case["values"].as_array().unwrap();
            let values: Vec<&[u8]> = values
                .iter()
                .map(|value| value.as_str().unwrap().as_bytes())
                .collect();
            let read = read(&values).map_err(Denied::code);
            match case["code"].as_str() {
                Some(code) => assert_eq!(read, Err(code), "{case}"),
                None => {
                    let (scheme, token) = read.unwrap();
                    let named = match scheme {
                        Scheme::Bearer => "bearer",
                        Scheme::Dpop => "dpop",
                    };
                    assert_eq!(token, case["token"].as_str().unwrap(), "{case}");
                    assert_eq!(named, case["scheme"].as_str().unwrap(), "{case}");
                }
            }
        }
    }

    #[test]
    fn one_scheme_one_space_one_credential() {
        for good in ["Bearer a.b.c", "bEaReR a.b.c", "BEARER a.b.c"] {
            let token = Ok((Scheme::Bearer, "a.b.c".to_owned()));
            assert_eq!(read(&[good.as_bytes()]), token, "{good}");
        }
        for good in ["DPoP a.b.c", "dpop a.b.c"] {
            let token = Ok((Scheme::Dpop, "a.b.c".to_owned()));
            assert_eq!(read(&[good.as_bytes()]), token, "{good}");
        }
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearer  a",
            "Bearer\ta",
            "Bearer a b",
            "Bearer a, Bearer b",
            "Bearer a,b",
            "Bearer a\t",
            "Bearer \u{e9}",
            "Bearer:a",
            "DPoP",
            "DPoP  a",
            "DPoP a, DPoP b",
        ] {
            assert_eq!(read(&[bad.as_bytes()]), Err(Denied::Invalid), "{bad}");
        }
        assert_eq!(read(&[b"Bearer \xff"]), Err(Denied::Invalid));
        for other in [
            "",
            "x",
            "Basic abc",
            "BearerX abc",
            "Bearer1",
            "Digest x",
            "DPoPX abc",
            " Bearer a",
            "Basic \u{e9}",
        ] {
            assert_eq!(read(&[other.as_bytes()]), Err(Denied::NoToken), "{other}");
        }
        assert_eq!(read(&[]), Err(Denied::NoToken));
        for twice in [[&b"Bearer a"[..], b"Bearer a"], [b"Basic a", b"Bearer a"]] {
            assert_eq!(read(&twice), Err(Denied::MalformedRequest));
        }
    }
}
