//! Why an access token is accepted or refused, line by line.
//!
//! 1. The verdict is that of the verifier which every guard has inside: what is told beside it never decides.
//! 2. The lines look at one thing each, as far as the token can be read, whether it is to be believed or not: who asks
//!    why a token is refused wants to see all that is wrong with it.

use std::borrow::Cow;

use symbolon_domain::Timestamp;
use symbolon_domain::revocation::{Effect, Entry};
use symbolon_guard::{Checker, CheckerOptions, Kind, Rejection};
use symbolon_token::inspect::{danger, verify_signature_only};
use symbolon_token::refresh::RefreshToken;
use symbolon_token::{
    Access, AccessClaims, Algorithm, Error as TokenError, KeySet, Profile, Typ, Verifier, feed_key,
};

use super::{Error, opaque};
use crate::app::{App, ISSUER, guard_entry};
use crate::rfc3339;

/// Revocations read at once.
const PAGE: u32 = 1000;
/// Of a text that anybody can have written.
const MOST_LETTERS: usize = 200;

/// What the token is held against.
pub struct Knowledge {
    /// The issuer that it must have.
    pub issuer: String,
    /// The audience that it must have.
    pub audience: String,
    /// The keys that are published.
    pub keys: KeySet,
    /// The live revocations.
    pub revocations: Vec<Entry>,
    /// How far clocks may differ, in seconds, at most 60.
    pub leeway: u32,
    /// The moment.
    pub now: Timestamp,
}

/// What was found about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is as it must be.
    Ok,
    /// For this alone the token is refused.
    Fails,
    /// It could not be looked at, for what comes before it.
    Unknown,
}

/// One thing that was looked at.
#[derive(Debug)]
pub struct Line {
    /// Which.
    pub what: &'static str,
    /// How it is.
    pub finding: Finding,
    /// What there is to say, printable.
    pub says: String,
}

/// All there is to say.
#[derive(Debug)]
pub struct Explanation {
    /// In the order in which guards look.
    pub lines: Vec<Line>,
    /// The code of the refusal; nothing where the token is accepted.
    pub code: Option<&'static str>,
    /// The revocation that hits it.
    pub hit: Option<Entry>,
}

/// The issuer of this store, if it has ever been served.
///
/// # Errors
/// A fault that says what to do where none is known.
pub async fn issuer(app: &App) -> Result<String, Error> {
    if let Some(issuer) = &app.config.server.issuer {
        return Ok(issuer.as_str().to_owned());
    }
    let kept = app.store.find_setting(ISSUER).await?;
    kept.ok_or_else(|| Error::Fault {
        context: "no issuer is known",
        source: "set server.issuer, or start the server once".into(),
    })
}

