//! `[[upstream]]`

use symbolon_token::Algorithm;

use super::*;
use crate::config::UpstreamKind;

const OPEN_ID: &str =
    "[[upstream]]\nname = \"acme\"\nissuer = \"https://acme.example\"\nclient_id = \"us\"\n";
const HUB: &str = "[[upstream]]\nname = \"hub\"\nissuer = \"https://hub.example\"\nclient_id = \"us\"\n\
                   authorization_endpoint = \"https://hub.example/authorize\"\n\
                   token_endpoint = \"https://hub.example/token\"\nuserinfo_endpoint = \"https://api.hub.example/user\"\n";

#[test]
fn providers_are_read() {
    let secret = File::new("upstream-secret", "s3cret\n");
    let text = format!(
        "{OPEN_ID}label = \"Acme\"\nclient_secret_file = \"{}\"\nalgorithms = [\"RS256\"]\n{HUB}subject = \"id\"\n",
        secret.text()
    );
    let config = from_toml("upstream-read", &text).unwrap();
    let [acme, hub] = &config.upstreams[..] else {
        panic!("{:?}", config.upstreams);
    };
    assert_eq!((&*acme.label, &*hub.label), ("Acme", "hub"));
    assert_eq!(acme.client_secret.as_ref().unwrap().expose(), "s3cret");
    assert_eq!(acme.scopes, ["openid", "email", "profile"]);
    let UpstreamKind::OpenId { algorithms } = &acme.kind else {
        panic!("{acme:?}");
    };
    assert_eq!(algorithms, &[Algorithm::Rs256]);
    let UpstreamKind::Profile(profile) = &hub.kind else {
        panic!("{hub:?}");
    };
    assert_eq!((&*profile.subject, &*profile.email), ("id", "email"));
    assert!(!format!("{config:?}").contains("s3cret"));
    let off = from_toml("upstream-off", &format!("{OPEN_ID}enabled = false\n")).unwrap();
    assert!(
        off.upstreams.is_empty(),
        "H3: what is switched off is not there"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (test, text, said) in [
        (
            "a",
            "[[upstream]]\nname = \"a\"".to_owned(),
            "1: an upstream of this kind needs `issuer`",
        ),
        (
            "b",
            format!("{OPEN_ID}isuer = \"x\""),
            "5: unknown key `isuer` of an upstream: did you mean `issuer`?",
        ),
        (
            "c",
            OPEN_ID.replace("acme\"\ni", "A B\"\ni"),
            "2: `name` of an upstream is not usable",
        ),
        (
            "d",
            OPEN_ID.replace("https", "http"),
            "3: `issuer` of an upstream is not usable",
        ),
        (
            "e",
            format!("{OPEN_ID}algorithms = [\"HS256\"]"),
            "5: `algorithms` of an upstream is not usable",
        ),
        (
            "f",
            format!("{OPEN_ID}enabled = \"no\""),
            "5: `enabled` takes true or false",
        ),
        (
            "g",
            HUB.to_owned(),
            "1: an upstream of this kind needs `subject`",
        ),
        (
            "h",
            format!("{OPEN_ID}{OPEN_ID}"),
            "5: there are two upstreams `acme`",
        ),
    ] {
        let found = mistakes(&format!("upstream-{test}"), &text);
        assert_eq!(
            found.first().map(String::as_str),
            Some(said),
            "{test}: {found:?}"
        );
    }
}
