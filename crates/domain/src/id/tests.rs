use super::{MalformedId, SessionId, UserId};

const TEXT: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

#[test]
fn text_and_bytes_come_back() {
    let id: UserId = TEXT.parse().unwrap();
    assert_eq!(id.to_string(), TEXT);
    assert_eq!(UserId::from_bytes(*id.as_bytes()), id);
    assert_eq!(UserId::new(id.uuid()), id);
    let id: SessionId = TEXT.parse().unwrap();
    assert_eq!(id.to_string(), TEXT);
}

#[test]
fn capitals_are_read_and_not_written() {
    let id: UserId = TEXT.to_uppercase().parse().unwrap();
    assert_eq!(id.to_string(), TEXT);
}

#[test]
fn other_spellings_are_no_ids() {
    for text in [
        "".to_owned(),
        TEXT.replace('-', ""),
        format!("{{{TEXT}}}"),
        format!("urn:uuid:{TEXT}"),
        format!("{TEXT} "),
        format!(" {}", &TEXT[1..]),
        TEXT.replace('1', "g"),
        TEXT.replace('-', "+"),
        "é".repeat(18),
    ] {
        assert_eq!(text.parse::<UserId>(), Err(MalformedId), "{text}");
    }
}
