//! The `Authorization` header (CONTRACT.md section 3.6, RFC 6750 section 2.1, RFC 9449 section 7.1, RFC 9110 section 11.6.2).

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Credential {
    pub(super) name: &'static str,
    /// The header's lines as received, none where it was not sent.
    values: Vec<&'static str>,
    /// `bearer` or `dpop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

fn credential(
    name: &'static str,
    values: &[&'static str],
    read: Result<&'static str, &'static str>,
) -> Credential {
    Credential {
        name,
        values: values.to_vec(),
        scheme: read.ok().map(|_| match name.starts_with("dpop") {
            true => "dpop",
            false => "bearer",
        }),
        token: read.ok(),
        code: read.err(),
    }
}

fn good() -> Vec<Credential> {
    let read = |(name, value)| credential(name, &[value], Ok("a.b.c"));
    [
        ("bearer", "Bearer a.b.c"),
        ("bearer-small-letters", "bearer a.b.c"),
        ("bearer-capital-letters", "BEARER a.b.c"),
        ("bearer-mixed-letters", "bEaReR a.b.c"),
        ("dpop", "DPoP a.b.c"),
        ("dpop-small-letters", "dpop a.b.c"),
    ]
    .map(read)
    .into()
}

pub(super) fn all() -> Vec<Credential> {
    let mut all = good();
    let mut read = |name, values: &[&'static str], read| all.push(credential(name, values, read));
    for (name, value) in [
        ("dpop-two-spaces", "DPoP  a.b.c"),
        ("dpop-alone", "DPoP"),
        ("dpop-two-credentials", "DPoP a.b.c, DPoP d.e.f"),
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
        ("longer-dpop", "DPoPX a.b.c"),
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
    read("bearer-and-dpop", &["Bearer a.b.c", "DPoP a.b.c"], twice);
    all
}
