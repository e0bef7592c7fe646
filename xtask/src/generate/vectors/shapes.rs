//! The form of a token: segments, length, base64url, JSON (RFC 7515 sections 2 and 7.1; SECURITY J10, J11).

use anyhow::{Context as _, Result};
use symbolon_token::{MAX_TOKEN_BYTES, encoding};

use super::cases::{ACCEPTED, Cases, INVALID};
use super::forge::{EDDSA, joined};
use super::members::{Members, quoted};

pub(super) fn add(cases: &mut Cases) -> Result<()> {
    let token = cases.forge.signed(EDDSA, &Members::claims())?;
    segments(cases, &token)?;
    encrypted(cases, &token)?;
    lengths(cases)?;
    base64(cases, &token)?;
    signed_base64(cases)?;
    json(cases)
}

fn split(token: &str) -> Result<(&str, &str, &str)> {
    let (header, rest) = token.split_once('.').context("a token has dots")?;
    let (payload, signature) = rest.split_once('.').context("a token has two dots")?;
    Ok((header, payload, signature))
}

fn segments(cases: &mut Cases, token: &str) -> Result<()> {
    let (header, payload, signature) = split(token)?;
    for (name, token) in [
        ("none", "x".to_owned()),
        ("one-dot", ".".to_owned()),
        ("two-dots", "..".to_owned()),
        ("one", header.to_owned()),
        ("two", format!("{header}.{payload}")),
        ("two-without-payload", format!("{header}.{signature}")),
        ("four-by-a-dot", format!("{token}.")),
        ("four-by-a-dot-in-front", format!(".{token}")),
        ("four", format!("{token}.{signature}")),
        ("five", format!("{token}.{signature}.{signature}")),
        (
            "four-by-an-empty-one",
            format!("{header}..{payload}.{signature}"),
        ),
        ("header-empty", format!(".{payload}.{signature}")),
        ("payload-empty", format!("{header}..{signature}")),
        ("signature-empty", format!("{header}.{payload}.")),
        ("many-dots", ".".repeat(1000)),
    ] {
        cases.token(format!("j11-segments-{name}"), token, INVALID);
    }
    for (name, token) in [
        (
            "flattened",
            format!(
                r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#
            ),
        ),
        (
            "general",
            format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
            ),
        ),
        // For a reader that looks for dots.
        (
            "with-dots",
            format!(
                r#"{{"{header}.":"","protected":"{header}","payload":"{payload}","signature":"{signature}","x":".{payload}."}}"#
            ),
        ),
    ] {
        cases.token(format!("j11-json-serialisation-{name}"), token, INVALID);
    }
    Ok(())
}

