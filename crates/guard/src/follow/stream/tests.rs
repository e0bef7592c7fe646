use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Whole {
    name: Option<String>,
    id: Option<String>,
    data: String,
}

/// The events of a text that arrives in these pieces, and whether it may end there.
fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Whole> {
    let (mut reader, mut all, mut event) = (Events::new(), Vec::new(), Whole::default());
    for piece in pieces {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        reader
            .read::<TooLong>(piece, |part| {
                match part {
                    Part::Name(name) => event.name = Some(text(name)),
                    Part::Id(id) => event.id = Some(text(id)),
                    Part::Data(data) => event.data += &text(data),
                    Part::End => all.push(std::mem::take(&mut event)),
                }
                Ok(())
            })
            .unwrap();
    }
    all
}

fn event(name: &str, id: &str, data: &str) -> Whole {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Whole {
        name: some(name),
        id: some(id),
        data: data.to_owned(),
    }
}

const TEXT: &str = "event: revocation\nid: e:1\ndata: {\"a\":\ndata:1}\n\n: comment\n\nid:e:2\nevent:x\nretry: 5\ndata\ndata:  y\n\n";

fn expected() -> Vec<Whole> {
    vec![
        event("revocation", "e:1", "{\"a\":\n1}"),
        event("", "", ""),
        event("x", "e:2", "\n y"),
    ]
}

#[test]
fn reads_events_with_any_line_ending() {
    for ending in ["\n", "\r", "\r\n"] {
        let text = TEXT.replace('\n', ending);
        assert_eq!(events([text.as_bytes()]), expected(), "{ending:?}");
    }
}

#[test]
fn an_event_that_is_not_ended_is_none() {
    for text in [
        "e",
        "event: x",
        "event: x\n",
        "event: x\ndata: 1\n",
        "data: 1\n: comment\n",
    ] {
        assert_eq!(events([text.as_bytes()]), [], "{text:?}");
    }
}

#[test]
fn words_are_bounded() {
    let refused = |text: &str| {
        let mut reader = Events::new();
        text.as_bytes()
            .chunks(7)
            .any(|piece| reader.read::<TooLong>(piece, |_| Ok(())).is_err())
    };
    let long = "x".repeat(300);
    assert!(refused(&long));
    assert!(refused(&format!("id: {long}")));
    assert!(refused(&format!("event: {long}")));
    assert!(!refused(&format!(
        "data: {long}\n: {long}\nother: {long}\n\n"
    )));
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_makes_no_difference(
        cuts in prop::collection::vec(0..TEXT.len(), 0..20),
        ending in prop_oneof![Just("\n"), Just("\r"), Just("\r\n")],
    ) {
        let text = TEXT.replace('\n', ending);
        let mut cuts = cuts;
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &text.as_bytes()[cut[0]..cut[1]]);
        prop_assert_eq!(events(pieces), expected());
    }
}
