use proptest::prelude::*;

use super::*;

#[test]
fn one_value_each_and_an_empty_one_is_none() {
    let read = read(&[("a", "1"), ("b", ""), ("c", " "), ("b", "2"), ("b", "")]).unwrap();
    assert_eq!(read.get("a"), Some("1"));
    assert_eq!(read.get("b"), Some("2"), "the others count as absent");
    assert_eq!(read.get("c"), Some(" "));
    assert_eq!(read.get("A"), None, "names are compared by bytes");
    assert_eq!(read.required("a"), Ok("1"));
    let missing = read.required("scope").unwrap_err();
    assert_eq!(missing.code, ErrorCode::InvalidRequest);
    assert_eq!(missing.description, "The parameter scope is missing.");
    assert_eq!(Parameters::default().get("a"), None);
}

#[test]
fn what_is_given_more_than_once() {
    for pairs in [
        [("a", "1"), ("a", "1")],
        [("client_id", "shop"), ("client_id", "other")],
        [("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)],
        [("unknown", "1"), ("unknown", "2")],
    ] {
        let refused = read(&pairs).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidRequest);
        let name = pairs[0].0;
        let expected = format!("The parameter {name} is given more than once.");
        assert_eq!(refused.description, expected);
    }
}

#[test]
fn n9_what_is_no_text() {
    for (name, value) in [
        ("a", "\0"),
        ("a", "x\0y"),
        ("a", "\u{fffd}"),
        ("a", "x\u{fffd}"),
        ("a\0", "x"),
        ("\u{fffd}", "x"),
        ("resource", "https://api.example.com/\0"),
        ("\0", ""),
    ] {
        assert_eq!(
            said(&read(&[(name, value)])),
            "invalid_request",
            "{name:?} {value:?}"
        );
    }
    for good in [
        "\u{fc}",
        "\u{1f600}",
        "\t\r\n",
        "<script>",
        "\u{202e}",
        "\u{fffc}",
    ] {
        assert_eq!(read(&[("state", good)]).unwrap().get("state"), Some(good));
    }
}

#[test]
fn a26_more_than_anybody_needs() {
    let numbered = |count: u32| Parameters::read((0..count).map(|n| (n.to_string(), "x".into())));
    assert_eq!(said(&numbered(60)), "good");
    assert_eq!(said(&numbered(61)), "invalid_request");
    assert_eq!(said(&numbered(100_000)), "invalid_request");
    // Also those that count as absent.
    let empty = Parameters::read((0..61).map(|_| ("a".to_owned(), String::new())));
    assert_eq!(said(&empty), "invalid_request");

    assert_eq!(said(&read(&[("a", &"x".repeat(8_192))])), "good");
    assert_eq!(said(&read(&[("a", &"x".repeat(8_193))])), "invalid_request");
    let many = (0..10_000)
        .map(|number| format!("s{number}"))
        .collect::<Vec<_>>();
    assert_eq!(
        said(&read(&[("scope", &many.join(" "))])),
        "invalid_request"
    );
}

#[test]
fn a26_targets_may_be_repeated_up_to_ten() {
    let some = |count: usize| {
        let uris = (0..count).map(|number| format!("https://api.example.com/{number}"));
        Parameters::read(uris.map(|uri| ("resource".to_owned(), uri)))
    };
    for count in [0, 1, 2, 10] {
        let read = some(count).unwrap();
        assert_eq!(read.resources().len(), count);
        assert_eq!(read.get("resource"), None, "they are a list");
    }
    assert_eq!(some(2).unwrap().resources()[1], "https://api.example.com/1");
    for count in [11, 60, 1_000] {
        assert_eq!(said(&some(count)), "invalid_request", "{count}");
    }
    let empty = read(&[("resource", ""), ("resource", "")]).unwrap();
    assert_eq!(empty.resources(), [] as [String; 0]);
    let audiences = |count: usize| {
        let names = (0..count).map(|number| ("audience".to_owned(), number.to_string()));
        Parameters::read(names)
    };
    assert_eq!(audiences(10).unwrap().audiences().len(), 10);
    assert_eq!(said(&audiences(11)), "invalid_request");
}

#[test]
fn a_name_is_told_if_it_is_plain() {
    for (name, told) in [
        (
            "code_challenge",
            "The parameter code_challenge is given more than once.",
        ),
        ("<script>", "A parameter is given more than once."),
        ("a\"b", "A parameter is given more than once."),
        ("a b", "A parameter is given more than once."),
        ("\u{e4}", "A parameter is given more than once."),
        (&"x".repeat(41), "A parameter is given more than once."),
    ] {
        let refused = read(&[(name, "1"), (name, "2")]).unwrap_err();
        assert_eq!(refused.description, told);
    }
}

proptest! {
    /// What was read is read again as it was, which is how it is kept.
    #[test]
    fn what_is_kept_is_read_again(
        pairs in prop::collection::vec(("[a-e]|resource|audience|\\PC{0,8}", "\\PC{0,12}"), 0..20)
    ) {
        if let Ok(read) = Parameters::read(pairs.clone()) {
            let kept: Vec<(String, String)> = read
                .pairs()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            prop_assert!(kept.iter().all(|(_, value)| !value.is_empty()));
            for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
                let is_there = match name.as_str() {
                    "resource" => read.resources().contains(value),
                    "audience" => read.audiences().contains(value),
                    name => read.get(name) == Some(value),
                };
                prop_assert!(is_there, "{} is lost", name);
            }
            prop_assert_eq!(Parameters::read(kept), Ok(read));
        }
    }

    /// Wherever the second one stands.
    #[test]
    fn no_parameter_but_one_is_repeated(
        before in prop::collection::vec("[a-z]{1,4}", 0..20), place in any::<prop::sample::Index>()
    ) {
        let mut names: Vec<String> = before.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        names.insert(place.index(names.len() + 1), "client_id".to_owned());
        names.insert(place.index(names.len() + 1), "client_id".to_owned());
        let pairs = names.into_iter().map(|name| (name, "x".to_owned()));
        prop_assert_eq!(said(&Parameters::read(pairs)), "invalid_request");
    }
}
