use proptest::prelude::*;

use super::{Permission, Permissions};

#[test]
fn names() {
    let longest = format!("a:{}", "b".repeat(62));
    for text in [
        "orders:read",
        "a:b",
        "users:read:own",
        "2fa:re-set",
        "x.y_z:v",
        &longest,
    ] {
        assert_eq!(Permission::parse(text).unwrap().as_str(), text);
    }
    let too_long = format!("a:{}", "b".repeat(63));
    for text in [
        "",
        "*",
        "orders",
        "orders:",
        ":read",
        "orders::read",
        "Orders:read",
        "orders:read ",
        "orders read",
        "orders:rèad",
        "orders:-read",
        "orders:*",
        "a:b\n",
        &too_long,
    ] {
        let code = Permission::parse(text).unwrap_err().code;
        assert_eq!(code, "permission_malformed", "{text:?}");
    }
}

#[test]
fn every_permission_allows_what_is_not_known_yet() {
    let every = Permissions::parse("a:b *").unwrap();
    assert_eq!(every, Permissions::Every);
    assert!(every.allow("whatever:it-is"));
    assert_eq!(every.to_string(), "*");
    assert!(every.include(&Permissions::parse("a:b").unwrap()));
    assert!(!Permissions::parse("a:b").unwrap().include(&every));
}

#[test]
fn no_permission_allows_nothing() {
    let none = Permissions::parse("").unwrap();
    assert_eq!(none, Permissions::default());
    for name in ["", "*", "a:b"] {
        assert!(!none.allow(name), "{name:?}");
    }
    assert!(none.include(&none));
}

fn some() -> impl Strategy<Value = Permissions> {
    let named = proptest::collection::vec("[ab]:[a-c]", 0..6)
        .prop_map(|names| Permissions::from_names(names.iter().map(String::as_str)).unwrap());
    prop_oneof![9 => named, 1 => Just(Permissions::Every)]
}

proptest! {
    #[test]
    fn what_is_written_is_read(permissions in some()) {
        prop_assert_eq!(Permissions::parse(&permissions.to_string()).unwrap(), permissions);
    }

    #[test]
    fn a_sum_includes_both_and_nothing_else(a in some(), b in some(), name in "[ab]:[a-d]") {
        let mut sum = a.clone();
        sum.add(&b);
        prop_assert!(sum.include(&a) && sum.include(&b));
        prop_assert_eq!(sum.allow(&name), a.allow(&name) || b.allow(&name));
    }

    #[test]
    fn to_include_is_to_allow_all_of_it(a in some(), b in some()) {
        let each = b.names().iter().all(|name| match *name {
            "*" => a == Permissions::Every,
            name => a.allow(name),
        });
        prop_assert_eq!(a.include(&b), each);
    }
}
