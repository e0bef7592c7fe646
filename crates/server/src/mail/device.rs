//! What kind of device a `User-Agent` and an address belong to: a few words of ours, so that nobody writes into a mail
//! what a header said.

use std::fmt;
use std::net::IpAddr;

/// A family of programs on a kind of system, in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    program: &'static str,
    system: &'static str,
    network: Option<[u8; 7]>,
}

/// What stands in a `User-Agent` and what it is; the first that fits counts, for browsers name each other.
const PROGRAMS: [(&str, &str); 14] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("okhttp/", "Android app"),
    ("Darwin/", "Apple app"),
    ("symbolon", "Symbolon"),
];
const SYSTEMS: [(&str, &str); 8] = [
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// The device that a session was begun from.
    #[must_use]
    pub fn of(user_agent: Option<&str>, address: Option<&str>) -> Self {
        let text = user_agent.unwrap_or_default();
        Self {
            program: named(text, &PROGRAMS),
            system: named(text, &SYSTEMS),
            network: address
                .and_then(|address| address.parse().ok())
                .map(network),
        }
    }
}

impl Device {
    /// The browser or program; empty where it is none of those that are known.
    #[must_use]
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// The system; empty where it is none of those that are known.
    #[must_use]
    pub fn system(&self) -> &'static str {
        self.system
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.program, self.system) {
            ("", "") => f.write_str("–"),
            (word, "") | ("", word) => f.write_str(word),
            (program, system) => write!(f, "{program}, {system}"),
        }
    }
}

fn named(text: &str, known: &[(&str, &'static str)]) -> &'static str {
    known
        .iter()
        .find(|(part, _)| text.contains(part))
        .map_or("", |(_, name)| name)
}

/// The first 24 bits of an IPv4 address, or 48 of an IPv6 address: what one household or office has.
fn network(address: IpAddr) -> [u8; 7] {
    let mut bytes = [0; 7];
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            bytes[0] = 4;
            bytes[1..4].copy_from_slice(&v4.octets()[..3]);
        }
        IpAddr::V6(v6) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&v6.octets()[..6]);
        }
    }
    bytes
}
