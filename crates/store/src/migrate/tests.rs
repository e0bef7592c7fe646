use super::*;

fn step(number: i64, text: &'static str) -> Migration {
    Migration {
        number,
        name: "step",
        text,
        needs: 1,
    }
}

fn applied(migration: &Migration) -> Applied {
    Applied {
        number: migration.number,
        name: migration.name.to_owned(),
        digest: migration.digest(),
        needs: migration.needs,
    }
}

fn numbers(known: &[Migration], done: &[Applied]) -> Vec<i64> {
    pending(known, done)
        .unwrap()
        .map(|step| step.number)
        .collect()
}

#[test]
fn what_is_missing_is_pending_in_order() {
    let known = [step(1, "a"), step(2, "b"), step(3, "c")];
    assert_eq!(numbers(&known, &[]), [1, 2, 3]);
    assert_eq!(numbers(&known, &[applied(&known[0])]), [2, 3]);
    let all: Vec<_> = known.iter().map(applied).collect();
    assert_eq!(numbers(&known, &all), [] as [i64; 0]);
    assert_eq!(
        numbers(&known[..2], &all),
        [] as [i64; 0],
        "a newer step that needs no newer program"
    );
}

/// Programs of before go on beside a step only if it needs nothing that they do not know.
#[test]
fn whom_a_step_leaves_working() {
    let step = |number, needs| Migration {
        needs,
        ..step(number, "a")
    };
    let known = [step(1, 1), step(2, 2), step(3, 1), step(4, 2), step(5, 3)];
    let before: Vec<_> = known[..2].iter().map(applied).collect();
    let steps = plan(&known, &before).unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|step| (step.number, step.former_goes_on))
        .collect();
    assert_eq!(steps, [(3, true), (4, true), (5, false)]);
}

#[test]
fn line_ends_are_no_change() {
    assert_eq!(step(1, "a\nb").digest(), step(1, "a\r\nb").digest());
    assert_ne!(step(1, "a\nb").digest(), step(1, "a\nc").digest());
    // Published vector of FNV-1a with 128 bits.
    assert_eq!(step(1, "a").digest(), "d228cb696f1a8caf78912b704e4a8964");
}

#[test]
fn released_steps_are_numbered_and_unchanged() {
    let known: Vec<_> = MIGRATIONS.iter().map(|step| step.number).collect();
    assert_eq!(known, (1..=known.len() as i64).collect::<Vec<_>>());
    assert!(MIGRATIONS.iter().all(|step| step.needs <= step.number));
}
