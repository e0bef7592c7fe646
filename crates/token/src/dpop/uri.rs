//! Whether two URIs name the same target (RFC 9449 section 4.3, step 9).

/// Whether two absolute `http` or `https` URIs name the same target: they are
/// compared without query and fragment, after the normalisation by syntax and
/// by scheme of RFC 3986 (sections 6.2.2 and 6.2.3). What is no such URI is the
/// same as nothing.
pub fn is_same_target(one: &str, other: &str) -> bool {
    match (normal(one), normal(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

pub(super) fn without_query(uri: &str) -> &str {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    uri.get(..end).unwrap_or(uri)
}

/// The normal form: scheme, host and port in small letters and in full, then the path.
fn normal(uri: &str) -> Option<String> {
    let uri = without_query(uri);
    if !uri.bytes().all(is_of_a_uri) {
        return None;
    }
    let (scheme, rest) = uri.split_once("://")?;
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let path_at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(path_at)?;
    let (host, port) = host_and_port(authority)?;
    let port = if port.is_empty() { default_port } else { port };
    let mut normal = format!("{scheme}://{host}:{port}").to_ascii_lowercase();
    push_path(&unescaped(path)?, &mut normal);
    Some(normal)
}

/// RFC 3986 appendix A: visible ASCII, without what no part of a URI may hold.
fn is_of_a_uri(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// User information is refused: no server has any in its own address.
fn host_and_port(authority: &str) -> Option<(&str, &str)> {
    let host_end = match authority.strip_prefix('[') {
        Some(literal) => literal.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_end)?;
    let port = match rest.strip_prefix(':') {
        Some(port) => port,
        None if rest.is_empty() => "",
        None => return None,
    };
    let is_host = !host.is_empty() && !host.contains(['@', '%']);
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host && is_port).then_some((host, port))
}

/// RFC 3986 sections 6.2.2.1 and 6.2.2.2: capitals in escapes, and no escape for
/// what needs none.
fn unescaped(path: &str) -> Option<String> {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let (hex, behind) = after.split_at_checked(2)?;
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u8::from_str_radix(hex, 16) {
            Ok(byte) if is_hex && is_unreserved(byte) => text.push(char::from(byte)),
            Ok(_) if is_hex => {
                text.push('%');
                text.push_str(&hex.to_ascii_uppercase());
            }
            _ => return None,
        }
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 sections 5.2.4 and 6.2.3: without `.` and `..`, and `/` for nothing.
fn push_path(path: &str, normal: &mut String) {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    if kept.is_empty() {
        normal.push('/');
    }
    for segment in kept {
        normal.push('/');
        normal.push_str(segment);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d1_the_same_target_in_other_letters_is_the_same() {
        let plain = "https://server.example/a/b~c";
        for same in [
            "HTTPS://Server.EXAMPLE/a/b~c",
            "https://server.example:443/a/b~c",
            "https://server.example:/a/b~c",
            "https://server.example/a/b%7Ec",
            "https://server.example/a/%62%7ec",
            "https://server.example/a/./b~c",
            "https://server.example/x/../a/b~c",
            "https://server.example/../a/b~c",
            "https://server.example/a/b~c?query",
            "https://server.example/a/b~c#fragment",
            "https://server.example/a/b~c?x#y",
        ] {
            assert!(is_same_target(same, plain), "{same}");
            assert!(is_same_target(plain, same), "{same}");
        }
        assert!(is_same_target("https://a.example", "https://a.example/"));
        assert!(is_same_target("https://a.example?x", "https://a.example/"));
        assert!(is_same_target("http://[::1]:80/", "http://[::1]"));
        assert!(is_same_target(
            "https://a.example/%2fb",
            "https://a.example/%2Fb"
        ));
    }

    #[test]
    fn d1_another_target_is_another() {
        let plain = "https://server.example/a/b";
        for other in [
            "",
            "/a/b",
            "server.example/a/b",
            "http://server.example/a/b",
            "https://server.example/a/B",
            "https://server.example/a/b/",
            "https://server.example/a//b",
            "https://server.example/a%2Fb",
            "https://server.example:8443/a/b",
            "https://server.example.evil/a/b",
            "https://evil@server.example/a/b",
            "https://server.example@evil/a/b",
            "https://server.example\\a/b",
            "https://server.example:443x/a/b",
            "https://server.example:4430000/a/b",
            "https://[server.example/a/b",
            "https:/server.example/a/b",
            "https:server.example/a/b",
            "ftp://server.example/a/b",
            "https://s\u{e9}rver.example/a/b",
            " https://server.example/a/b",
        ] {
            assert!(!is_same_target(other, plain), "{other}");
        }
        for nothing in [
            "",
            "no uri",
            "https://",
            "https:///a",
            "https://a b/",
            "https://a/%4",
            "https://a/%+1",
        ] {
            assert!(!is_same_target(nothing, nothing), "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn normal_forms_are_normal(uri in "(https|http|HTTP)://[a-zA-Z.\\[\\]:@0-9]{0,8}(/(\\.|\\.\\.|%|%2|%41|%2f|a|B|)){0,6}[?#]?") {
            if let Some(once) = normal(&uri) {
                let twice = normal(&once);
                prop_assert_eq!(twice.as_ref(), Some(&once));
                prop_assert!(is_same_target(&uri, &once));
            }
        }
    }
}
