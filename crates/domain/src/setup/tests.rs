use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{ClientStatus, DisplayName, Grant, Timestamp};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn name(text: &str) -> RoleName {
    RoleName::parse(text).unwrap()
}

fn entry(permissions: &str, includes: &str) -> RoleEntry {
    RoleEntry {
        description: String::new(),
        permissions: Permissions::parse(permissions).unwrap(),
        includes: Roles::parse(includes).unwrap(),
    }
}

fn client(roles: &str, secret: Option<u8>) -> ClientEntry {
    ClientEntry {
        kind: ClientType::Confidential,
        definition: ClientDefinition {
            roles: Roles::parse(roles).unwrap(),
            ..ClientDefinition::new(DisplayName::parse("App").unwrap(), ClientType::Confidential)
        },
        secret: secret.map(chosen),
    }
}

fn chosen(number: u8) -> ChosenSecret {
    ChosenSecret {
        digest: Digest::new([number; 32]),
        hint: format!("{number:04}"),
    }
}

fn builtin() -> Present {
    let role = |name: RoleName, permissions| Role {
        builtin: true,
        ..role_of(&name, &entry(permissions, ""), None)
    };
    let roles = [role(RoleName::ADMIN, "*"), role(RoleName::USER, "")];
    Present {
        roles: roles.map(|role| (role.name.clone(), role)).into(),
        ..Present::default()
    }
}

/// What is there after the steps, as the store would have it.
fn after(mut present: Present, steps: &[Step]) -> Present {
    for step in steps.iter().cloned() {
        match step {
            Step::Setting {
                name, value: None, ..
            } => drop(present.settings.remove(&name)),
            Step::Setting {
                name,
                value: Some(value),
                ..
            } => {
                present.settings.insert(name, value);
            }
            Step::AddRole { name, entry } => {
                present
                    .roles
                    .insert(name.clone(), role_of(&name, &entry, None));
            }
            Step::ChangeRole { former, entry } => {
                let role = role_of(&former.name, &entry, Some(&former));
                present.roles.insert(former.name, role);
            }
            Step::DeleteRole(role) => drop(present.roles.remove(&role.name)),
            Step::AddClient { id, entry } => {
                let client = Client {
                    id: id.clone(),
                    kind: entry.kind,
                    definition: entry.definition,
                    secrets: entry.secret.into_iter().map(kept).collect(),
                    version: 1,
                    created_at: at(1),
                    updated_at: at(1),
                };
                present.clients.insert(id, client);
            }
            Step::ChangeClient {
                former,
                definition,
                added,
                dropped,
            } => {
                let mut client = Client {
                    definition,
                    ..*former
                };
                client.secrets.retain(|secret| !dropped.contains(secret));
                client.secrets.extend(added.map(kept));
                present.clients.insert(client.id.clone(), client);
            }
            Step::DeleteClient(client) => drop(present.clients.remove(&client.id)),
        }
    }
    present
}

fn kept(secret: ChosenSecret) -> ClientSecret {
    ClientSecret {
        id: Uuid::from_bytes([secret.digest.as_bytes()[0]; 16]),
        hint: secret.hint,
        digest: secret.digest,
        created_at: at(1),
    }
}

fn wanted(roles: &[(&str, &str)]) -> Wanted {
    let roles = roles
        .iter()
        .map(|(role, includes)| (name(role), entry("a:b", includes)));
    Wanted {
        roles: roles.collect(),
        ..Wanted::default()
    }
}

fn lines(steps: &[Step]) -> Vec<String> {
    let line = |step: &Step| format!("{} {}", step.change().act, step.change().thing);
    steps.iter().map(line).collect()
}

fn codes(wanted: &Wanted, present: &Present) -> Vec<(String, &'static str)> {
    let faults = steps(wanted, present, false).unwrap_err().into_iter();
    faults
        .map(|fault| (fault.thing.to_string(), fault.error.code))
        .collect()
}

