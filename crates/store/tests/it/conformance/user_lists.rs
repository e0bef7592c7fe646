use symbolon_domain::{Email, RoleName, Roles, User, UserStatus, Username};
use symbolon_store::{Slice, Store, UserRange};

use crate::harness::{Place, at, commit, on_every_engine, user, user_id};

on_every_engine!(
    every_list_has_every_page_in_order,
    a_prefix_is_compared_by_bytes,
    a_last_sign_in_is_noted,
);

/// All of a list, two rows at a time, as the numbers in the users' names.
async fn walk(store: &Store, range: &UserRange, descending: bool) -> Vec<u16> {
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let slice = Slice {
            descending,
            after: after.as_ref(),
            limit: 2,
        };
        let rows = store.list_user_rows(range, slice).await.unwrap();
        let Some(last) = rows.last() else {
            return found;
        };
        after = Some(range.position(&last.user));
        found.extend(rows.iter().map(|row| number(&row.user)));
    }
}

fn number(user: &User) -> u16 {
    (1..10).find(|number| user.id == user_id(*number)).unwrap()
}

async fn every_list_has_every_page_in_order(place: &Place) {
    let store = place.open().await;
    for number in 1..=7 {
        let user = User {
            // Two of each moment.
            created_at: at(i64::from(number / 2) * 100),
            status: match number {
                2 | 5 | 6 => UserStatus::Disabled,
                _ => UserStatus::Active,
            },
            roles: match number {
                1 | 3 | 4 => Roles::parse("admin user").unwrap(),
                _ => Roles::parse("user").unwrap(),
            },
            username: (number != 3).then(|| Username::parse(&format!("name{number}")).unwrap()),
            ..user(number)
        };
        commit!(store, insert_user(&user, None)).unwrap();
    }
    let created = |status, after, before| UserRange::Created {
        status,
        after: at(after),
        before: at(before),
    };
    let disabled = Some(UserStatus::Disabled);
    for (range, expected) in [
        (created(None, -1, i64::MAX), vec![1, 2, 3, 4, 5, 6, 7]),
        (created(None, 0, 300), vec![2, 3, 4, 5]),
        (created(disabled, -1, i64::MAX), vec![2, 5, 6]),
        (created(disabled, 100, 300), vec![5]),
        (
            UserRange::Email("user".to_owned()),
            vec![1, 2, 3, 4, 5, 6, 7],
        ),
        (UserRange::Email("user4@example.com".to_owned()), vec![4]),
        (UserRange::Email("zoe".to_owned()), vec![]),
        (UserRange::Username(String::new()), vec![1, 2, 4, 5, 6, 7]),
        (UserRange::Role(RoleName::ADMIN), vec![1, 3, 4]),
    ] {
        assert_eq!(walk(&store, &range, false).await, expected, "{range:?}");
        let backwards: Vec<_> = expected.into_iter().rev().collect();
        assert_eq!(walk(&store, &range, true).await, backwards, "{range:?}");
    }
}

/// Not as a language orders them: the next page of a list must begin where this one ends, whatever the database.
async fn a_prefix_is_compared_by_bytes(place: &Place) {
    let store = place.open().await;
    for (number, address) in ["a_b@x.com", "a-b@x.com", "ab@x.com", "ä@x.com", "a.b@x.com"]
        .iter()
        .enumerate()
    {
        let user = User {
            email: Email::parse(address).unwrap(),
            ..user(u16::try_from(number).unwrap() + 1)
        };
        commit!(store, insert_user(&user, None)).unwrap();
    }
    let all = UserRange::Email(String::new());
    assert_eq!(walk(&store, &all, false).await, [2, 5, 1, 3, 4]);
    assert_eq!(
        walk(&store, &UserRange::Email("a".to_owned()), true).await,
        [3, 1, 5, 2]
    );
    assert_eq!(
        walk(&store, &UserRange::Email("a-".to_owned()), false).await,
        [2]
    );
    // Nothing in it is a pattern.
    assert_eq!(
        walk(&store, &UserRange::Email("%".to_owned()), false).await,
        [] as [u16; 0]
    );
}

async fn a_last_sign_in_is_noted(place: &Place) {
    let store = place.open().await;
    let user = user(1);
    commit!(store, insert_user(&user, None)).unwrap();
    let row = store.find_user_row(user.id).await.unwrap().unwrap();
    assert_eq!((row.user, row.last_login_at), (user.clone(), None));
    commit!(store, record_login(user.id, 1, at(5), None)).unwrap();
    let row = store.find_user_row(user.id).await.unwrap().unwrap();
    assert_eq!(row.last_login_at, Some(at(5)));
    assert_eq!(store.find_user_row(user_id(2)).await.unwrap(), None);
}
