use super::{RoleName, Roles};

#[test]
fn names() {
    let longest = "r".repeat(64);
    for text in [
        "admin",
        "user",
        "a",
        "0",
        "orders:read",
        "team-1.lead_x",
        &longest,
    ] {
        assert_eq!(RoleName::parse(text).unwrap().as_str(), text);
    }
    let too_long = "r".repeat(65);
    for text in [
        "", "Admin", "a b", " a", "-a", ":a", "rôle", "a\0", "a,b", "a\n", &too_long,
    ] {
        assert_eq!(
            RoleName::parse(text).unwrap_err().code,
            "role_malformed",
            "{text:?}"
        );
    }
}

#[test]
fn the_built_in_names_are_what_they_parse_to() {
    assert_eq!(RoleName::parse("admin").unwrap(), RoleName::ADMIN);
    assert_eq!("user".parse::<RoleName>().unwrap(), RoleName::USER);
}

#[test]
fn roles_are_a_set_that_travels_as_one_text() {
    let roles = Roles::parse("user editor  admin user").unwrap();
    assert_eq!(roles.to_string(), "admin editor user");
    assert_eq!(roles.to_strings(), ["admin", "editor", "user"]);
    assert_eq!(roles.to_string().parse::<Roles>().unwrap(), roles);
    assert_eq!(roles.iter().cloned().rev().collect::<Roles>(), roles);
    assert_eq!((&roles).into_iter().count(), roles.as_slice().len());
    assert_eq!(Roles::parse("user No").unwrap_err().code, "role_malformed");
}

#[test]
fn only_the_whole_name_counts() {
    let roles = Roles::parse("administrator user").unwrap();
    assert!(roles.contains("user") && roles.contains(RoleName::USER));
    for other in ["admin", "", "use", "users", "administrator user"] {
        assert!(!roles.contains(other), "{other}");
    }
    assert!(!roles.is_admin());
    assert!(Roles::new(vec![RoleName::USER, RoleName::ADMIN]).is_admin());
}

#[test]
fn no_role_is_the_empty_text() {
    let none = Roles::parse("").unwrap();
    assert!(none.is_empty() && !none.is_admin());
    assert_eq!(none, Roles::default());
    assert_eq!(none.to_string(), "");
}
