use symbolon_domain::{DisplayName, Email, Roles, User, UserStatus, Username};
use symbolon_store::Error;

use crate::harness::{Place, admin, at, commit, on_every_engine, user, user_id};

on_every_engine!(
    what_is_inserted_is_found,
    addresses_and_names_are_unique,
    a_profile_is_compared_and_set,
    each_change_is_compared_and_set,
    a_login_leaves_the_version,
    users_are_listed_in_pages,
    a_deleted_user_is_gone,
    the_last_admin_is_kept,
    two_admins_do_not_remove_each_other,
);

async fn what_is_inserted_is_found(place: &Place) {
    let store = place.open().await;
    let full = User {
        name: Some(DisplayName::parse("Zoë \u{1F600} O'Neil; --").unwrap()),
        roles: Roles::parse("admin orders:read user").unwrap(),
        status: UserStatus::Disabled,
        email_verified: true,
        token_version: i64::MAX,
        version: 3,
        updated_at: at(i64::MAX),
        ..user(1)
    };
    let bare = User {
        username: None,
        roles: Roles::default(),
        ..user(2)
    };
    commit!(
        store,
        insert_user(&full, Some("$hash")),
        insert_user(&bare, None)
    )
    .unwrap();

    assert_eq!(store.find_user(full.id).await.unwrap().unwrap(), full);
    let found = store
        .find_user_by_email("user1@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.user, found.password_hash.as_deref()),
        (full.clone(), Some("$hash"))
    );
    let found = store.find_user_by_username("user1").await.unwrap().unwrap();
    assert_eq!(found.user, full);
    let found = store.find_credentials(bare.id).await.unwrap().unwrap();
    assert_eq!((found.user, found.password_hash), (bare, None));

    assert_eq!(store.find_user(user_id(3)).await.unwrap(), None);
    assert_eq!(store.find_credentials(user_id(3)).await.unwrap(), None);
    assert_eq!(
        store.find_user_by_email("User1@Example.com").await.unwrap(),
        None,
        "not the key"
    );
    assert_eq!(
        store.find_user_by_username("' OR 1=1 --").await.unwrap(),
        None
    );
}

async fn addresses_and_names_are_unique(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    let same_address = User {
        email: Email::parse("uSER1@example.COM").unwrap(),
        ..user(2)
    };
    let same_name = User {
        username: Some(Username::parse("USER1").unwrap()),
        ..user(2)
    };
    let same_id = User {
        id: user_id(1),
        ..user(2)
    };
    for (second, conflict) in [
        (same_address, "email"),
        (same_name, "username"),
        (same_id, "user_id"),
    ] {
        let refused = commit!(store, insert_user(&second, None));
        assert!(
            matches!(refused, Err(Error::Conflict(name)) if name == conflict),
            "{refused:?}"
        );
    }
    // Users without a name do not take it from each other.
    let nameless = |number| User {
        username: None,
        ..user(number)
    };
    commit!(
        store,
        insert_user(&nameless(2), None),
        insert_user(&nameless(3), None)
    )
    .unwrap();

    let renamed = User {
        username: Some(Username::parse("user1").unwrap()),
        version: 2,
        ..user(2)
    };
    assert!(matches!(
        commit!(store, update_profile(&renamed)),
        Err(Error::Conflict("username"))
    ));
}

async fn a_profile_is_compared_and_set(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_user(&user(1), Some("$hash"))).unwrap();
    let changed = User {
        email: Email::parse("other@example.com").unwrap(),
        username: None,
        name: Some(DisplayName::parse("Other").unwrap()),
        email_verified: true,
        version: 2,
        updated_at: at(2_000),
        ..user(1)
    };
    commit!(store, update_profile(&changed)).unwrap();
    assert_eq!(store.find_user(changed.id).await.unwrap().unwrap(), changed);
    assert!(
        store
            .find_user_by_email("other@example.com")
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_user_by_email("user1@example.com")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .find_user_by_username("user1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        matches!(commit!(store, update_profile(&changed)), Err(Error::Stale)),
        "decided on version 1"
    );
}

