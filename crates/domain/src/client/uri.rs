//! As much of RFC 3986 as it takes to refuse every text that two programs could read differently.

use core::net::{Ipv4Addr, Ipv6Addr};

/// The parts of an absolute URI, as written.
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    /// What stands behind `//`, if that is there.
    pub(super) authority: Option<&'a str>,
    /// From the first slash behind it to the query.
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
}

/// Host and port of an authority without a user.
pub(super) struct Host<'a> {
    pub(super) name: &'a str,
    pub(super) port: Option<&'a str>,
}

/// Takes an absolute URI without a fragment apart.
pub(super) fn split(text: &str) -> Option<Parts<'_>> {
    if !text.bytes().all(is_uri_byte) || !percents_are_whole(text) {
        return None;
    }
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    // Lower case only: it is compared by bytes.
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    if !first || !bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b))
    {
        return None;
    }
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, rest),
    };
    Some(Parts {
        scheme,
        authority,
        path,
        query,
    })
}

impl Parts<'_> {
    /// Whether a reader might go up in the path: `.` and `..` as segments, however they are spelt, also behind `;`.
    pub(super) fn climbs(&self) -> bool {
        self.path.split('/').any(|segment| {
            let plain = segment.replace("%2e", ".").replace("%2E", ".");
            let name = plain.split(';').next().unwrap_or_default();
            name == "." || name == ".."
        }) || ["%2f", "%2F", "%5c", "%5C"]
            .iter()
            .any(|hidden| self.path.contains(hidden))
    }
}

impl<'a> Host<'a> {
    /// Reads an authority of an http or https URI: a host in lower case, and a port.
    pub(super) fn of(authority: &'a str) -> Option<Self> {
        let (name, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let end = rest.find(']')?;
                rest[..end].parse::<Ipv6Addr>().ok()?;
                let port = &rest[end + 1..];
                let port = match port.is_empty() {
                    true => None,
                    false => Some(port.strip_prefix(':')?),
                };
                (&authority[..end + 2], port)
            }
            None => match authority.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (authority, None),
            },
        };
        let good_port = |port: &str| {
            let digits = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
            digits && port.parse::<u16>().is_ok()
        };
        let good = (name.starts_with('[') || is_host(name)) && port.is_none_or(good_port);
        good.then_some(Self { name, port })
    }

    /// An address that never leaves the machine, written as one (RFC 8252 section 7.3).
    pub(super) fn is_loopback(&self) -> bool {
        let literal = self
            .name
            .strip_prefix('[')
            .and_then(|n| n.strip_suffix(']'));
        match literal {
            Some(address) => address.parse() == Ok(Ipv6Addr::LOCALHOST),
            None => self.name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback()),
        }
    }

    /// This machine: such an address, or the name that stands for it in browsers (RFC 6761 section 6.3; RFC 8252 section
    /// 8.3 would rather have the address).
    pub(super) fn is_this_machine(&self) -> bool {
        self.is_loopback() || self.name == "localhost"
    }
}

/// Labels of lower-case letters, digits and hyphens; what ends in a number must be an IPv4 address, for browsers take it
/// for one.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    name.len() <= 253
        && name.split('.').all(label)
        && (!numeric || name.parse::<Ipv4Addr>().is_ok())
}

/// Unreserved, reserved (save `#`) and `%`.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte)
}

fn percents_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}