/// Every stored revocation.
///
/// # Errors
/// A fault of the store.
pub async fn revocations(app: &App) -> Result<Vec<Entry>, Error> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map_or(0, |entry| entry.seq);
        let page = app.store.list_revocations(after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// What this server holds tokens against at the moment; for the audience of its own routes unless another one is named.
///
/// # Errors
/// A fault of the store, or when the keys are not open.
pub async fn own(app: &App, audience: Option<String>) -> Result<Knowledge, Error> {
    let issuance = app.issuance()?;
    let now = app.clock.now();
    Ok(Knowledge {
        issuer: issuance.issuer.clone(),
        audience: audience.unwrap_or_else(|| issuance.audience.clone()),
        keys: issuance.ring.load().key_set(now)?,
        revocations: revocations(app).await?,
        leeway: 0,
        now,
    })
}

/// What a text is that somebody takes for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// A signed token, as it came.
    Signed(String),
    /// An opaque access token, and the signed one in it; none where this server did not make it.
    Opaque(Option<String>),
    /// A refresh token, and whether this server made it.
    Refresh(bool),
    /// Another secret of this server's, by the name of its kind: `client_secret`, `code`, `device_code` or `link`.
    Secret(&'static str),
    /// Nothing that is known here.
    Unknown,
}

/// Other secrets, by what they begin with.
const SECRETS: [(&str, &str); 4] = [
    ("sbs_", "client_secret"),
    ("sbc_", "code"),
    ("sbd_", "device_code"),
    ("sbl_", "link"),
];

/// Finds out what a text is. Blanks around it and `Bearer` before it are left out.
///
/// # Errors
/// A fault when the keys are not open.
pub fn recognize(app: &App, text: &str) -> Result<Text, Error> {
    let text = text.trim();
    let bearer = text
        .get(..7)
        .filter(|start| start.eq_ignore_ascii_case("bearer "));
    let text = match bearer {
        Some(start) => text[start.len()..].trim(),
        None => text,
    };
    let issuance = app.issuance()?;
    if text.starts_with(opaque::PREFIX) {
        return Ok(Text::Opaque(match opaque::open(issuance, text) {
            Cow::Owned(signed) => Some(signed),
            Cow::Borrowed(_) => None,
        }));
    }
    if text.starts_with("sbr_") || RefreshToken::key_number(text).is_some() {
        return Ok(Text::Refresh(issuance.refresh_token(text).is_some()));
    }
    let secret = SECRETS.iter().find(|(prefix, _)| text.starts_with(prefix));
    Ok(match secret {
        Some((_, kind)) => Text::Secret(kind),
        None if danger::decode_unverified(text).is_ok() => Text::Signed(text.to_owned()),
        None => Text::Unknown,
    })
}

/// What stands in a token, believed or not: each member of the header and of the claims, with its value as JSON, printable.
/// Empty where it is no JSON.
#[must_use]
pub fn members(token: &str) -> [Vec<(String, serde_json::Value)>; 2] {
    let Ok(parts) = danger::decode_unverified(token) else {
        return Default::default();
    };
    [parts.header, parts.payload].map(|bytes| {
        let read = serde_json::from_slice::<serde_json::Map<_, _>>(&bytes);
        let members = read.unwrap_or_default().into_iter();
        members
            .map(|(name, value)| (printable(&name), value))
            .collect()
    })
}

/// Explains `token`.
///
/// # Errors
/// A fault where the knowledge makes no verifier, such as an empty audience or a malformed revocation.
pub fn explain(knowledge: &Knowledge, token: &str) -> Result<Explanation, Error> {
    let verdict = verdict(knowledge, token)?;
    let mut lines = signature_lines(knowledge, token);
    lines.extend(claims_lines(knowledge, token));
    let hit = match verdict {
        Err(Rejection::Revoked(kind)) => find_hit(knowledge, token, (kind, Effect::Revoked)),
        Err(Rejection::Stale(kind)) => find_hit(knowledge, token, (kind, Effect::Stale)),
        _ => None,
    };
    lines.push(revocation_line(knowledge, verdict, hit.as_ref()));
    Ok(Explanation {
        lines,
        code: verdict.err().map(|rejection| rejection.code()),
        hit,
    })
}

fn verifier(knowledge: &Knowledge) -> Result<Verifier, Error> {
    let fault = |error: symbolon_token::BuildError| Error::fault("verifier")(error.into());
    let Knowledge {
        issuer, audience, ..
    } = knowledge;
    Verifier::access(issuer, audience, &Algorithm::ALL)
        .and_then(|verifier| verifier.leeway_seconds(knowledge.leeway))
        .map_err(fault)
}

fn verdict(knowledge: &Knowledge, token: &str) -> Result<Result<(), Rejection>, Error> {
    let options = CheckerOptions {
        verifier: verifier(knowledge)?,
        cache_capacity: 0,
    };
    let checker = Checker::new(options, knowledge.keys.clone());
    for entry in &knowledge.revocations {
        let entry = guard_entry(entry);
        checker.apply(&entry.map_err(|error| Error::fault("revocation")(error.into()))?);
    }
    let now = knowledge.now.seconds();
    checker.expire(now);
    Ok(checker.check(token, now).map(drop))
}

/// The form, what the header says, and the signature.
fn signature_lines(knowledge: &Knowledge, token: &str) -> Vec<Line> {
    use Finding::{Fails, Ok as Good, Unknown};
    let checked = verify_signature_only(&knowledge.keys, token, &Algorithm::ALL);
    let sentence = |error: TokenError| error.to_string();
    let (form, algorithm, key, signature) = match checked {
        Ok(_) => (Good, Good, Good, Good),
        Err(TokenError::BadSignature) => (Good, Good, Good, Fails),
        Err(TokenError::AlgorithmMismatch) => (Good, Fails, Good, Unknown),
        Err(TokenError::UnknownKey) => (Good, Good, Fails, Unknown),
        Err(TokenError::AlgorithmNotAllowed) => (Good, Fails, Unknown, Unknown),
        Err(_) => (Fails, Unknown, Unknown, Unknown),
    };
    let why = checked.err().map(sentence).unwrap_or_default();
    let length = format!("{} bytes", token.len());
    let mut lines = vec![line("form", form, [&why, &length])];
    if form == Fails {
        return lines;
    }
    let header = header(token).unwrap_or_default();
    let typ = header.typ.as_deref();
    let is_ours = typ.is_some_and(|typ| Typ::AtJwt.matches(typ));
    let typ = match typ {
        Some(typ) => printable(typ),
        None => "the header has none".to_owned(),
    };
    lines.push(Line {
        what: "typ",
        finding: if is_ours { Good } else { Fails },
        says: typ,
    });
    let alg = printable(header.alg.as_deref().unwrap_or_default());
    lines.push(line(
        "algorithm",
        algorithm,
        [&format!("{alg}: {why}"), &alg],
    ));
    let key_says = key_says(knowledge, &header);
    lines.push(line("key", key, [&key_says, &key_says]));
    lines.push(line("signature", signature, [&why, "of that key"]));
    lines
}

/// A line that says the first text where it fails, and the second where it does not.
fn line(what: &'static str, finding: Finding, [fails, ok]: [&str; 2]) -> Line {
    let says = match finding {
        Finding::Ok => ok,
        Finding::Fails => fails,
        Finding::Unknown => "",
    };
    Line {
        what,
        finding,
        says: says.to_owned(),
    }
}

#[derive(Default)]
struct Header {
    typ: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
}

fn header(token: &str) -> Option<Header> {
    let parts = danger::decode_unverified(token).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&parts.header).ok()?;
    let text = |name| Some(json.get(name)?.as_str()?.to_owned());
    Some(Header {
        typ: text("typ"),
        alg: text("alg"),
        kid: text("kid"),
    })
}

