use proptest::prelude::*;

use super::{Role, RoleBook};
use crate::{Permissions, RoleName, Roles, Timestamp};

fn role(name: &str, permissions: &str, includes: &str) -> Role {
    Role {
        name: RoleName::parse(name).unwrap(),
        description: String::new(),
        permissions: Permissions::parse(permissions).unwrap(),
        includes: Roles::parse(includes).unwrap(),
        builtin: false,
        version: 1,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    }
}

fn roles(text: &str) -> Roles {
    Roles::parse(text).unwrap()
}

fn codes(book: &RoleBook, role: &Role) -> Vec<&'static str> {
    book.faults(role).iter().map(|fault| fault.code).collect()
}

fn shop() -> RoleBook {
    RoleBook::new(
        7,
        vec![
            role("clerk", "orders:read", ""),
            role("keeper", "stock:read stock:write", "clerk"),
            role("boss", "staff:write", "keeper"),
            role("admin", "*", ""),
        ],
    )
}

#[test]
fn a_role_brings_along_all_that_it_includes() {
    let boss = shop().effective(&roles("boss"));
    assert_eq!(boss.roles, roles("boss clerk keeper"));
    assert_eq!(
        boss.permissions.to_string(),
        "orders:read staff:write stock:read stock:write"
    );
    assert_eq!(
        shop().effective(&roles("admin clerk")).permissions,
        Permissions::Every
    );
    assert_eq!(
        shop().bringing(&RoleName::parse("clerk").unwrap()),
        roles("boss clerk keeper")
    );
}

#[test]
fn what_is_not_defined_stands_for_nothing() {
    assert_eq!(shop().effective(&roles("gone")), Default::default());
    let problem = shop().must_define(&roles("boss gone")).unwrap_err();
    assert_eq!(problem.code, "role_unknown");
    assert!(
        problem.detail.contains("admin, boss, clerk, keeper"),
        "{problem}"
    );
}

#[test]
fn cycles_are_refused_however_long() {
    for (name, includes) in [
        ("clerk", "clerk"),
        ("clerk", "keeper"),
        ("clerk", "boss"),
        ("new", "new"),
    ] {
        let wanted = role(name, "", includes);
        let expected = match name {
            "new" => "role_unknown",
            _ => "role_cycle",
        };
        assert_eq!(
            codes(&shop(), &wanted),
            [expected],
            "{name} includes {includes}"
        );
    }
    assert!(codes(&shop(), &role("boss", "", "clerk keeper")).is_empty());
}

#[test]
fn all_roles_of_a_token_fit_into_it() {
    let many = (0..199)
        .map(|n| role(&format!("r{n}"), "", ""))
        .collect::<Vec<_>>();
    let book = RoleBook::new(1, many);
    assert!(codes(&book, &role("last", "", "")).is_empty());
    assert!(codes(&book, &role("r5", "a:b", "")).is_empty(), "a change");
    let long = RoleBook::new(1, vec![role(&"n".repeat(64), "", ""); 1]);
    assert!(codes(&long, &role("x", "", "")).is_empty());
    let longer = (0..26)
        .map(|n| role(&format!("{n:0>64}"), "", ""))
        .collect();
    assert_eq!(
        codes(&RoleBook::new(1, longer), &role(&"n".repeat(64), "", "")),
        ["too_many_roles"]
    );
    let wide: Vec<String> = (0..100).map(|n| format!("thing{n:0>20}:do")).collect();
    let wide = role("wide", &wide.join(" "), "");
    assert_eq!(codes(&shop(), &wide), ["too_many_permissions"]);
}

#[test]
fn a_description_is_one_line_of_256_characters() {
    for (description, good) in [
        ("é".repeat(256), true),
        ("e".repeat(257), false),
        ("a\nb".to_owned(), false),
    ] {
        let described = Role {
            description,
            ..role("new", "", "")
        };
        assert_eq!(codes(&shop(), &described).is_empty(), good);
    }
}

proptest! {
    /// Whatever is defined one after the other, as long as no fault is found: nothing includes itself by a detour.
    #[test]
    fn no_order_of_changes_makes_a_cycle(changes in proptest::collection::vec((0..6_u8, 0..6_u8), 1..40)) {
        let mut defined: Vec<Role> = (0..6).map(|n| role(&format!("r{n}"), &format!("p:{n}"), "")).collect();
        for (who, whom) in changes {
            let book = RoleBook::new(1, defined.clone());
            let mut changed = defined[usize::from(who)].clone();
            changed.includes = Roles::new(changed.includes.iter().cloned().chain([RoleName::parse(&format!("r{whom}")).unwrap()]).collect());
            if book.faults(&changed).is_empty() {
                defined[usize::from(who)] = changed;
            }
        }
        let book = RoleBook::new(1, defined);
        for one in book.iter() {
            prop_assert!(!book.effective(&one.includes).roles.contains(&one.name));
            prop_assert!(book.effective(&Roles::new(vec![one.name.clone()])).permissions.include(&one.permissions));
        }
    }
}
