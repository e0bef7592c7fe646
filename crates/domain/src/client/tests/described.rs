//! Clients that describe themselves.

use super::*;

const URL: &str = "https://app.example.com/client.json";

fn terms() -> OpenTerms {
    let scope = |text| Scope::parse(text).unwrap();
    OpenTerms {
        scopes: BTreeSet::from([scope("openid"), scope("email")]),
        resources: BTreeSet::from([Resource::parse("https://mcp.example.com/").unwrap()]),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn metadata() -> ClientMetadata {
    ClientMetadata {
        redirect_uris: texts(&["https://app.example.com/cb"]),
        client_name: Some("App".to_owned()),
        ..ClientMetadata::default()
    }
}

fn describe(metadata: &ClientMetadata) -> Result<Described, MetadataError> {
    metadata.describe(&ClientId::parse(URL).unwrap(), (Some(URL), false), &terms())
}

/// The code of RFC 7591 section 3.2.2, or `good`.
fn said(judged: &Result<Described, MetadataError>) -> &'static str {
    match judged {
        Ok(_) => "good",
        Err(MetadataError::RedirectUri(_)) => "redirect_uri",
        Err(MetadataError::Metadata(_)) => "metadata",
    }
}

#[test]
fn who_describes_itself_gets_what_is_open() {
    let mut app = metadata();
    app.scope = Some("openid orders:write".to_owned());
    app.grant_types = Some(texts(&[
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]));
    for judged in [describe(&app), app.register(&terms())] {
        let definition = judged.unwrap().definition;
        assert_eq!(definition.scopes, [Scope::parse("openid").unwrap()].into());
        assert_eq!(definition.resources, terms().resources);
        assert_eq!(
            definition.grants,
            [Grant::AuthorizationCode, Grant::RefreshToken].into()
        );
        assert!(definition.roles.is_empty());
        assert_eq!(definition.consent, ConsentPolicy::Ask);
    }
    let whole = describe(&metadata()).unwrap();
    assert_eq!(whole.definition.scopes, terms().scopes, "it named none");
    assert_eq!(whole.kind, ClientType::Public);
    let origin = ClientOrigin::parse("https://app.example.com").unwrap();
    assert_eq!(whole.definition.origins, [origin].into());
    let registered = metadata().register(&terms()).unwrap();
    assert_eq!(
        registered.definition.auth_method,
        AuthMethod::ClientSecretBasic
    );
    assert_eq!(registered.definition.origins, [].into());
}

#[test]
fn a_document_is_of_its_address_and_has_no_secret() {
    let id = ClientId::parse(URL).unwrap();
    for (named, has_secret) in [
        (None, false),
        (Some("https://app.example.com/client.json?"), false),
        (Some("https://app.example.com/Client.json"), false),
        (Some("https://app.example.com:443/client.json"), false),
        (Some("shop"), false),
        (Some(URL), true),
    ] {
        let judged = metadata().describe(&id, (named, has_secret), &terms());
        assert_eq!(said(&judged), "metadata", "{named:?}");
    }
    for (method, expected) in [
        ("none", "good"),
        ("client_secret_basic", "metadata"),
        ("client_secret_post", "metadata"),
        ("client_secret_jwt", "metadata"),
        ("tls_client_auth", "metadata"),
        // It has no keys.
        ("private_key_jwt", "metadata"),
    ] {
        let mut app = metadata();
        app.token_endpoint_auth_method = Some(method.to_owned());
        assert_eq!(said(&describe(&app)), expected, "{method}");
    }
    let mut app = metadata();
    app.token_endpoint_auth_method = Some("private_key_jwt".to_owned());
    app.jwks_uri = Some("https://app.example.com/keys".to_owned());
    assert_eq!(describe(&app).unwrap().kind, ClientType::Confidential);
}

#[test]
fn a1_redirect_uris_of_who_describes_itself() {
    let mut app = metadata();
    app.redirect_uris = texts(&[
        "http://127.0.0.1:33418/",
        "javascript:alert(1)",
        "https://good@evil.example/",
        "http://lan-host/cb",
    ]);
    let taken = describe(&app).unwrap().definition.redirect_uris;
    let loopback = RedirectUri::parse("http://127.0.0.1:33418/").unwrap();
    assert_eq!(taken, [loopback].into(), "the others are left out");
    assert_eq!(said(&app.register(&terms())), "redirect_uri");
    for uris in [&[][..], &["javascript:alert(1)"], &["https://*.example/"]] {
        app.redirect_uris = texts(uris);
        assert_eq!(said(&describe(&app)), "redirect_uri", "{uris:?}");
        assert_eq!(said(&app.register(&terms())), "redirect_uri", "{uris:?}");
    }
    app.redirect_uris = (0..21).map(|n| format!("https://a.example/{n}")).collect();
    assert_eq!(said(&describe(&app)), "redirect_uri");
}

#[test]
fn what_is_not_taken() {
    let change = |change: &dyn Fn(&mut ClientMetadata)| {
        let mut app = metadata();
        change(&mut app);
        said(&app.register(&terms()))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(change(&|_| {}), "good");
    for (name, judged) in [
        (
            "grants",
            change(&|it| it.grant_types = Some(texts(&["client_credentials"]))),
        ),
        ("no grants", change(&|it| it.grant_types = Some(texts(&[])))),
        (
            "alone",
            change(&|it| it.grant_types = Some(texts(&["refresh_token"]))),
        ),
        (
            "types",
            change(&|it| {
                it.grant_types = Some(texts(&["authorization_code"]));
                it.response_types = Some(texts(&["token", "id_token"]));
            }),
        ),
        ("scope", change(&|it| it.scope = text("openid \"x\""))),
        ("name", change(&|it| it.client_name = text("a\u{202e}b"))),
        ("keys", change(&|it| it.jwks = text("{\"keys\":[]}"))),
        (
            "keys at",
            change(&|it| it.jwks_uri = text("http://a.example/")),
        ),
        ("subjects", change(&|it| it.subject_type = text("private"))),
        (
            "alg",
            change(&|it| it.id_token_signed_response_alg = text("none")),
        ),
        (
            "HS256",
            change(&|it| it.id_token_signed_response_alg = text("HS256")),
        ),
        (
            "logout",
            change(&|it| it.backchannel_logout_uri = text("file:///x")),
        ),
        (
            "after",
            change(&|it| it.post_logout_redirect_uris = texts(&["http://a.example/"])),
        ),
        (
            "sector",
            change(&|it| {
                it.subject_type = text("pairwise");
                it.sector_identifier_uri = text("https://a.example/sector");
            }),
        ),
    ] {
        assert_eq!(judged, "metadata", "{name}");
    }
}

#[test]
fn a_client_of_codes_has_them_among_its_response_types() {
    for (types, taken) in [
        (&["pigeon"][..], false),
        (&[], false),
        (&["pigeon", "code"], true),
    ] {
        let asked = ClientMetadata {
            grant_types: None,
            response_types: Some(texts(types)),
            ..metadata()
        };
        assert_eq!(asked.register(&terms()).is_ok(), taken, "{types:?}");
    }
}

#[test]
fn a_client_without_a_name_is_called_by_its_host() {
    let mut app = metadata();
    app.client_name = None;
    for judged in [describe(&app), app.register(&terms())] {
        assert_eq!(judged.unwrap().definition.name.as_str(), "app.example.com");
    }
    app.client_name = Some("\u{202e}moc.elgoog".to_owned());
    assert_eq!(
        describe(&app).unwrap().definition.name.as_str(),
        "app.example.com"
    );
}
