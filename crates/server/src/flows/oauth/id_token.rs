//! ID tokens (OpenID Connect Core 1.0 section 2).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use serde_json::{Map, Value, json};
use symbolon_domain::oauth::{ACR, Scopes};
use symbolon_domain::{Client, Session, SignInMethod, Timestamp, User};
use symbolon_token::id_token::{Expected, IdTokenHint};
use symbolon_token::{Algorithm, Typ, encoding};

use super::claims::{self, Place};
use crate::app::App;
use crate::flows::{Error, keys, overloaded};

/// How long an ID token is good: it is read once, when it arrives.
pub const LIFE: Duration = Duration::from_secs(3_600);

/// What an ID token tells.
pub(super) struct About<'a> {
    pub(super) user: &'a User,
    /// The client's session, which a logout token names.
    pub(super) session: &'a Session,
    pub(super) client: &'a Client,
    pub(super) auth_time: Timestamp,
    pub(super) nonce: Option<&'a str>,
    pub(super) claims: Option<&'a str>,
    pub(super) scopes: &'a Scopes,
}

/// Signs an ID token beside an access token.
pub(super) async fn issue(
    app: &App,
    about: &About<'_>,
    access: &str,
    now: Timestamp,
) -> Result<String, Error> {
    let issuance = app.issuance()?;
    let algorithm = algorithm(app, about.client, now)?;
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        all.insert(name.to_owned(), value);
    };
    put("iss", json!(issuance.issuer));
    put(
        "sub",
        json!(claims::subject(app, about.client, about.user.id)?),
    );
    put("aud", json!(about.client.id.as_str()));
    put("exp", json!(now.plus(LIFE).seconds()));
    put("iat", json!(now.seconds()));
    if about.session.method.is_new() {
        put("auth_time", json!(about.auth_time.seconds()));
    }
    put("at_hash", json!(half_hash(algorithm, access)));
    put("sid", json!(about.session.id.to_string()));
    put("acr", json!(ACR));
    // Of who signed in elsewhere, that provider knows (RFC 8176 section 2).
    if about.session.method == SignInMethod::Password {
        put("amr", json!(["pwd"]));
    }
    if let Some(nonce) = about.nonce {
        put("nonce", json!(nonce));
    }
    all.extend(claims::of(
        about.user,
        about.scopes,
        about.claims,
        Place::IdToken,
    ));
    sign(app, algorithm, Typ::Jwt, &all, now).await
}

/// Signs what is for a client alone, an ID token or a logout token.
pub(super) async fn sign(
    app: &App,
    algorithm: Algorithm,
    typ: Typ,
    all: &Map<String, Value>,
    now: Timestamp,
) -> Result<String, Error> {
    keys::provide(app, algorithm).await?;
    let ring = app.issuance()?.ring.load();
    let signer = ring.id_token_signer(algorithm, now);
    let signer = signer.ok_or_else(overloaded)?;
    let signed = signer.sign(typ, all);
    signed.map_err(|error| Error::fault("ID token")(error.into()))
}

/// What the client asked for; else that of access tokens, unless who verifies those could sign ID tokens as well.
pub(super) fn algorithm(app: &App, client: &Client, now: Timestamp) -> Result<Algorithm, Error> {
    if let Some(algorithm) = client.definition.id_token_alg {
        return Ok(algorithm);
    }
    let usual = app.issuance()?.ring.load().signer(now)?.algorithm();
    Ok(match usual.is_symmetric() {
        true => Algorithm::Rs256,
        false => usual,
    })
}

/// `at_hash`: the left half of the digest that the signature is made with (section 3.1.3.6).
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let algorithm = match algorithm {
        Algorithm::EdDsa => &SHA512,
        _ => &SHA256,
    };
    let digest = digest(algorithm, token.as_bytes());
    let half = digest.as_ref().len() / 2;
    encoding::encode(&digest.as_ref()[..half])
}

/// What an ID token of ours that came back tells.
pub(super) struct Hint {
    /// The client that it was made for.
    pub(super) client: String,
    /// The person, as that client knows them.
    pub(super) sub: String,
}

/// Reads a hint: an ID token of ours of whatever age; nothing where it is none.
pub(super) fn read_hint(app: &App, text: &str) -> Result<Option<Hint>, Error> {
    let issuance = app.issuance()?;
    let keys = issuance.ring.load().id_token_keys()?;
    let expected = Expected {
        issuer: &issuance.issuer,
        algorithms: &Algorithm::ALL,
    };
    let hint = IdTokenHint::verify(text, &keys, &expected).ok();
    Ok(hint.and_then(|hint| {
        let client = hint.aud.iter().next()?.to_owned();
        Some(Hint {
            client,
            sub: hint.sub,
        })
    }))
}
