//! What a resource asks of a token that is good.

use anyhow::Result;
use serde::Serialize;

use super::forge::{EDDSA, Forge};
use super::members::Members;

#[derive(Serialize)]
pub(super) struct Demand {
    name: String,
    token: String,
    #[serde(flatten)]
    wants: Wants,
    code: Option<&'static str>,
}

impl Demand {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Wants {
    /// Any of them.
    Roles(&'static [&'static str]),
    /// Among the words of the claim `scope`, or `*` among them.
    Permission(&'static str),
    /// Among the words of the claim `scope`.
    Scope(&'static str),
}

use Wants::{Permission, Roles, Scope};

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
    Ok(all)
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