#[test]
fn each_step_could_be_taken_alone() {
    let mut state = wanted(&[("a", "c"), ("b", ""), ("c", "b")]);
    state
        .clients
        .insert(ClientId::parse("app").unwrap(), client("a", None));
    state
        .settings
        .insert("registration.mode".to_owned(), "closed".to_owned());
    let made = steps(&state, &builtin(), false).unwrap();
    assert_eq!(
        lines(&made),
        [
            "add setting registration.mode",
            "add role b",
            "add role c",
            "add role a",
            "add client app"
        ]
    );
    let present = after(builtin(), &made);
    assert_eq!(
        lines(&steps(&Wanted::default(), &present, false).unwrap()),
        [] as [&str; 0]
    );
    let gone = steps(&Wanted::default(), &present, true).unwrap();
    assert_eq!(
        lines(&gone),
        [
            "delete setting registration.mode",
            "delete client app",
            "delete role a",
            "delete role c",
            "delete role b"
        ]
    );
    assert_eq!(after(present, &gone), builtin());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut state = wanted(&[("a", "b"), ("b", "a"), ("c", "gone"), ("admin", "")]);
    let id = |text: &str| ClientId::parse(text).unwrap();
    state.clients.insert(id("app"), client("gone", None));
    let mut public = ClientEntry {
        kind: ClientType::Public,
        ..client("", Some(1))
    };
    public.definition.auth_method = crate::AuthMethod::None;
    state
        .clients
        .insert(id("0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b"), client("", None));
    state.clients.insert(id("page"), public.clone());
    assert_eq!(
        codes(&state, &builtin()),
        [
            ("role a".to_owned(), "role_cycle"),
            ("role admin".to_owned(), "role_builtin"),
            ("role b".to_owned(), "role_cycle"),
            ("role c".to_owned(), "role_unknown"),
            (
                "client 0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b".to_owned(),
                "client_id_reserved",
            ),
            ("client app".to_owned(), "role_unknown"),
            ("client page".to_owned(), "secret_of_public"),
        ]
    );
    let mut state = Wanted::default();
    state.clients.insert(id("app"), client("", None));
    let present = after(builtin(), &steps(&state, &builtin(), false).unwrap());
    state.clients.insert(
        id("app"),
        ClientEntry {
            secret: None,
            ..public
        },
    );
    assert_eq!(
        codes(&state, &present),
        [("client app".to_owned(), "client_type_fixed")]
    );
}

#[test]
fn a_role_that_another_one_includes_is_not_pruned_from_under_it() {
    let present = after(
        builtin(),
        &steps(&wanted(&[("a", "b"), ("b", "")]), &builtin(), false).unwrap(),
    );
    let faults = steps(&wanted(&[("a", "b")]), &present, true).unwrap_err();
    assert_eq!(faults[0].error.code, "role_unknown");
}

