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
    add("key-sibling", Written::new(1, "key", EDDSA_NEXT), false)?;
    let without = &claims.without("sid");
    for (name, id, hits) in [("of-that-id", SID, false), ("of-no-id", "", false)] {
        let name = format!("session-absent-in-the-token-{name}");
        let case = Case {
            name,
            claims: without,
            effect,
            hits,
        };
        case.add(cases, &[Written::new(1, "session", id)])?;
    }
    // A token that names no key is signed by one all the same.
    let header = Members::header("ES256", ES256).without("kid").text();
    let token = cases.forge.sign(ES256, &header, claims.text().as_bytes())?;
    let entry = Written::new(1, "key", ES256).effect(effect);
    cases.under(
        format!("{effect}-key-not-named-by-the-token"),
        token,
        &[entry],
        code(effect),
    );
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

/// A token that is no good is not asked about; `revoked` goes before `stale`, whatever came first and of which kind.
fn order(cases: &mut Cases) -> Result<()> {
    let good = Members::claims();
    let session = || Written::new(1, "session", SID);
    let user = || Written::user(2, SUB, VER + 1);
    let all = || Written::before(3, "all", "", NOW);
    let stale = |entry: Written| entry.effect("stale");
    let token = cases.forge.signed(EDDSA, &good)?;
    for (name, entries) in [
        (
            "stale-session-then-revoked-user",
            [stale(session()), user()],
        ),
        (
            "revoked-session-then-stale-user",
            [session(), stale(user())],
        ),
        ("stale-session-then-revoked-all", [stale(session()), all()]),
        ("revoked-user-then-stale-all", [user(), stale(all())]),
        (
            "one-session-stale-then-revoked",
            [
                stale(session()),
                Written {
                    seq: 2,
                    ..session()
                },
            ],
        ),
        (
            "one-session-revoked-then-stale",
            [
                session(),
                Written {
                    seq: 2,
                    ..stale(session())
                },
            ],
        ),
    ] {
        cases.under(
            format!("order-{name}"),
            token.clone(),
            &entries,
            code("revoked"),
        );
    }
    let entries = [stale(user()), Written::user(3, SUB, VER)];
    cases.under(
        "order-stale-hits-revoked-misses".to_owned(),
        token,
        &entries,
        code("stale"),
    );
    let expired = cases
        .forge
        .signed(EDDSA, &good.with("exp", (NOW - 60).to_string()))?;
    cases.under(
        "order-expired-before-revoked".to_owned(),
        expired,
        &[session()],
        EXPIRED,
    );
    let foreign = cases
        .forge
        .signed(EDDSA, &good.with("aud", quoted("https://other.example")))?;
    cases.under(
        "order-invalid-before-revoked".to_owned(),
        foreign,
        &[session()],
        INVALID,
    );
    Ok(())
}
