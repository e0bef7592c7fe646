use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const ID: u8 = 7;
const ISSUED: i64 = 1_000;
const VERSION: i64 = 5;

fn key(id: u8) -> FeedKey {
    [id; 16]
}

fn subject() -> Subject {
    Subject {
        session: Some(key(ID)),
        user: key(ID),
        token: key(ID),
        client: key(ID),
        key: key(ID),
        version: Some(VERSION),
        issued_at: ISSUED,
    }
}

fn found(kind: Kind, id: u8, subject: &Subject) -> bool {
    let verdicts = [Effect::Revoked, Effect::Stale].map(|effect| {
        let set = RevocationSet::new();
        set.apply(&Entry {
            kind,
            key: key(id),
            effect,
            until: 2_000,
        });
        let hit = set.find(subject);
        assert!(hit.is_none_or(|hit| hit == Hit { effect, kind }));
        hit.is_some()
    });
    assert_eq!(
        verdicts[0], verdicts[1],
        "{kind:?} must hit alike with either effect"
    );
    verdicts[0]
}

#[test]
fn kinds_do_not_share_keys() {
    let others = Subject {
        session: Some(key(0)),
        user: key(1),
        token: key(2),
        client: key(3),
        key: key(4),
        ..subject()
    };
    let named = [
        (Kind::Session, 0),
        (Kind::User { below: VERSION + 1 }, 1),
        (Kind::Token, 2),
        (Kind::Client { before: ISSUED }, 3),
        (Kind::Key, 4),
    ];
    for (kind, own) in named {
        for id in 0..5 {
            assert_eq!(found(kind, id, &others), id == own, "{kind:?} {id}");
        }
    }
}

#[test]
fn revoked_goes_before_stale() {
    let set = RevocationSet::new();
    let session = Entry {
        kind: Kind::Session,
        key: key(ID),
        effect: Effect::Stale,
        until: 2_000,
    };
    set.apply(&session);
    set.apply(&Entry {
        kind: Kind::All { before: ISSUED },
        effect: Effect::Revoked,
        ..session
    });
    assert_eq!(
        set.find(&subject()).map(|hit| hit.effect),
        Some(Effect::Revoked)
    );
    assert_eq!(set.len(), 2);
}

#[test]
fn an_until_that_does_not_fit_is_kept_for_ever() {
    let set = RevocationSet::new();
    set.apply(&Entry {
        kind: Kind::Session,
        key: key(ID),
        effect: Effect::Revoked,
        until: i64::MAX,
    });
    assert_eq!(set.expire(i64::MAX), 0);
    assert!(set.find(&subject()).is_some());
    set.apply(&Entry {
        kind: Kind::Token,
        key: key(ID),
        effect: Effect::Revoked,
        until: i64::MIN,
    });
    assert_eq!(set.expire(1), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Apply(Entry),
    Replace(Vec<Entry>),
    Expire(i64),
}

fn entries() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![
        Just(Kind::Session),
        Just(Kind::Token),
        Just(Kind::Key),
        (0..4_i64).prop_map(|below| Kind::User { below }),
        (0..4_i64).prop_map(|before| Kind::Client { before }),
        (0..4_i64).prop_map(|before| Kind::All { before }),
    ];
    let effect = prop_oneof![Just(Effect::Revoked), Just(Effect::Stale)];
    (kind, 0..24_u8, effect, 1..20_i64).prop_map(|(kind, id, effect, until)| Entry {
        kind,
        key: key(id),
        effect,
        until,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => entries().prop_map(Step::Apply),
        1 => prop::collection::vec(entries(), 0..40).prop_map(Step::Replace),
        1 => (0..20_i64).prop_map(Step::Expire),
    ];
    prop::collection::vec(step, 0..120)
}

fn subjects() -> impl Strategy<Value = Subject> {
    let key = || (0..24_u8).prop_map(key);
    let ids = (prop::option::of(key()), key(), key(), key(), key());
    (ids, prop::option::of(0..4_i64), 0..5_i64).prop_map(
        |((session, user, token, client, key), version, issued_at)| Subject {
            session,
            user,
            token,
            client,
            key,
            version,
            issued_at,
        },
    )
}

/// The contract in its plainest form: one row for a subject and effect, searched from end to end.
#[derive(Default)]
struct Model(HashMap<(&'static str, FeedKey, Effect), (i64, i64)>);

impl Model {
    fn apply(&mut self, entry: &Entry) {
        let (bound, key) = match entry.kind {
            Kind::User { below } => (below, entry.key),
            Kind::Client { before } => (before, entry.key),
            Kind::All { before } => (before, key(0)),
            Kind::Session | Kind::Token | Kind::Key => (0, entry.key),
        };
        let row = self
            .0
            .entry((entry.kind.as_str(), key, entry.effect))
            .or_insert((bound, entry.until));
        *row = (row.0.max(bound), row.1.max(entry.until));
    }

    fn effect(&self, subject: &Subject) -> Option<Effect> {
        let hits = |effect: Effect| {
            self.0.iter().any(|((kind, key, of), (bound, _))| {
                let by_name = match *kind {
                    "session" => subject.session == Some(*key),
                    "token" => subject.token == *key,
                    "key" => subject.key == *key,
                    "user" => {
                        subject.user == *key
                            && subject.version.is_none_or(|version| version < *bound)
                    }
                    "client" => subject.client == *key && subject.issued_at <= *bound,
                    _ => subject.issued_at <= *bound,
                };
                *of == effect && by_name
            })
        };
        [Effect::Revoked, Effect::Stale]
            .into_iter()
            .find(|effect| hits(*effect))
    }
}

proptest! {
    #[test]
    fn does_what_the_model_does(steps in steps(), subjects in prop::collection::vec(subjects(), 1..40)) {
        let set = RevocationSet::new();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Apply(entry) => {
                    set.apply(&entry);
                    model.apply(&entry);
                }
                Step::Replace(snapshot) => {
                    model = Model::default();
                    snapshot.iter().for_each(|entry| model.apply(entry));
                    set.replace(snapshot);
                }
                Step::Expire(now) => {
                    let before = model.0.len();
                    model.0.retain(|_, (_, until)| *until > now);
                    prop_assert_eq!(set.expire(now), before - model.0.len());
                }
            }
            prop_assert_eq!(set.len(), model.0.len());
            for subject in &subjects {
                prop_assert_eq!(set.find(subject).map(|hit| hit.effect), model.effect(subject));
            }
        }
    }

    #[test]
    fn order_and_repetition_do_not_matter(
        (entries, shuffled) in prop::collection::vec(entries(), 0..60).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        subjects in prop::collection::vec(subjects(), 1..40),
        now in 0..20_i64,
    ) {
        let (once, again) = (RevocationSet::new(), RevocationSet::new());
        entries.iter().for_each(|entry| once.apply(entry));
        entries.iter().chain(&shuffled).rev().for_each(|entry| again.apply(entry));
        prop_assert_eq!(once.expire(now), again.expire(now));
        for subject in &subjects {
            prop_assert_eq!(once.find(subject), again.find(subject));
        }
    }
}
