use uuid::Uuid;

use super::*;
use crate::{RoleName, Roles, UserStatus};

fn user(number: u128, status: UserStatus) -> User {
    User {
        id: UserId::new(Uuid::from_u128(number)),
        email: Email::parse("ada@example.com").unwrap(),
        username: None,
        name: None,
        roles: Roles::new(vec![RoleName::USER]),
        status,
        email_verified: true,
        token_version: 1,
        version: 1,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    }
}

fn nobody<'a>(email: &'a Email) -> Facts<'a> {
    Facts {
        owner: None,
        email: Some((email, true)),
        is_taken: false,
        is_open: true,
        must_be_verified: false,
    }
}

#[test]
fn whoever_owns_an_identity_signs_in_with_it() {
    let email = Email::parse("eve@example.com").unwrap();
    let (ada, gone) = (user(1, UserStatus::Active), user(2, UserStatus::Disabled));
    let of = |owner| Facts {
        owner: Some(owner),
        // Nothing else counts.
        is_taken: true,
        is_open: false,
        must_be_verified: true,
        ..nobody(&email)
    };
    assert_eq!(arrive(&of(&ada)), Arrival::SignIn);
    assert_eq!(arrive(&of(&gone)), Arrival::Disabled, "L14");
}

#[test]
fn h2_no_address_links() {
    let email = Email::parse("ada@example.com").unwrap();
    for verified in [true, false] {
        let taken = Facts {
            email: Some((&email, verified)),
            is_taken: true,
            ..nobody(&email)
        };
        let told = match verified {
            true => Arrival::Taken,
            false => Arrival::Unverified,
        };
        assert_eq!(arrive(&taken), told);
        let required = Facts {
            must_be_verified: true,
            ..taken
        };
        assert_eq!(arrive(&required), told);
    }
}

#[test]
fn newcomers_are_let_in_where_anybody_is() {
    let email = Email::parse("eve@example.com").unwrap();
    let facts = nobody(&email);
    assert_eq!(arrive(&facts), Arrival::Register);
    let unverified = Facts {
        email: Some((&email, false)),
        ..facts
    };
    assert_eq!(arrive(&unverified), Arrival::Register);
    assert_eq!(
        arrive(&Facts {
            email: None,
            ..facts
        }),
        Arrival::NoAddress
    );
    for (email, is_taken, arrival) in [
        (Some((&email, true)), true, Arrival::Taken),
        (Some((&email, true)), false, Arrival::Closed),
        // Which tells of no account to who only names an address.
        (Some((&email, false)), true, Arrival::Closed),
        (Some((&email, false)), false, Arrival::Closed),
        (None, false, Arrival::Closed),
    ] {
        let closed = Facts {
            is_open: false,
            is_taken,
            email,
            ..facts
        };
        assert_eq!(arrive(&closed), arrival, "{email:?} {is_taken}");
    }
}

#[test]
fn identities_are_texts_that_can_be_kept() {
    let issuer = "https://accounts.example.com";
    let identity = ForeignIdentity::new(issuer, "248289761001").unwrap();
    assert_eq!(
        (identity.issuer(), identity.subject()),
        (issuer, "248289761001")
    );
    assert_ne!(
        identity,
        ForeignIdentity::new(issuer, "248289761001 ").unwrap()
    );
    let long = "s".repeat(256);
    for (issuer, subject) in [("", "a"), (issuer, ""), (issuer, "a\0"), (issuer, &long)] {
        assert!(
            ForeignIdentity::new(issuer, subject).is_err(),
            "{subject:?}"
        );
    }
}
