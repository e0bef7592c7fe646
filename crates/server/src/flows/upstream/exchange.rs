//! Step 3: from a code to who the person is at the provider.

use serde::Deserialize;
use serde_json::Value;
use symbolon_domain::upstream::ForeignIdentity;
use symbolon_token::foreign::{Expected, ForeignIdToken};
use symbolon_token::{Algorithm, KeySet};

use super::super::clients::{Wanted, fetch_keys};
use super::bound::Bound;
use super::provider::Provider;
use super::{NotLanded, callback_uri};
use crate::app::App;
use crate::config::{ProfileConfig, UpstreamConfig, UpstreamKind};
use crate::flows::Origin;
use crate::outbound::{Call, Credentials, Sent};
use crate::secret::Secret;

/// Longest answer, in bytes.
const MOST: usize = 64 * 1024;

/// What a provider says of a person.
pub(super) struct Told {
    pub(super) identity: ForeignIdentity,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

/// As much of a token response as is used (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Tokens {
    access_token: Option<Secret<String>>,
    id_token: Option<Secret<String>>,
}

/// Who the person is at the provider.
pub(super) async fn identify(
    app: &App,
    (config, provider): (&UpstreamConfig, &Provider),
    code: &str,
    bound: &Bound,
) -> Result<Told, NotLanded> {
    let tokens = exchange(app, (config, provider), code, bound).await?;
    match &config.kind {
        UpstreamKind::OpenId { algorithms } => {
            let missing = NotLanded::Untrusted("there is no ID token");
            let text = tokens.id_token.ok_or(missing)?;
            let keys_at = provider.keys.as_deref().unwrap_or_default();
            let token = verify(
                app,
                (config, algorithms),
                (text.expose(), keys_at),
                &bound.nonce,
            )
            .await?;
            if !bound.is_fresh(token.auth_time) {
                return Err(NotLanded::Untrusted("the sign-in there is not a new one"));
            }
            told(config, &token.sub, |_| ForeignClaims {
                email: token.email,
                email_verified: token.email_verified,
                name: token.name,
            })
        }
        UpstreamKind::Profile(profile) => {
            let missing = NotLanded::Untrusted("there is no access token");
            let token = tokens.access_token.ok_or(missing)?;
            ask(app, (config, profile), token.expose()).await
        }
    }
}

struct ForeignClaims {
    email: Option<String>,
    email_verified: bool,
    name: Option<String>,
}

fn told(
    config: &UpstreamConfig,
    subject: &str,
    claims: impl FnOnce(&str) -> ForeignClaims,
) -> Result<Told, NotLanded> {
    let nameless = |_| NotLanded::Untrusted("it has no name for the person");
    let identity = ForeignIdentity::new(&config.issuer, subject).map_err(nameless)?;
    let claims = claims(subject);
    Ok(Told {
        identity,
        email: claims.email,
        email_verified: claims.email_verified,
        name: claims.name,
    })
}

/// The tokens for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
async fn exchange(
    app: &App,
    (config, provider): (&UpstreamConfig, &Provider),
    code: &str,
    bound: &Bound,
) -> Result<Tokens, NotLanded> {
    let redirect_uri = callback_uri(app, &config.name)?;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", &bound.verifier),
    ];
    let secret = config
        .client_secret
        .as_ref()
        .map(|one| one.expose().as_str());
    let credentials = match secret {
        Some(secret) if !provider.secret_in_body => Credentials::Basic(&config.client_id, secret),
        secret => {
            form.push(("client_id", &config.client_id));
            form.extend(secret.map(|secret| ("client_secret", secret)));
            Credentials::None
        }
    };
    let call = Call {
        url: &provider.token,
        sent: Sent::Form(&form),
        credentials,
        most: MOST,
    };
    let answer = app.outbound.call(call).await?;
    match answer.status {
        200 => {
            let read = serde_json::from_slice(&answer.body);
            read.map_err(|_| NotLanded::Untrusted("its tokens are none"))
        }
        500.. => Err(NotLanded::Unreachable),
        _ => Err(NotLanded::Denied),
    }
}

/// Verifies an ID token; where none of the known keys is its key, with newer ones.
async fn verify(
    app: &App,
    (config, algorithms): (&UpstreamConfig, &[Algorithm]),
    (text, keys_at): (&str, &str),
    nonce: &str,
) -> Result<ForeignIdToken, NotLanded> {
    let expected = Expected {
        issuer: &config.issuer,
        client_id: &config.client_id,
        nonce,
        algorithms,
        now: app.clock.now().seconds(),
    };
    let mut refused = NotLanded::Untrusted("it has no keys");
    for wanted in [Wanted::Known, Wanted::Newer] {
        let keys = fetch_keys(app, keys_at, wanted, &Origin::default()).await;
        let Some(jwks) = keys.map_err(|_| NotLanded::Unreachable)? else {
            break;
        };
        let keys = KeySet::from_jwks(&jwks);
        let keys = keys.map_err(|_| NotLanded::Untrusted("its keys are not usable"))?;
        match ForeignIdToken::verify(text, &keys, &expected) {
            Ok(token) => return Ok(token),
            Err(error) => {
                refused = NotLanded::Untrusted(error.code());
                if error != symbolon_token::Error::UnknownKey {
                    break;
                }
            }
        }
    }
    Err(refused)
}

/// What the provider's own endpoint says to who has the token. Its addresses count as nobody's.
async fn ask(
    app: &App,
    (config, profile): (&UpstreamConfig, &ProfileConfig),
    token: &str,
) -> Result<Told, NotLanded> {
    let call = Call {
        url: profile.userinfo.as_str(),
        sent: Sent::Nothing,
        credentials: Credentials::Bearer(token),
        most: MOST,
    };
    let answer = app.outbound.call(call).await?;
    let said: Option<Value> = match answer.status {
        200 => serde_json::from_slice(&answer.body).ok(),
        500.. => return Err(NotLanded::Unreachable),
        _ => None,
    };
    let said = said.ok_or(NotLanded::Untrusted("it does not say who it is"))?;
    let subject = match &said[&profile.subject] {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() || number.is_i64() => number.to_string(),
        _ => return Err(NotLanded::Untrusted("it has no name for the person")),
    };
    let text = |member: &str| said[member].as_str().map(str::to_owned);
    told(config, &subject, |_| ForeignClaims {
        email: text(&profile.email),
        email_verified: false,
        name: text(&profile.display_name),
    })
}
