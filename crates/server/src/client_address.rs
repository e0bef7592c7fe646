//! Whose address a request comes from: the peer's, or what a trusted proxy says of it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;

/// Header entries that are looked at, from the nearest hop on. A longer chain ends at the last one looked at.
const HOPS: usize = 32;

/// A block of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNet {
    network: IpAddr,
    prefix: u8,
}

/// Not an address or a block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as `10.0.0.1` or a block such as `10.0.0.0/8`")]
pub struct IpNetError;

impl IpNet {
    /// Whether `address` is in the block. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                same_prefix(net.to_bits().into(), ip.to_bits().into(), self.prefix, 32)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                same_prefix(net.to_bits(), ip.to_bits(), self.prefix, 128)
            }
            _ => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, prefix: u8, width: u8) -> bool {
    prefix == 0 || (a ^ b) >> (width - prefix) == 0
}

impl FromStr for IpNet {
    type Err = IpNetError;

    fn from_str(text: &str) -> Result<Self, IpNetError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network = address.parse::<IpAddr>().map_err(|_| IpNetError)?;
        let width = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| IpNetError)?
            }
            Some(_) => return Err(IpNetError),
        };
        match network.to_canonical() {
            _ if prefix > width => Err(IpNetError),
            // `::ffff:10.0.0.0/104` is `10.0.0.0/8`; a shorter prefix would reach beyond IPv4.
            IpAddr::V4(_) if network.is_ipv6() && prefix < 96 => Err(IpNetError),
            IpAddr::V4(v4) if network.is_ipv6() => Ok(Self {
                network: v4.into(),
                prefix: prefix - 96,
            }),
            _ => Ok(Self { network, prefix }),
        }
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// The address that a request is counted under and kept with.
///
/// `X-Forwarded-For` is read only when the peer is one of `trusted`, and then from the right: each trusted hop vouches
/// for the entry before it, and the first address that is not a trusted proxy is the client. Where the chain breaks off
/// (nothing more, or an entry that is no address) the last hop that was vouched for is the answer. `Forwarded` and all
/// other headers are ignored.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    let entries = headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
    for entry in entries.take(HOPS) {
        if !trusted.iter().any(|net| net.contains(client)) {
            break;
        }
        let Some(address) = entry_address(entry) else {
            break;
        };
        client = address;
    }
    client
}

/// An entry is an address, which some proxies write with a port or in brackets.
fn entry_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.contains('.') => text
            .split_once(':')
            .filter(|(v4, _)| v4.contains('.'))
            .map_or(text, |(v4, _)| v4),
        None => text,
    };
    bare.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