fn key_says(knowledge: &Knowledge, header: &Header) -> String {
    let known = |kid: &String| knowledge.keys.get(kid);
    let named = |key: &symbolon_token::VerifyingKey| {
        format!(
            "{} ({})",
            printable(key.kid().unwrap_or("nameless")),
            key.algorithm()
        )
    };
    match (&header.kid, header.kid.as_ref().and_then(known)) {
        (_, Some(key)) => named(key),
        (kid, None) => {
            let kid = match kid {
                Some(kid) => format!("{} is not known", printable(kid)),
                None => "the header names none".to_owned(),
            };
            let all: Vec<_> = knowledge.keys.iter().map(named).collect();
            format!("{kid}; the issuer has: {}", all.join(", "))
        }
    }
}

/// What the claims say, believed or not.
fn claims_lines(knowledge: &Knowledge, token: &str) -> Vec<Line> {
    let Ok(parts) = danger::decode_unverified(token) else {
        return Vec::new();
    };
    let claims = match Access::read(&parts.payload) {
        Ok(claims) => claims,
        Err(error) => {
            return vec![Line {
                what: "claims",
                finding: Finding::Fails,
                says: error.to_string(),
            }];
        }
    };
    let audiences: Vec<_> = claims.aud.iter().map(printable).collect();
    let mut lines = vec![
        ok_if("issuer", claims.iss == knowledge.issuer, || {
            match claims.iss == knowledge.issuer {
                true => printable(&claims.iss),
                false => format!("{}, not {}", printable(&claims.iss), knowledge.issuer),
            }
        }),
        ok_if(
            "audience",
            claims.aud.contains(&knowledge.audience),
            || match claims.aud.contains(&knowledge.audience) {
                true => audiences.join(", "),
                false => format!("{}, not {}", audiences.join(", "), knowledge.audience),
            },
        ),
    ];
    lines.extend(time_lines(knowledge, &claims));
    lines.push(Line {
        what: "claims",
        finding: Finding::Ok,
        says: about(&claims),
    });
    lines
}

