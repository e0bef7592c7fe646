//! Whose address counts, and who may say so.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};

use super::{IpNet, client_address};

fn nets(blocks: &[&str]) -> Vec<IpNet> {
    blocks.iter().map(|block| block.parse().unwrap()).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn forwarded(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

fn seen(peer: &str, lines: &[&[u8]], trusted: &[&str]) -> String {
    client_address(ip(peer), &forwarded(lines), &nets(trusted)).to_string()
}

#[test]
fn blocks_contain_what_they_say() {
    for (block, inside, outside) in [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.7", "::ffff:192.0.2.7", "::c000:207"),
        ("::ffff:10.0.0.0/104", "10.1.2.3", "::1"),
        ("fd00::/8", "fd12::1", "fe80::1"),
        ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ("0.0.0.0/0", "203.0.113.9", "::1"),
        ("::/0", "2001:db8::1", "10.0.0.1"),
        ("203.0.113.128/25", "203.0.113.128", "203.0.113.127"),
    ] {
        let net: IpNet = block.parse().unwrap();
        assert!(net.contains(ip(inside)), "{inside} is in {block}");
        assert!(!net.contains(ip(outside)), "{outside} is not in {block}");
        assert_eq!(net.to_string().parse::<IpNet>().unwrap(), net);
    }
}

#[test]
fn what_is_no_block_is_refused() {
    for text in [
        "",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10/8",
        "example.com",
        "10.0.0.0/8/8",
        "::ffff:10.0.0.0/8",
        " 10.0.0.1",
    ] {
        assert!(text.parse::<IpNet>().is_err(), "{text:?}");
    }
}

#[test]
fn l6_a_forged_header_is_ignored_without_a_trusted_proxy() {
    for forged in ["1.1.1.1", "2.2.2.2, 3.3.3.3", "::1", "garbage"] {
        assert_eq!(
            seen("198.51.100.1", &[forged.as_bytes()], &[]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("198.51.100.1", &[forged.as_bytes()], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
    }
}

#[test]
fn l6_only_what_a_trusted_hop_wrote_counts() {
    let trusted = ["10.0.0.0/8"];
    // The client wrote the left part itself.
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1, 198.51.100.7"], &trusted),
        "198.51.100.7"
    );
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1", b"198.51.100.7"], &trusted),
        "198.51.100.7"
    );
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1, 198.51.100.7, 10.9.9.9"], &trusted),
        "198.51.100.7"
    );
    // A trusted-looking address to the left of a stranger's proves nothing.
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1, 10.0.0.2, 198.51.100.7"], &trusted),
        "198.51.100.7"
    );
}

#[test]
fn a_broken_chain_ends_at_the_last_hop_that_was_vouched_for() {
    let trusted = ["10.0.0.0/8"];
    assert_eq!(seen("10.0.0.1", &[], &trusted), "10.0.0.1");
    assert_eq!(seen("10.0.0.1", &[b""], &trusted), "10.0.0.1");
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1, unknown"], &trusted),
        "10.0.0.1"
    );
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1, unknown, 10.0.0.2"], &trusted),
        "10.0.0.2"
    );
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1, \xff\xfe"], &trusted),
        "10.0.0.1"
    );
    assert_eq!(
        seen("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], &trusted),
        "10.0.0.3"
    );
}

#[test]
fn a_chain_without_end_is_not_walked_to_its_end() {
    let long = ["10.0.0.9"; 1_000].join(",");
    assert_eq!(
        seen("10.0.0.1", &[b"1.1.1.1", long.as_bytes()], &["10.0.0.0/8"]),
        "10.0.0.9"
    );
}

#[test]
fn addresses_are_read_as_proxies_write_them() {
    let trusted = ["::1", "127.0.0.1"];
    for (entry, address) in [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("64:ff9b::198.51.100.7", "64:ff9b::c633:6407"),
        ("\t198.51.100.7 ", "198.51.100.7"),
    ] {
        assert_eq!(
            seen("::1", &[entry.as_bytes()], &trusted),
            address,
            "{entry}"
        );
        assert_eq!(
            seen("::ffff:127.0.0.1", &[entry.as_bytes()], &trusted),
            address,
            "{entry}"
        );
    }
}

#[test]
fn a_mapped_peer_is_its_ipv4_address() {
    assert_eq!(seen("::ffff:198.51.100.1", &[], &[]), "198.51.100.1");
}
