//! Which tokens an entry of the feed hits (CONTRACT.md section 3.4).

use anyhow::Result;

use super::cases::{Cases, Code, EXPIRED, INVALID};
use super::feed::{Written, key};
use super::forge::{EDDSA, EDDSA_NEXT, ES256};
use super::members::{CLIENT, JTI, Members, OTHER, SID, SUB, VER, quoted};
use super::{LEEWAY, NOW};

pub(super) fn add(cases: &mut Cases) -> Result<()> {
    for effect in ["revoked", "stale"] {
        by_identity(cases, effect)?;
        by_what_is_absent(cases, effect)?;
        by_version(cases, effect)?;
        by_time_of_issue(cases, effect)?;
        until(cases, effect)?;
        merged(cases, effect)?;
    }
    order(cases)
}

fn code(effect: &str) -> Code {
    Some(if effect == "revoked" {
        "token_revoked"
    } else {
        "token_stale"
    })
}

/// A case of one token that the effect hits, or does not.
struct Case<'a> {
    name: String,
    claims: &'a Members,
    effect: &'static str,
    hits: bool,
}

impl Case<'_> {
    fn add(self, cases: &mut Cases, entries: &[Written]) -> Result<()> {
        let token = cases.forge.signed(EDDSA, self.claims)?;
        let entries: Vec<Written> = entries
            .iter()
            .map(|entry| entry.clone().effect(self.effect))
            .collect();
        let name = format!("{}-{}", self.effect, self.name);
        let code = self.hits.then(|| code(self.effect)).flatten();
        cases.under(name, token, &entries, code);
        Ok(())
    }
}

fn by_identity(cases: &mut Cases, effect: &'static str) -> Result<()> {
    let claims = &Members::claims();
    let mut add = |name: &str, entry: Written, hits| {
        let name = name.to_owned();
        let case = Case {
            name,
            claims,
            effect,
            hits,
        };
        case.add(cases, &[entry])
    };
    for (kind, id) in [("session", SID), ("token", JTI), ("key", EDDSA)] {
        add(&format!("{kind}-hit"), Written::new(1, kind, id), true)?;
        add(
            &format!("{kind}-other"),
            Written::new(1, kind, OTHER),
            false,
        )?;
        add(
            &format!("{kind}-empty-id"),
            Written::new(1, kind, ""),
            false,
        )?;
        let upper = id.to_uppercase();
        add(
            &format!("{kind}-other-letters"),
            Written::new(1, kind, &upper),
            false,
        )?;
        // The kind is part of the name: the same id of another kind is another thing.
        add(
            &format!("{kind}-named-by-sub"),
            Written::new(1, kind, SUB),
            false,
        )?;
        let foreign = Written {
            key: key("user", SUB),
            ..Written::new(1, kind, id)
        };
        add(&format!("{kind}-with-the-name-of-a-user"), foreign, false)?;
    }
    add("key-sibling", Written::new(1, "key", EDDSA_NEXT), false)
}

/// A token without `sid` is of no session; one without `kid` is signed by a key all the same.
fn by_what_is_absent(cases: &mut Cases, effect: &'static str) -> Result<()> {
    let good = Members::claims();
    let claims = &good.without("sid");
    for (name, id) in [("of-that-id", SID), ("of-no-id", "")] {
        let name = format!("session-absent-in-the-token-{name}");
        let case = Case {
            name,
            claims,
            effect,
            hits: false,
        };
        case.add(cases, &[Written::new(1, "session", id)])?;
    }
    let header = Members::header("ES256", ES256).without("kid").text();
    let token = cases.forge.sign(ES256, &header, good.text().as_bytes())?;
    let entry = Written::new(1, "key", ES256).effect(effect);
    let name = format!("{effect}-key-not-named-by-the-token");
    cases.under(name, token, &[entry], code(effect));
    Ok(())
}

fn by_version(cases: &mut Cases, effect: &'static str) -> Result<()> {
    let good = Members::claims();
    let old = good.with("ver", "0");
    let without = good.without("ver");
    for (name, claims, entry, hits) in [
        ("below-next", &good, Written::user(1, SUB, VER + 1), true),
        ("below-far", &good, Written::user(1, SUB, 1 << 40), true),
        ("below-equal", &good, Written::user(1, SUB, VER), false),
        ("below-lower", &good, Written::user(1, SUB, VER - 1), false),
        ("below-zero", &old, Written::user(1, SUB, 0), false),
        ("below-one", &old, Written::user(1, SUB, 1), true),
        ("ver-absent", &without, Written::user(1, SUB, 1), true),
        (
            "ver-absent-below-zero",
            &without,
            Written::user(1, SUB, 0),
            true,
        ),
        (
            "ver-absent-other",
            &without,
            Written::user(1, OTHER, 99),
            false,
        ),
        ("other", &good, Written::user(1, OTHER, VER + 1), false),
    ] {
        let name = format!("user-{name}");
        Case {
            name,
            claims,
            effect,
            hits,
        }
        .add(cases, &[entry])?;
    }
    Ok(())
}

