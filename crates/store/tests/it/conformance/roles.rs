use symbolon_domain::{Permissions, Role, RoleName, Roles};
use symbolon_store::{Announcement, Error, RoleState};

use crate::harness::{Place, at, commit, on_every_engine, user, user_id};

on_every_engine!(
    built_in_roles_are_there,
    a_role_is_kept_changed_and_deleted,
    what_is_given_or_built_in_is_not_deleted,
    every_change_needs_the_state_that_was_read,
    what_is_due_is_announced_once,
    whoever_lists_holders_learns_of_later_ones
);

fn role(name: &str) -> Role {
    Role {
        name: RoleName::parse(name).unwrap(),
        description: "Sells \u{fc}berall".to_owned(),
        permissions: Permissions::parse("orders:read orders:write").unwrap(),
        includes: Roles::parse("user").unwrap(),
        builtin: false,
        version: 1,
        created_at: at(5),
        updated_at: at(5),
    }
}

fn state(revision: i64, announced: i64) -> RoleState {
    RoleState {
        revision,
        announced,
        grants: 0,
    }
}

async fn built_in_roles_are_there(place: &Place) {
    let store = place.open().await;
    let roles = store.list_roles().await.unwrap();
    let names: Vec<_> = roles.iter().map(|role| role.name.clone()).collect();
    assert_eq!(names, [RoleName::ADMIN, RoleName::USER]);
    assert_eq!(roles[0].permissions, Permissions::Every);
    assert_eq!(roles[1].permissions, Permissions::default());
    for role in roles {
        assert!(role.builtin && role.created_at == at(0) && !role.description.is_empty());
    }
    assert_eq!(store.role_state().await.unwrap(), state(0, 0));

    commit!(store, insert_user(&user(1), None)).unwrap();
    let admin = Roles::parse("admin").unwrap();
    commit!(store, update_roles(user_id(1), 1, &admin, at(2))).unwrap();
    assert_eq!(store.count_other_admins(user_id(2)).await.unwrap(), 1);
}

async fn a_role_is_kept_changed_and_deleted(place: &Place) {
    let store = place.open().await;
    let clerk = role("clerk");
    commit!(store, insert_role(&clerk)).unwrap();
    assert_eq!(store.list_roles().await.unwrap()[1], clerk);
    let taken = commit!(store, insert_role(&clerk));
    assert!(matches!(taken, Err(Error::Conflict("role"))), "{taken:?}");

    let changed = Role {
        permissions: Permissions::Every,
        includes: Roles::default(),
        description: String::new(),
        ..clerk.clone()
    };
    commit!(store, update_role(&changed, at(9))).unwrap();
    let stored = store.list_roles().await.unwrap().swap_remove(1);
    assert_eq!((stored.version, stored.updated_at), (2, at(9)));
    assert_eq!(stored.permissions, Permissions::Every);
    assert!(stored.includes.is_empty() && stored.created_at == at(5));
    for verb in [
        commit!(store, update_role(&changed, at(10))),
        commit!(store, delete_role(&clerk.name, 1)),
    ] {
        assert!(matches!(verb, Err(Error::Stale)), "{verb:?}");
    }
    commit!(store, delete_role(&clerk.name, 2)).unwrap();
    assert_eq!(store.list_roles().await.unwrap().len(), 2);
}

async fn what_is_given_or_built_in_is_not_deleted(place: &Place) {
    let store = place.open().await;
    let clerk = role("clerk");
    commit!(store, insert_role(&clerk)).unwrap();
    let holders = async || store.list_role_holders(&clerk.name, 2).await.unwrap();
    assert_eq!(holders().await, []);
    let given = Roles::parse("clerk user").unwrap();
    for number in 1..=3 {
        commit!(store, insert_user(&user(number), None)).unwrap();
        commit!(store, update_roles(user_id(number), 1, &given, at(2))).unwrap();
    }
    assert_eq!(holders().await, [user_id(1), user_id(2)]);
    for name in [&clerk.name, &RoleName::ADMIN, &RoleName::USER] {
        let refused = commit!(store, delete_role(name, 1));
        assert!(matches!(refused, Err(Error::Stale)), "{name}: {refused:?}");
    }
    let builtin = Role {
        name: RoleName::USER,
        ..clerk
    };
    let refused = commit!(store, update_role(&builtin, at(3)));
    assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
}

async fn every_change_needs_the_state_that_was_read(place: &Place) {
    let store = place.open().await;
    let reloads = store.feed().await.unwrap().reloads;
    commit!(
        store,
        insert_role(&role("a")),
        raise_roles(0, Announcement::Made)
    )
    .unwrap();
    assert_eq!(store.role_state().await.unwrap(), state(1, 1));
    assert_eq!(store.feed().await.unwrap().reloads, reloads + 1);
    let late = commit!(
        store,
        insert_role(&role("b")),
        raise_roles(0, Announcement::Made)
    );
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    assert_eq!(store.list_roles().await.unwrap().len(), 3);
    commit!(store, require_roles(1)).unwrap();
    let late = commit!(store, insert_user(&user(1), None), require_roles(0));
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    commit!(
        store,
        insert_user(&user(1), None),
        require_user(user_id(1), 1)
    )
    .unwrap();
    let late = commit!(store, require_user(user_id(1), 2));
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
}

async fn what_is_due_is_announced_once(place: &Place) {
    let store = place.open().await;
    commit!(store, raise_roles(0, Announcement::Due)).unwrap();
    commit!(store, raise_roles(1, Announcement::Made)).unwrap();
    let due = store.role_state().await.unwrap();
    assert_eq!(due, state(2, 0), "a later one does not hide what is due");
    commit!(store, announce_roles(due)).unwrap();
    assert_eq!(store.role_state().await.unwrap(), state(2, 2));
    let again = commit!(store, announce_roles(due));
    assert!(matches!(again, Err(Error::Stale)), "{again:?}");
}

async fn whoever_lists_holders_learns_of_later_ones(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_role(&role("clerk")),
        insert_user(&user(1), None)
    )
    .unwrap();
    let before = store.role_state().await.unwrap();
    let builtin = Roles::parse("admin user").unwrap();
    commit!(store, update_roles(user_id(1), 1, &builtin, at(2))).unwrap();
    commit!(store, require_grants(before)).unwrap();
    let given = Roles::parse("clerk user").unwrap();
    commit!(store, update_roles(user_id(1), 2, &given, at(3))).unwrap();
    let late = commit!(
        store,
        require_grants(before),
        touch_role(&role("clerk").name)
    );
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    commit!(store, touch_role(&role("clerk").name)).unwrap();
    assert_eq!(store.list_roles().await.unwrap()[1].version, 2);
}
