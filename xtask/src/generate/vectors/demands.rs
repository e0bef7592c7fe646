//! What a resource asks of a token that is good.

use anyhow::Result;
use serde::Serialize;

use super::cases::Code;
use super::forge::{EDDSA, Forge};
use super::members::{Members, quoted};
use super::{LEEWAY, NOW};

#[derive(Serialize)]
pub(super) struct Demand {
    pub(super) name: String,
    pub(super) token: String,
    #[serde(flatten)]
    pub(super) wants: Wants,
    pub(super) code: Code,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Wants {
    /// Any of them.
    Roles(&'static [&'static str]),
    /// Among the words of the claim `scope`, or `*` among them.
    Permission(&'static str),
    /// Among the words of the claim `scope`.
    Scope(&'static str),
    /// All that is asked of the sign-in.
    SignIn(SignIn),
}

/// RFC 9470 section 3.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignIn {
    /// Seconds that it may be ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_age: Option<u32>,
    /// The claim `acr` is among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acr: Option<&'static [&'static str]>,
}

use Wants::{Permission, Roles, Scope};

const AGAIN: Option<&str> = Some("insufficient_user_authentication");
const FORBIDDEN: Option<&str> = Some("forbidden");
const INSUFFICIENT: Option<&str> = Some("insufficient_scope");

pub(super) fn all(forge: &mut Forge) -> Result<Vec<Demand>> {
    let mut all = Vec::new();
    for &(name, roles, wants, code) in ROLES {
        let claims = Members::claims();
        let claims = match roles {
            Some(roles) => claims.with("roles", roles),
            None => claims.without("roles"),
        };
        all.push(demand(forge, (name, &claims), wants, code)?);
    }
    for &(name, scope, permission, exact) in SCOPES {
        let claims = Members::claims();
        let claims = match scope {
            Some(scope) => claims.with("scope", scope),
            None => claims.without("scope"),
        };
        let (asked, codes) = (
            [Permission("orders:read"), Scope("orders:read")],
            [
                (!permission).then_some("forbidden"),
                (!exact).then_some("insufficient_scope"),
            ],
        );
        for ((wants, code), kind) in asked.into_iter().zip(codes).zip(["permission", "scope"]) {
            let name = format!("{kind}-{name}");
            all.push(demand(forge, (&name, &claims), wants, code)?);
        }
    }
    let star = Members::claims().with("scope", r#""*""#);
    all.push(demand(
        forge,
        ("scope-star-itself", &star),
        Scope("*"),
        None,
    )?);
    let none = Members::claims().with("scope", r#""""#);
    all.push(demand(
        forge,
        ("scope-star-absent", &none),
        Scope("*"),
        INSUFFICIENT,
    )?);
    sign_in_times(forge, &mut all)?;
    sign_in_classes(forge, &mut all)?;
    Ok(all)
}

const RECENT: SignIn = SignIn {
    max_age: Some(300),
    acr: None,
};

/// RFC 9470: when the person signed in.
fn sign_in_times(forge: &mut Forge, all: &mut Vec<Demand>) -> Result<()> {
    let recent = Wants::SignIn(RECENT);
    for (name, auth_time, code) in [
        ("now", Some(NOW), None),
        ("as-long-ago-as-may-be", Some(NOW - 300), None),
        ("just-inside-the-leeway", Some(NOW - 300 - LEEWAY), None),
        ("just-outside-the-leeway", Some(NOW - 301 - LEEWAY), AGAIN),
        ("clock-behind-inside-the-leeway", Some(NOW + LEEWAY), None),
        ("in-the-future", Some(NOW + LEEWAY + 1), AGAIN),
        ("in-1970", Some(0), AGAIN),
        ("unknown", None, AGAIN),
    ] {
        let claims = signed_in(auth_time, None);
        let name = format!("sign-in-{name}");
        all.push(demand(forge, (&name, &claims), recent, code)?);
    }
    let fraction = Members::claims().with("auth_time", (NOW - 300 - LEEWAY).to_string() + ".9");
    let name = "sign-in-fraction-is-cut-off";
    all.push(demand(forge, (name, &fraction), recent, None)?);
    let at_once = Wants::SignIn(SignIn {
        max_age: Some(0),
        acr: None,
    });
    for (name, ago, code) in [("inside", LEEWAY, None), ("outside", LEEWAY + 1, AGAIN)] {
        let claims = signed_in(Some(NOW - ago), None);
        let name = format!("sign-in-at-once-{name}-the-leeway");
        all.push(demand(forge, (&name, &claims), at_once, code)?);
    }
    Ok(())
}

/// RFC 9470: how the person signed in, and both.
fn sign_in_classes(forge: &mut Forge, all: &mut Vec<Demand>) -> Result<()> {
    for (name, acr, code) in [
        ("best", Some("3"), None),
        ("second-best", Some("2"), None),
        ("another", Some("1"), AGAIN),
        ("prefix", Some("22"), AGAIN),
        ("absent", None, AGAIN),
    ] {
        let claims = signed_in(Some(NOW), acr);
        let wanted = SignIn {
            max_age: None,
            acr: Some(&["3", "2"]),
        };
        let name = format!("sign-in-acr-{name}");
        all.push(demand(
            forge,
            (&name, &claims),
            Wants::SignIn(wanted),
            code,
        )?);
    }
    for (name, ago, acr, code) in [
        ("both", 300, "2", None),
        ("recent-of-another-kind", 0, "1", AGAIN),
        ("of-that-kind-long-ago", 400, "2", AGAIN),
        ("neither", 400, "1", AGAIN),
    ] {
        let claims = signed_in(Some(NOW - ago), Some(acr));
        let wanted = SignIn {
            acr: Some(&["2"]),
            ..RECENT
        };
        let name = format!("sign-in-{name}");
        all.push(demand(
            forge,
            (&name, &claims),
            Wants::SignIn(wanted),
            code,
        )?);
    }
    Ok(())
}

fn signed_in(auth_time: Option<i64>, acr: Option<&str>) -> Members {
    let mut claims = Members::claims();
    if let Some(auth_time) = auth_time {
        claims = claims.with("auth_time", auth_time.to_string());
    }
    match acr {
        Some(acr) => claims.with("acr", quoted(acr)),
        None => claims,
    }
}

type OfRoles = (
    &'static str,
    Option<&'static str>,
    Wants,
    Option<&'static str>,
);

/// Name, the claim `roles`, what is asked, and the verdict.
const ROLES: &[OfRoles] = &[
    (
        "role-held",
        Some(r#"["user","admin"]"#),
        Roles(&["admin"]),
        None,
    ),
    (
        "role-one-of-two",
        Some(r#"["admin"]"#),
        Roles(&["auditor", "admin"]),
        None,
    ),
    (
        "role-not-held",
        Some(r#"["user"]"#),
        Roles(&["admin"]),
        FORBIDDEN,
    ),
    (
        "role-none-of-two",
        Some(r#"["user"]"#),
        Roles(&["auditor", "admin"]),
        FORBIDDEN,
    ),
    (
        "role-other-letters",
        Some(r#"["Admin"]"#),
        Roles(&["admin"]),
        FORBIDDEN,
    ),
    (
        "role-prefix",
        Some(r#"["admin2","adm"]"#),
        Roles(&["admin"]),
        FORBIDDEN,
    ),
    (
        "role-within-a-text",
        Some(r#"["user admin"]"#),
        Roles(&["admin"]),
        FORBIDDEN,
    ),
    (
        "role-star-is-no-role",
        Some(r#"["*"]"#),
        Roles(&["admin"]),
        FORBIDDEN,
    ),
    ("role-claim-empty", Some("[]"), Roles(&["user"]), FORBIDDEN),
    ("role-claim-absent", None, Roles(&["user"]), FORBIDDEN),
];

/// Name, the claim `scope`, and whether it has the permission and the scope `orders:read`.
const SCOPES: &[(&str, Option<&str>, bool, bool)] = &[
    (
        "held-behind-two-spaces",
        Some(r#""openid  orders:read""#),
        true,
        true,
    ),
    (
        "held",
        Some(r#""openid orders:read orders:write""#),
        true,
        true,
    ),
    ("alone", Some(r#""orders:read""#), true, true),
    ("not-held", Some(r#""openid orders:write""#), false, false),
    ("star", Some(r#""*""#), true, false),
    (
        "star-among-others",
        Some(r#""openid * profile""#),
        true,
        false,
    ),
    ("star-within-a-word", Some(r#""orders:*""#), false, false),
    (
        "prefix",
        Some(r#""orders:readall orders orders:rea""#),
        false,
        false,
    ),
    ("other-letters", Some(r#""Orders:Read""#), false, false),
    (
        "tab-parts-nothing",
        Some(r#""openid\torders:read""#),
        false,
        false,
    ),
    (
        "comma-parts-nothing",
        Some(r#""openid,orders:read""#),
        false,
        false,
    ),
    ("empty", Some(r#""""#), false, false),
    ("absent", None, false, false),
];

fn demand(
    forge: &mut Forge,
    (name, claims): (&str, &Members),
    wants: Wants,
    code: Option<&'static str>,
) -> Result<Demand> {
    Ok(Demand {
        name: name.to_owned(),
        token: forge.signed(EDDSA, claims)?,
        wants,
        code,
    })
}
