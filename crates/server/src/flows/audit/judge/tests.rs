use symbolon_domain::Timestamp;
use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_store::{AuditLine, ChainRow, chain_origin, follow};
use uuid::Uuid;

use super::*;

/// A chain of so many lines.
fn chain(count: i64) -> Vec<ChainRow> {
    let mut before = chain_origin();
    let rows = (1..=count).map(|seq| {
        let event = AuditEvent::new(Timestamp::from_millis(seq), AuditKind::LoginSucceeded);
        let line = AuditLine::new(Uuid::from_u128(seq.unsigned_abs().into()), &event);
        before = follow(&before, &line.digest());
        ChainRow {
            seq,
            line: Some((line, before)),
        }
    });
    rows.collect()
}

fn judged(rows: &[ChainRow]) -> Option<Finding> {
    let mut judge = Judge::behind((0, chain_origin()));
    let step = |(index, row)| {
        let mismatch: Mismatch = judge.step(row).err()?;
        Some(mismatch.explain(rows.get(index + 1)))
    };
    rows.iter().enumerate().find_map(step)
}

fn found(rows: &[ChainRow]) -> (i64, Wrong) {
    let finding = judged(rows).unwrap();
    (finding.seq, finding.wrong)
}

#[test]
fn what_was_written_is_good() {
    for count in 0..5 {
        assert_eq!(judged(&chain(count)), None);
    }
}

#[test]
fn every_field_of_a_line_counts() {
    let changes: [fn(&mut AuditLine); 10] = [
        |line| line.id = Uuid::from_u128(9),
        |line| line.at = Timestamp::from_millis(9),
        |line| line.kind = "login_failed".into(),
        |line| line.actor = Some(Uuid::nil()),
        |line| line.subject = Some(Uuid::nil()),
        |line| line.session = Some(Uuid::nil()),
        |line| line.address = Some(String::new()),
        |line| line.user_agent = Some(String::new()),
        |line| line.request_id = Some(String::new()),
        |line| line.detail = Some(String::new()),
    ];
    let mut digests = vec![chain(1)[0].line.as_ref().unwrap().0.digest()];
    for change in changes {
        let mut rows = chain(4);
        let line = &mut rows[1].line.as_mut().unwrap().0;
        change(line);
        assert!(!digests.contains(&line.digest()), "{line:?}");
        digests.push(line.digest());
        assert_eq!(found(&rows), (2, Wrong::Changed), "{:?}", rows[1]);
    }
}

#[test]
fn what_is_wrong_is_told_apart() {
    let mut unreadable = chain(4);
    unreadable[3].line = None;
    assert_eq!(found(&unreadable), (4, Wrong::Changed));

    let mut missing = chain(6);
    missing.drain(1..4);
    assert_eq!(found(&missing), (2, Wrong::Missing(4)));

    let mut twice = chain(3);
    twice.insert(2, twice[1].clone());
    assert_eq!(found(&twice), (2, Wrong::Inserted));

    let mut inserted = chain(3);
    inserted.insert(1, chain(9)[8].clone());
    for (seq, row) in (1..).zip(&mut inserted) {
        row.seq = seq;
    }
    assert_eq!(found(&inserted), (2, Wrong::Inserted));

    // Lines with their chain, and contents alone.
    let mut rows = chain(4);
    let (second, third) = (rows[1].line.clone(), rows[2].line.clone());
    (rows[1].line, rows[2].line) = (third.clone(), second.clone());
    assert_eq!(found(&rows), (2, Wrong::Reordered));
    let mut contents = chain(4);
    let exchanged = third.zip(second).unwrap();
    contents[1].line.as_mut().unwrap().0 = exchanged.0.0;
    contents[2].line.as_mut().unwrap().0 = exchanged.1.0;
    assert_eq!(found(&contents), (2, Wrong::Reordered));
}

#[test]
fn fields_do_not_run_into_each_other() {
    let line = |address: Option<&str>, user_agent: Option<&str>| {
        let mut line = chain(1)[0].line.clone().unwrap().0;
        line.address = address.map(ToOwned::to_owned);
        line.user_agent = user_agent.map(ToOwned::to_owned);
        line.digest()
    };
    assert_ne!(line(Some("ab"), Some("c")), line(Some("a"), Some("bc")));
    assert_ne!(line(Some("ab"), None), line(None, Some("ab")));
    assert_ne!(line(Some(""), None), line(None, None));
}