async fn each_change_is_compared_and_set(place: &Place) {
    let store = place.open().await;
    let id = user_id(1);
    let roles = Roles::parse("admin").unwrap();
    commit!(
        store,
        insert_user(&user(1), Some("$old")),
        insert_user(&user(2), Some("$other"))
    )
    .unwrap();
    commit!(store, update_password(id, 1, "$new", at(2))).unwrap();
    commit!(store, update_roles(id, 2, &roles, at(3))).unwrap();
    commit!(store, update_status(id, 3, UserStatus::Disabled, at(4))).unwrap();
    commit!(store, bump_token_version(id, 4, at(5))).unwrap();
    let expected = User {
        roles: roles.clone(),
        status: UserStatus::Disabled,
        token_version: 2,
        version: 5,
        updated_at: at(5),
        ..user(1)
    };
    let found = store.find_credentials(id).await.unwrap().unwrap();
    assert_eq!(
        (&found.user, found.password_hash.as_deref()),
        (&expected, Some("$new"))
    );

    for refused in [
        commit!(store, update_password(id, 4, "$x", at(9))),
        commit!(store, update_roles(id, 4, &Roles::default(), at(9))),
        commit!(store, update_status(id, 4, UserStatus::Active, at(9))),
        commit!(store, bump_token_version(id, 4, at(9))),
        commit!(store, bump_token_version(user_id(9), 1, at(9))),
        commit!(store, delete_user(id, 4)),
    ] {
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    assert_eq!(store.find_credentials(id).await.unwrap().unwrap(), found);
    assert_eq!(
        store.find_user(user_id(2)).await.unwrap().unwrap(),
        user(2),
        "a bystander"
    );

    // Several in one batch count on.
    commit!(
        store,
        update_status(id, 5, UserStatus::Active, at(6)),
        bump_token_version(id, 6, at(6))
    )
    .unwrap();
    assert_eq!(store.find_user(id).await.unwrap().unwrap().version, 7);
}

async fn a_login_leaves_the_version(place: &Place) {
    let store = place.open().await;
    let id = user_id(1);
    commit!(store, insert_user(&user(1), Some("$old"))).unwrap();
    commit!(store, record_login(id, 1, at(5), None)).unwrap();
    commit!(store, record_login(id, 1, at(6), Some("$costlier"))).unwrap();
    let found = store.find_credentials(id).await.unwrap().unwrap();
    assert_eq!(
        (found.user, found.password_hash.as_deref()),
        (user(1), Some("$costlier"))
    );
    for rehash in [None, Some("$late")] {
        assert!(matches!(
            commit!(store, record_login(id, 2, at(7), rehash)),
            Err(Error::Stale)
        ));
    }
}

async fn users_are_listed_in_pages(place: &Place) {
    let store = place.open().await;
    for number in (1..=7).rev() {
        commit!(store, insert_user(&user(number), None)).unwrap();
    }
    let ids = async |limit, after| -> Vec<_> {
        store
            .list_users(limit, after)
            .await
            .unwrap()
            .iter()
            .map(|user| user.id)
            .collect()
    };
    let all: Vec<_> = (1..=7).map(user_id).collect();
    assert_eq!(ids(1_000, None).await, all);
    assert_eq!(ids(3, None).await, all[..3]);
    assert_eq!(ids(3, Some(all[2])).await, all[3..6]);
    assert_eq!(ids(3, Some(all[5])).await, all[6..]);
    assert_eq!(ids(3, Some(all[6])).await, []);
    assert_eq!(ids(0, None).await, []);
}

async fn a_deleted_user_is_gone(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&admin(1), None),
        insert_user(&admin(2), None)
    )
    .unwrap();
    assert_eq!(store.count_other_admins(user_id(2)).await.unwrap(), 1);
    commit!(store, delete_user(user_id(1), 1)).unwrap();
    assert_eq!(store.find_user(user_id(1)).await.unwrap(), None);
    assert_eq!(store.count_other_admins(user_id(2)).await.unwrap(), 0);
    assert!(matches!(
        commit!(store, delete_user(user_id(1), 1)),
        Err(Error::Stale)
    ));
    // Address, name and id are free again.
    commit!(store, insert_user(&admin(1), None)).unwrap();
}

async fn the_last_admin_is_kept(place: &Place) {
    let store = place.open().await;
    let disabled = User {
        status: UserStatus::Disabled,
        ..admin(2)
    };
    commit!(
        store,
        insert_user(&admin(1), None),
        insert_user(&disabled, None),
        insert_user(&user(3), None)
    )
    .unwrap();
    assert_eq!(store.count_other_admins(user_id(1)).await.unwrap(), 0);
    assert_eq!(store.count_other_admins(user_id(3)).await.unwrap(), 1);
    let removal = commit!(
        store,
        require_other_admin(user_id(1)),
        delete_user(user_id(1), 1)
    );
    assert!(matches!(removal, Err(Error::Stale)), "{removal:?}");
    assert!(store.find_user(user_id(1)).await.unwrap().is_some());

    let roles = admin(3).roles;
    commit!(store, update_roles(user_id(3), 1, &roles, at(2))).unwrap();
    commit!(
        store,
        require_other_admin(user_id(1)),
        delete_user(user_id(1), 1)
    )
    .unwrap();
    let user_again = Roles::parse("user").unwrap();
    let demotion = commit!(
        store,
        require_other_admin(user_id(3)),
        update_roles(user_id(3), 2, &user_again, at(3))
    );
    assert!(matches!(demotion, Err(Error::Stale)), "{demotion:?}");
}

async fn two_admins_do_not_remove_each_other(place: &Place) {
    let store = place.open().await;
    for round in 0..20 {
        let (one, two) = (2 * round + 1, 2 * round + 2);
        commit!(
            store,
            insert_user(&admin(one), None),
            insert_user(&admin(two), None)
        )
        .unwrap();
        let remove = |number| {
            let store = store.clone();
            tokio::spawn(async move {
                commit!(
                    store,
                    require_other_admin(user_id(number)),
                    delete_user(user_id(number), 1)
                )
            })
        };
        let (first, second) = (remove(one), remove(two));
        let outcomes = [first.await.unwrap(), second.await.unwrap()];
        let removed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let stale = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(Error::Stale)))
            .count();
        assert_eq!((removed, stale), (1, 1), "{outcomes:?}");
        let left = if outcomes[0].is_ok() { two } else { one };
        commit!(store, delete_user(user_id(left), 1)).unwrap();
    }
}
