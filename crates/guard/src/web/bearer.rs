//! The `Authorization` header (RFC 6750 section 2.1, RFC 9110 section 11.6.2).

use http::{HeaderMap, header::AUTHORIZATION};

use crate::denied::Denied;

/// The token: the scheme's name in any case, one space, one credential. Another scheme counts as no token, so that the
/// answer names the challenge that would work. A token in the query or the body is not looked for.
pub(super) fn credential(headers: &HeaderMap) -> Result<&str, Denied> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Denied::NoToken),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Denied::MalformedRequest),
    };
    let (scheme, rest) = value.split_at_checked(6).ok_or(Denied::NoToken)?;
    if !scheme.eq_ignore_ascii_case(b"bearer")
        || rest.first().is_some_and(u8::is_ascii_alphanumeric)
    {
        return Err(Denied::NoToken);
    }
    let token = rest.strip_prefix(b" ").ok_or(Denied::Invalid)?;
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
    match std::str::from_utf8(token) {
        Ok(text) if !token.is_empty() && token.iter().all(is_plain) => Ok(text),
        _ => Err(Denied::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<String, Denied> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        credential(&headers).map(str::to_owned)
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
                None => assert_eq!(read.unwrap(), case["token"].as_str().unwrap(), "{case}"),
            }
        }
    }

    #[test]
    fn one_scheme_one_space_one_credential() {
        for good in ["Bearer a.b.c", "bEaReR a.b.c", "BEARER a.b.c"] {
            assert_eq!(read(&[good.as_bytes()]), Ok("a.b.c".to_owned()), "{good}");
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
