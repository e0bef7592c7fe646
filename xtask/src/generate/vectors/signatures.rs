//! Signatures of other forms (RFC 7518 section 3.4, RFC 8032 section 5.1; SECURITY J13).

use anyhow::{Context as _, Result};
use symbolon_token::encoding;

use super::cases::{Cases, INVALID};
use super::forge::{EDDSA, ES256, PS256, RS256};
use super::headers::{der, unsigned};
use super::members::{Members, OTHER, quoted};

/// The order of P-256.
const ORDER: &[u8] = b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";

pub(super) fn add(cases: &mut Cases) -> Result<()> {
    let token = cases.forge.signed(ES256, &Members::claims())?;
    let (input, signature) = token.rsplit_once('.').context("a token has dots")?;
    let signature = encoding::decode(signature.as_bytes())?;
    let (r, s) = signature.split_at(32);
    let integer = |number: &[u8]| der(2, &unsigned(number.to_vec()));
    let mut one = [0; 32];
    one[31] = 1;
    for (name, forged) in [
        ("r-and-s-zero", vec![0; 64]),
        ("r-zero", [&[0; 32], s].concat()),
        ("s-zero", [r, &[0; 32]].concat()),
        ("r-the-order", [ORDER, s].concat()),
        ("s-the-order", [r, ORDER].concat()),
        ("both-the-order", [ORDER, ORDER].concat()),
        ("both-one", [one, one].concat()),
        ("all-ones", vec![0xff; 64]),
        ("der", der(0x30, &[integer(r), integer(s)].concat())),
        ("63-bytes", signature[..63].to_vec()),
        ("65-bytes", [&signature[..], &[0]].concat()),
        ("zero-in-front", [&[0], &signature[..]].concat()),
        ("swapped", [s, r].concat()),
        ("twice", signature.repeat(2)),
        ("empty", Vec::new()),
    ] {
        let token = format!("{input}.{}", encoding::encode(&forged));
        cases.token(format!("j13-es256-{name}"), token, INVALID);
    }
    for kid in [ES256, EDDSA, RS256, PS256] {
        spoilt(cases, kid)?;
    }
    Ok(())
}

/// A good signature, of something else or with a bit that is not its own.
fn spoilt(cases: &mut Cases, kid: &str) -> Result<()> {
    let token = cases.forge.signed(kid, &Members::claims())?;
    let other = cases
        .forge
        .signed(kid, &Members::claims().with("sub", quoted(OTHER)))?;
    let (input, signature) = token.rsplit_once('.').context("a token has dots")?;
    let (foreign, _) = other.rsplit_once('.').context("a token has dots")?;
    let bytes = encoding::decode(signature.as_bytes())?;
    let mut flipped = bytes.clone();
    flipped[5] ^= 1;
    let zeros = vec![0; bytes.len()];
    for (name, token) in [
        ("of-another-payload", format!("{foreign}.{signature}")),
        (
            "with-a-bit-flipped",
            format!("{input}.{}", encoding::encode(&flipped)),
        ),
        ("of-zeros", format!("{input}.{}", encoding::encode(&zeros))),
        (
            "cut-in-half",
            format!("{input}.{}", encoding::encode(&bytes[..bytes.len() / 2])),
        ),
    ] {
        cases.token(format!("signature-{kid}-{name}"), token, INVALID);
    }
    Ok(())
}