fn encrypted(cases: &mut Cases, token: &str) -> Result<()> {
    let (header, payload, signature) = split(token)?;
    let jwe = encoding::encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#);
    let direct = encoding::encode(br#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#);
    let slow = encoding::encode(
        br#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AAAA"}"#,
    );
    let unsigned = joined(
        r#"{"alg":"none","typ":"at+jwt"}"#,
        &Members::claims().text(),
        &[],
    );
    for (name, token) in [
        ("five-segments", format!("{jwe}.AAAA.AAAA.AAAA.AAAA")),
        (
            "our-header",
            format!("{header}.AAAA.AAAA.{payload}.{signature}"),
        ),
        ("our-payload", format!("{jwe}.{payload}.{signature}")),
        ("deflated", format!("{direct}..AAAA.AAAA.AAAA")),
        ("two-thousand-million-rounds", format!("{slow}.AA.AA.AA.AA")),
        (
            "around-an-unsigned-token",
            format!(
                "{jwe}.AAAA.AAAA.{}.AAAA",
                encoding::encode(unsigned.as_bytes())
            ),
        ),
    ] {
        cases.token(format!("j10-encrypted-{name}"), token, INVALID);
    }
    // RFC 7516 section 9: `enc` is how to tell, whoever signed it.
    let with_enc = cases.forge.header(EDDSA)?.with("enc", quoted("A256GCM"));
    cases.header("j10-encrypted-signed-by-us", &with_enc.text(), INVALID)
}

fn lengths(cases: &mut Cases) -> Result<()> {
    let header = encoding::encode(cases.forge.header(EDDSA)?.text().as_bytes());
    let padded = |length: usize| {
        let claims = Members::claims().with("x", quoted(&"y".repeat(length)));
        encoding::encode(claims.text().as_bytes())
    };
    // An Ed25519 signature takes 86 characters, and there are two dots.
    let rest = header.len() + 88;
    let fits = |longest: usize| {
        let lengths = (4000..MAX_TOKEN_BYTES).rev();
        let mut payloads = lengths.map(padded);
        payloads.find(|payload| rest + payload.len() <= longest)
    };
    let longest = fits(MAX_TOKEN_BYTES).context("no length fits")?;
    let token = cases.forge.sign_text(EDDSA, &header, &longest)?;
    cases.token("j11-length-as-long-as-may-be", token, ACCEPTED);
    let longer = fits(MAX_TOKEN_BYTES + 4).context("no length fits")?;
    let token = cases.forge.sign_text(EDDSA, &header, &longer)?;
    anyhow::ensure!(token.len() > MAX_TOKEN_BYTES, "not too long");
    cases.token("j11-length-over-8-kb", token, INVALID);
    cases.token("j11-length-one-long-segment", "A".repeat(9000), INVALID);
    Ok(())
}

/// One text for one value: otherwise two texts would stand for one token.
fn base64(cases: &mut Cases, token: &str) -> Result<()> {
    let (header, payload, signature) = split(token)?;
    for (name, token) in [
        ("padded-signature", format!("{token}==")),
        ("space-behind", format!("{token} ")),
        ("space-in-front", format!(" {token}")),
        ("newline-behind", format!("{token}\n")),
        ("space-inside", format!("{header}.{payload}. {signature}")),
        (
            "newline-inside",
            format!("{header}.{payload}\n.{signature}"),
        ),
        (
            "signature-with-trailing-bits",
            format!("{header}.{payload}.{}", trailing(signature)?),
        ),
        (
            "signature-cut",
            format!("{header}.{payload}.{}", &signature[..signature.len() - 1]),
        ),
        ("signature-with-nul", format!("{token}\0")),
    ] {
        cases.token(format!("j11-base64-{name}"), token, INVALID);
    }
    Ok(())
}

/// The same of header and payload, with a signature that is good for the text as it stands.
fn signed_base64(cases: &mut Cases) -> Result<()> {
    let header = loose(&cases.forge.header(EDDSA)?.text());
    let payload = loose(&Members::claims().text());
    let plain = encoding::encode(
        Members::claims()
            .with("x", r#""~~~???ÿÿÿ""#)
            .text()
            .as_bytes(),
    );
    let plain = plain.replace('-', "+").replace('_', "/");
    anyhow::ensure!(
        plain.contains(['+', '/']),
        "the plain alphabet looks the same"
    );
    let token = cases.forge.sign_text(EDDSA, &header, &payload)?;
    cases.token("j11-base64-as-it-should-be-signed", token, ACCEPTED);
    for (name, header, payload) in [
        ("padded-header", format!("{header}=="), payload.clone()),
        ("padded-payload", header.clone(), format!("{payload}==")),
        (
            "header-with-trailing-bits",
            trailing(&header)?,
            payload.clone(),
        ),
        (
            "payload-with-trailing-bits",
            header.clone(),
            trailing(&payload)?,
        ),
        ("payload-in-the-plain-alphabet", header.clone(), plain),
        (
            "newline-in-the-payload",
            header.clone(),
            format!("{}\n{}", &payload[..76], &payload[76..]),
        ),
        (
            "payload-of-an-impossible-length",
            header.clone(),
            format!("{payload}AAA"),
        ),
    ] {
        let token = cases.forge.sign_text(EDDSA, &header, &payload)?;
        cases.token(format!("j11-base64-{name}-signed"), token, INVALID);
    }
    Ok(())
}

/// JSON in base64url whose last character has bits to spare.
fn loose(json: &str) -> String {
    let spaces = (1..=3).map(|count| format!("{json}{}", " ".repeat(count)));
    let texts: Vec<String> = spaces.filter(|text| text.len() % 3 == 1).collect();
    texts
        .first()
        .map(|text| encoding::encode(text.as_bytes()))
        .unwrap_or_default()
}

/// The same with a spare bit set.
fn trailing(segment: &str) -> Result<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = segment.split_at(segment.len() - 1);
    let at = ALPHABET.find(last).context("not base64url")?;
    let other = ALPHABET.get(at | 1..=at | 1).context("not base64url")?;
    anyhow::ensure!(other != last && segment.len() % 4 == 2, "no bits to spare");
    Ok(format!("{rest}{other}"))
}

fn json(cases: &mut Cases) -> Result<()> {
    let good = Members::claims().text();
    for (name, payload) in [
        ("null", "null".to_owned()),
        ("number", "1".to_owned()),
        ("text", quoted("x")),
        ("empty-list", "[]".to_owned()),
        ("list", format!("[{good}]")),
        ("empty-object", "{}".to_owned()),
        ("cut", good[..good.len() - 1].to_owned()),
        ("more-behind", format!("{good}{{}}")),
        ("trailing-comma", good.replace("]}", "],}")),
        ("comment", good.replacen('{', "{/* */", 1)),
        ("single-quotes", good.replace('"', "'")),
        ("byte-order-mark", format!("\u{feff}{good}")),
        ("nul-behind", format!("{good}\0")),
        (
            "control-character-in-text",
            good.replace("symbolon", "symbolon\u{1}"),
        ),
    ] {
        cases.claims(format!("j11-payload-{name}"), &payload, INVALID)?;
    }
    let header = cases.forge.header(EDDSA)?;
    let broken = [b"{\"x\":\"\xff\",", &good.as_bytes()[1..]].concat();
    let token = cases.forge.sign(EDDSA, &header.text(), &broken)?;
    cases.token("j11-payload-not-utf-8", token, INVALID);
    for (name, header) in [
        ("list", format!("[{}]", header.text())),
        ("null", "null".to_owned()),
        ("cut", header.text()[..30].to_owned()),
        ("byte-order-mark", format!("\u{feff}{}", header.text())),
        (
            "deep",
            format!(r#"{{"x":{}{}}}"#, "[".repeat(1400), "]".repeat(1400)),
        ),
    ] {
        cases.header(format!("j11-header-{name}"), &header, INVALID)?;
    }
    cases.claims(
        "j11-payload-with-white-space",
        &good.replace(',', " ,\n "),
        ACCEPTED,
    )
}