fn ok_if(what: &'static str, good: bool, says: impl Fn() -> String) -> Line {
    Line {
        what,
        finding: if good { Finding::Ok } else { Finding::Fails },
        says: says(),
    }
}

fn time_lines(knowledge: &Knowledge, claims: &AccessClaims) -> Vec<Line> {
    let now = knowledge.now.seconds();
    let leeway = i64::from(knowledge.leeway);
    let latest = now.saturating_add(leeway);
    let at = |time: i64| {
        let distance = match time.saturating_sub(now) {
            0 => "now".to_owned(),
            ahead @ 1.. => format!("in {}", span(ahead)),
            past => format!("{} ago", span(past.saturating_neg())),
        };
        format!(
            "{}, {distance}",
            rfc3339::text(Timestamp::from_seconds(time))
        )
    };
    let mut lines = vec![ok_if("issued", claims.iat <= latest, || at(claims.iat))];
    if let Some(nbf) = claims.nbf {
        lines.push(ok_if("not before", nbf <= latest, || at(nbf)));
    }
    let alive = now < claims.exp.saturating_add(leeway);
    lines.push(ok_if("expires", alive, || at(claims.exp)));
    lines
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn about(claims: &AccessClaims) -> String {
    let mut parts = vec![format!("user {}", printable(&claims.sub))];
    if let Some(sid) = &claims.sid {
        parts.push(format!("session {}", printable(sid)));
    }
    parts.push(format!("client {}", printable(&claims.client_id)));
    parts.push(format!("id {}", printable(&claims.jti)));
    if let Some(ver) = claims.ver {
        parts.push(format!("version {ver}"));
    }
    parts.join(", ")
}

fn revocation_line(
    knowledge: &Knowledge,
    verdict: Result<(), Rejection>,
    hit: Option<&Entry>,
) -> Line {
    let count = knowledge.revocations.len();
    let (finding, says) = match verdict {
        Ok(()) => (Finding::Ok, format!("none of {count} is about it")),
        Err(Rejection::Revoked(kind) | Rejection::Stale(kind)) => {
            let effect = match verdict {
                Err(Rejection::Stale(_)) => Effect::Stale,
                _ => Effect::Revoked,
            };
            let which = hit.map_or_else(String::new, |entry| {
                let until = rfc3339::text(Timestamp::from_seconds(entry.until_s));
                format!(", number {}, until {until}", entry.seq)
            });
            let says = format!("{} by {}{which}", effect.as_str(), kind.as_str());
            (Finding::Fails, says)
        }
        Err(_) => (Finding::Unknown, String::new()),
    };
    Line {
        what: "revocation",
        finding,
        says,
    }
}

/// The entry that hits: of several about one subject the last one that reaches as far as the widest.
fn find_hit(knowledge: &Knowledge, token: &str, (kind, effect): (Kind, Effect)) -> Option<Entry> {
    let verifier = verifier(knowledge).ok()?;
    let verified = verifier.verify_keyed(&knowledge.keys, token, knowledge.now.seconds());
    let (claims, key) = verified.ok()?;
    let id = match kind {
        Kind::Session => claims.sid.as_deref(),
        Kind::User { .. } => Some(claims.sub.as_str()),
        Kind::Token => Some(claims.jti.as_str()),
        Kind::Client { .. } => Some(claims.client_id.as_str()),
        Kind::Key => key.kid(),
        Kind::All { .. } => Some(""),
    }?;
    let name = feed_key(kind.as_str(), id);
    let is_it = |entry: &&Entry| {
        let of_all = matches!(kind, Kind::All { .. });
        entry.kind.as_str() == kind.as_str()
            && entry.effect == effect
            && (of_all || entry.key == name)
    };
    let found = knowledge.revocations.iter().filter(is_it);
    found
        .max_by_key(|entry| (entry.below, entry.before, entry.seq))
        .cloned()
}

/// What somebody else says, cut, and without what would move a terminal's cursor.
#[must_use]
pub fn printable(text: &str) -> String {
    let safe = |letter: char| if letter.is_control() { '?' } else { letter };
    text.chars().take(MOST_LETTERS).map(safe).collect()
}

#[cfg(test)]
mod tests;
