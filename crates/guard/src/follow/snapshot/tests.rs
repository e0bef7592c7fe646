use proptest::prelude::*;
use symbolon_token::{encoding, feed_key};

use super::*;
use crate::entry::{Effect, Kind};

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(Frame, Vec<Entry>), Fault> {
    let (mut scanner, mut entries) = (Scanner::new(), Vec::new());
    for piece in pieces {
        scanner.read(piece, |entry| entries.push(entry))?;
    }
    Ok((scanner.finish()?, entries))
}

fn entry_json(number: u64) -> String {
    let key = encoding::encode(&feed_key("session", &number.to_string()));
    format!(
        r#"{{"seq":{number},"kind":"session","key":"{key}","effect":"revoked","until":{},"unknown":{{"x":["}}"]}}}}"#,
        100 + number
    )
}

fn snapshot(count: u64) -> String {
    let entries: Vec<String> = (1..=count).map(entry_json).collect();
    format!(
        r#"{{"epoch":"e1","note":"\"entries\":[{{","seq":{count}, "now":1790000000,"entries" : [ {} ],"more":[{{"entries":[1]}}]}}"#,
        entries.join(" ,\n")
    )
}

fn expected(count: u64) -> (Frame, Vec<Entry>) {
    let frame = Frame {
        epoch: "e1".to_owned(),
        seq: count,
        now: 1_790_000_000,
        entries: [],
    };
    let entry = |number: u64| Entry {
        kind: Kind::Session,
        key: feed_key("session", &number.to_string()),
        effect: Effect::Revoked,
        until: 100 + number as i64,
    };
    (frame, (1..=count).map(entry).collect())
}

#[test]
fn entries_are_cut_out_of_the_frame() {
    for count in [0, 1, 2, 100] {
        assert_eq!(read([snapshot(count).as_bytes()]), Ok(expected(count)));
    }
    let last = r#"{"entries":[],"now":1790000000,"seq":0,"epoch":"e1"}"#;
    assert_eq!(read([last.as_bytes()]), Ok(expected(0)));
}

#[test]
fn what_is_malformed_is_refused() {
    let good = entry_json(1);
    let with = |entries: &str| format!(r#"{{"epoch":"e1","seq":1,"now":1,"entries":[{entries}]}}"#);
    assert!(read([with(&good).as_bytes()]).is_ok());
    let long = good.replace("\"x\"", &format!("\"{}\"", "x".repeat(2_000)));
    for (text, fault) in [
        (with(&good.replace("session", "planet")), Fault::Entry),
        (with(&good.replace("revoked", "perhaps")), Fault::Entry),
        (with(&good.replace("\"seq\":1", "\"seq\":-1")), Fault::Entry),
        (with(&good.replace("\"until\":101,", "")), Fault::Entry),
        (with(&format!("{good},")), Fault::Entry),
        (with(&format!(",{good}")), Fault::Entry),
        (with("17"), Fault::Entry),
        (with("{}"), Fault::Entry),
        (with(&long), Fault::Entry),
        (with(&format!("{good}{good}")), Fault::Frame),
        (with(&good).replace("}]}", "}]"), Fault::Frame),
        (with(&good).replace("\"epoch\"", "\"epic\""), Fault::Frame),
        (
            with(&good).replace("entries", "entr\\u0069es"),
            Fault::Frame,
        ),
        (
            with(&good).replace("\"seq\":1,\"now\"", "\"seq\":1,\"seq\":1,\"now\""),
            Fault::Frame,
        ),
        (format!("{}{{}}", with(&good)), Fault::Frame),
        (r#"{"epoch":"e1","seq":1,"now":1}"#.to_owned(), Fault::Frame),
        (
            r#"{"epoch":"e1","seq":1,"now":1,"entries":[],"entries":[]}"#.to_owned(),
            Fault::Frame,
        ),
        (r#"[{"entries":[]}]"#.to_owned(), Fault::Frame),
        (format!(r#"{{"x":"{}"#, "x".repeat(20_000)), Fault::Frame),
        (String::new(), Fault::Frame),
    ] {
        assert_eq!(read([text.as_bytes()]), Err(fault), "{text:.300}");
    }
}

#[test]
fn nothing_that_is_cut_short_is_complete() {
    let text = snapshot(3);
    for end in 0..text.len() {
        assert!(read([&text.as_bytes()[..end]]).is_err(), "{end}");
    }
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_makes_no_difference(count in 0..20_u64, cuts in prop::collection::vec(0.0..1.0_f64, 0..20)) {
        let text = snapshot(count);
        let mut cuts: Vec<usize> = cuts.iter().map(|part| (part * text.len() as f64) as usize).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &text.as_bytes()[cut[0]..cut[1]]);
        prop_assert_eq!(read(pieces), Ok(expected(count)));
    }

    #[test]
    fn no_input_breaks_it(bytes in prop::collection::vec(prop_oneof![Just(b'{'), Just(b'['), Just(b']'), Just(b'}'), Just(b'"'), Just(b','), any::<u8>()], 0..200)) {
        let text = [br#"{"entries":["#.as_slice(), &bytes].concat();
        let _ = read([text.as_slice()]);
        let _ = read([bytes.as_slice()]);
    }
}