#[test]
fn secrets_are_added_and_go_only_when_pruned() {
    let id = ClientId::parse("app").unwrap();
    let with = |secret| Wanted {
        clients: BTreeMap::from([(id.clone(), client("", secret))]),
        ..Wanted::default()
    };
    let mut present = builtin();
    for secret in [Some(1), Some(1), None, Some(2)] {
        present = after(
            present.clone(),
            &steps(&with(secret), &present, false).unwrap(),
        );
    }
    let count = |present: &Present| present.clients[&id].secrets.len();
    assert_eq!(count(&present), 2);
    assert_eq!(
        codes(&with(Some(3)), &present),
        [("client app".to_owned(), "too_many_secrets")]
    );
    let pruned = steps(&with(Some(3)), &present, true).unwrap();
    let change = pruned[0].change();
    let shown: Vec<_> = change
        .fields
        .iter()
        .map(|one| {
            let text = |value: &Option<FieldValue>| value.as_ref().map(ToString::to_string);
            (one.field, text(&one.former), text(&one.value))
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        shown,
        [
            ("secret", text("…0001"), None),
            ("secret", text("…0002"), None),
            ("secret", None, text("…0003"))
        ]
    );
    assert_eq!(count(&after(present.clone(), &pruned)), 1);
    let kept = steps(&with(None), &present, true).unwrap();
    assert_eq!(kept, [], "who names none leaves them alone");
}

use crate::FieldValue;

/// Any state of a few roles and clients, sound or not.
fn any_wanted() -> impl Strategy<Value = Wanted> {
    let subset =
        |names: &'static [&'static str]| proptest::sample::subsequence(names, 0..=names.len());
    let roles = proptest::collection::btree_map(
        proptest::sample::select(vec!["a", "b", "c", "d"]),
        (subset(&["x:y", "x:z"]), subset(&["a", "b", "c"])),
        0..4,
    );
    let clients = proptest::collection::btree_map(
        proptest::sample::select(vec!["app", "web"]),
        (
            subset(&["a", "b", "user"]),
            proptest::option::of(0..3_u8),
            any::<bool>(),
        ),
        0..3,
    );
    let settings = proptest::collection::btree_map("[ab]", "[xy]", 0..3);
    (settings, roles, clients).prop_map(|(settings, roles, clients)| Wanted {
        settings,
        roles: roles
            .into_iter()
            .map(|(role, (permissions, includes))| {
                // Those before it only, so that most states are sound.
                let includes: Vec<_> = includes.into_iter().filter(|one| *one < role).collect();
                (
                    name(role),
                    entry(&permissions.join(" "), &includes.join(" ")),
                )
            })
            .collect(),
        clients: clients
            .into_iter()
            .map(|(id, (roles, secret, active))| {
                let mut entry = client(&roles.join(" "), secret);
                if !active {
                    entry.definition.status = ClientStatus::Disabled;
                    entry.definition.grants.insert(Grant::ClientCredentials);
                }
                (ClientId::parse(id).unwrap(), entry)
            })
            .collect(),
    })
}

/// An installation that any state was applied to, if it was sound.
fn any_present() -> impl Strategy<Value = Present> {
    any_wanted().prop_map(|wanted| match steps(&wanted, &builtin(), false) {
        Ok(steps) => after(builtin(), &steps),
        Err(_) => builtin(),
    })
}

proptest! {
    #[test]
    fn what_is_exported_changes_nothing(present in any_present(), prune: bool) {
        prop_assert_eq!(steps(&Wanted::of(&present), &present, prune), Ok(Vec::new()));
    }

    #[test]
    fn the_same_state_twice_changes_nothing_the_second_time(
        wanted in any_wanted(), present in any_present(), prune: bool,
    ) {
        if let Ok(first) = steps(&wanted, &present, prune) {
            let there = after(present, &first);
            prop_assert_eq!(steps(&wanted, &there, prune), Ok(Vec::new()));
        }
    }

    #[test]
    fn nothing_goes_that_was_not_to_be_pruned(wanted in any_wanted(), present in any_present()) {
        for step in steps(&wanted, &present, false).unwrap_or_default() {
            prop_assert_ne!(step.change().act, Act::Delete);
        }
    }

    #[test]
    fn pruned_there_is_what_was_wanted_and_nothing_else(wanted in any_wanted(), present in any_present()) {
        if let Ok(steps) = steps(&wanted, &present, true) {
            let there = after(present, &steps);
            let mut bare = wanted;
            for client in bare.clients.values_mut() {
                client.secret = None;
            }
            prop_assert_eq!(Wanted::of(&there), bare);
            prop_assert!(there.roles.contains_key(&RoleName::ADMIN) && there.roles.contains_key(&RoleName::USER));
        }
    }

    /// Whatever is done before a step, the roles that it names are there.
    #[test]
    fn every_step_finds_the_roles_that_it_names(wanted in any_wanted(), present in any_present(), prune: bool) {
        let Ok(steps) = steps(&wanted, &present, prune) else {
            return Ok(());
        };
        let mut there = present;
        for step in &steps {
            there = after(there, std::slice::from_ref(step));
            let includes = there.roles.values().flat_map(|role| role.includes.iter());
            let given = there.clients.values().flat_map(|client| client.definition.roles.iter());
            for role in includes.chain(given) {
                prop_assert!(there.roles.contains_key(role), "{role} is missing after {step:?}");
            }
        }
    }
}