fn by_time_of_issue(cases: &mut Cases, effect: &'static str) -> Result<()> {
    let good = Members::claims();
    let ahead = good.with("iat", (NOW + LEEWAY).to_string());
    for (kind, id) in [("client", CLIENT), ("all", "")] {
        for (name, claims, before, hits) in [
            ("equal", &good, NOW, true),
            ("one-later", &good, NOW + 1, true),
            ("one-earlier", &good, NOW - 1, false),
            ("in-1970", &good, 0, false),
            ("issued-ahead", &ahead, NOW, false),
            ("issued-ahead-equal", &ahead, NOW + LEEWAY, true),
        ] {
            let name = format!("{kind}-before-{name}");
            let entry = Written::before(1, kind, id, before);
            Case {
                name,
                claims,
                effect,
                hits,
            }
            .add(cases, &[entry])?;
        }
    }
    let name = "client-other".to_owned();
    let entry = Written::before(1, "client", OTHER, NOW + 900);
    Case {
        name,
        claims: &good,
        effect,
        hits: false,
    }
    .add(cases, &[entry])
}

/// An entry is dropped when `until` is passed by the leeway, for so long may a token live on.
fn until(cases: &mut Cases, effect: &'static str) -> Result<()> {
    let claims = &Members::claims();
    for (name, until, hits) in [
        ("in-the-future", NOW + 1, true),
        ("now", NOW, true),
        ("within-the-leeway", NOW - LEEWAY + 1, true),
        ("passed-by-the-leeway", NOW - LEEWAY, false),
        ("passed-long-ago", NOW - 900, false),
    ] {
        for (kind, entry) in [
            ("session", Written::new(1, "session", SID)),
            ("user", Written::user(1, SUB, VER + 1)),
            ("all", Written::before(1, "all", "", NOW)),
        ] {
            let name = format!("until-{name}-{kind}");
            Case {
                name,
                claims,
                effect,
                hits,
            }
            .add(cases, &[entry.until(until)])?;
        }
    }
    Ok(())
}

/// Of two entries about one subject the wider bound and the later `until` count, whichever comes first.
fn merged(cases: &mut Cases, effect: &'static str) -> Result<()> {
    let claims = &Members::claims();
    let pairs = [
        (
            "user",
            Written::user(1, SUB, VER + 1),
            Written::user(1, SUB, VER - 2),
        ),
        (
            "client",
            Written::before(1, "client", CLIENT, NOW),
            Written::before(1, "client", CLIENT, NOW - 60),
        ),
        (
            "all",
            Written::before(1, "all", "", NOW),
            Written::before(1, "all", "", NOW - 60),
        ),
        (
            "until",
            Written::new(1, "session", SID),
            Written::new(1, "session", SID).until(NOW - 60),
        ),
        (
            "others-too",
            Written::new(1, "session", SID),
            Written::new(1, "session", OTHER),
        ),
    ];
    for (name, wide, narrow) in pairs {
        for (order, first, second) in [
            ("wide-first", &wide, &narrow),
            ("narrow-first", &narrow, &wide),
        ] {
            let second = Written {
                seq: 2,
                ..second.clone()
            };
            let name = format!("two-{name}-{order}");
            Case {
                name,
                claims,
                effect,
                hits: true,
            }
            .add(cases, &[first.clone(), second])?;
        }
    }
    Ok(())
}

/// `revoked` goes before `stale`, whatever came first and of which kind.
fn order(cases: &mut Cases) -> Result<()> {
    let entry = |seq, (kind, effect)| {
        let entry = match kind {
            "user" => Written::user(seq, SUB, VER + 1),
            "all" => Written::before(seq, kind, "", NOW),
            _ => Written::new(seq, kind, SID),
        };
        entry.effect(effect)
    };
    let token = cases.forge.signed(EDDSA, &Members::claims())?;
    for (first, second) in [
        (("session", "stale"), ("user", "revoked")),
        (("session", "revoked"), ("user", "stale")),
        (("session", "stale"), ("all", "revoked")),
        (("user", "revoked"), ("all", "stale")),
        (("session", "stale"), ("session", "revoked")),
        (("session", "revoked"), ("session", "stale")),
    ] {
        let name = format!(
            "order-{}-{}-then-{}-{}",
            first.1, first.0, second.1, second.0
        );
        let entries = [entry(1, first), entry(2, second)];
        cases.under(name, token.clone(), &entries, code("revoked"));
    }
    let misses = [entry(1, ("user", "stale")), Written::user(2, SUB, VER)];
    let name = "order-stale-hits-revoked-misses".to_owned();
    cases.under(name, token, &misses, code("stale"));
    of_no_good(cases)
}

/// A token that is no good is not asked about.
fn of_no_good(cases: &mut Cases) -> Result<()> {
    let entries = [
        Written::new(1, "session", SID),
        Written::before(2, "all", "", NOW),
    ];
    for (name, claim, value, code) in [
        ("expired", "exp", (NOW - 60).to_string(), EXPIRED),
        ("not-yet-valid", "nbf", (NOW + 60).to_string(), INVALID),
        (
            "of-another-audience",
            "aud",
            quoted("https://other.example"),
            INVALID,
        ),
    ] {
        let token = cases
            .forge
            .signed(EDDSA, &Members::claims().with(claim, value))?;
        cases.under(
            format!("order-{name}-before-revoked"),
            token,
            &entries,
            code,
        );
    }
    Ok(())
}
