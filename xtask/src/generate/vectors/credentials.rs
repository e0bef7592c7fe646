//! The `Authorization` header (CONTRACT.md section 3.6, RFC 6750 section 2.1, RFC 9110 section 11.6.2).

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Credential {
    pub(super) name: &'static str,
    /// The header's lines as received, none where it was not sent.
    values: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

pub(super) fn all() -> Vec<Credential> {
    let mut all = Vec::new();
    let mut read = |name, values: &[&'static str], read: Result<&'static str, &'static str>| {
        all.push(Credential {
            name,
            values: values.to_vec(),
            token: read.ok(),
            code: read.err(),
        });
    };
    read("bearer", &["Bearer a.b.c"], Ok("a.b.c"));
    read("bearer-small-letters", &["bearer a.b.c"], Ok("a.b.c"));
    read("bearer-capital-letters", &["BEARER a.b.c"], Ok("a.b.c"));
    read("bearer-mixed-letters", &["bEaReR a.b.c"], Ok("a.b.c"));
    for (name, value) in [
        ("two-spaces", "Bearer  a.b.c"),
        ("tab", "Bearer\ta.b.c"),
        ("space-and-tab", "Bearer \ta.b.c"),
        ("two-credentials", "Bearer a.b.c, Bearer d.e.f"),
        ("comma", "Bearer a.b.c,d.e.f"),
        ("inner-space", "Bearer a.b.c d.e.f"),
        ("inner-tab", "Bearer a.b.c\td.e.f"),
        ("nothing-after-the-space", "Bearer "),
        ("scheme-alone", "Bearer"),
        ("equals-sign-for-space", "Bearer=a.b.c"),
        ("comma-for-space", "Bearer,a.b.c"),
        ("not-ascii", "Bearer a.b.\u{e9}"),
        ("not-ascii-for-space", "Bearer\u{e9}a.b.c"),
    ] {
        read(name, &[value], Err("invalid_token"));
    }
    read("no-header", &[], Err("no_token"));
    for (name, value) in [
        ("empty", ""),
        ("basic", "Basic dXNlcjpzZWNyZXQ="),
        ("digest", "Digest username=\"x\""),
        ("dpop", "DPoP a.b.c"),
        ("longer-scheme", "BearerX a.b.c"),
        ("no-space", "Bearera.b.c"),
        ("token-alone", "a.b.c"),
        ("shorter-scheme", "Bear a.b.c"),
        ("basic-not-ascii", "Basic \u{e9}"),
    ] {
        read(name, &[value], Err("no_token"));
    }
    let twice = Err("malformed_request");
    read("header-twice", &["Bearer a.b.c", "Bearer d.e.f"], twice);
    read(
        "header-twice-the-same",
        &["Bearer a.b.c", "Bearer a.b.c"],
        twice,
    );
    read(
        "header-twice-of-two-schemes",
        &["Basic YTpi", "Bearer a.b.c"],
        twice,
    );
    all
}
