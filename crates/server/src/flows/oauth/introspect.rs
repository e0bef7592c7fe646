//! Introspection (RFC 7662).
//!
//! 1. The client that asks has shown who it is; a public one cannot.
//! 2. An access token is judged as a guard would, whomever it is for. A refresh token is one of a live session.
//! 3. Who may hear of it: the client that it was given to, and a client of whose resources one is its audience. Everybody
//!    else hears what is told of no token at all (RFC 7662 section 2.2; SECURITY row A24).

mod seen;

use std::sync::Arc;

use serde::Serialize;
use symbolon_domain::oauth::{ACR, OAuthError, concerns};
use symbolon_domain::{Client, ClientType, Timestamp};
use symbolon_guard::Subject;
use symbolon_token::{
    Access, AccessClaims, Actor, Algorithm, Audience, Confirmation, Error as TokenError, Profile,
    Registered, Typ, Verifier, feed_key,
};

use self::seen::Known;
pub use self::seen::SeenTokens;
use super::grants::refresh;
use super::{Credentials, Failed, authenticate};
use crate::app::{App, Issuance};
use crate::flows::authenticate::must_hear;
use crate::flows::{Error, Origin, opaque};

/// What is told of a token that is alive (RFC 7662 section 2.2).
#[derive(Debug, Serialize)]
pub struct Active {
    /// Separated by spaces.
    pub scope: String,
    /// The client that it was given to.
    pub client_id: String,
    /// `Bearer` or `DPoP`; nothing for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// Seconds since 1970.
    pub exp: i64,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The person, or the client itself.
    pub sub: String,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    /// Who issued it.
    pub iss: String,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The key that it is bound to (RFC 9449 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Names of roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// When the person signed in, in seconds since 1970 (RFC 9470 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How they signed in (RFC 9470 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// What is known of the parameter `token`; nothing where it is not alive, or is no business of who asks.
///
/// # Errors
/// `invalid_request`, `invalid_client`; a fault.
pub async fn introspect(
    app: &App,
    credentials: &Credentials<'_>,
    origin: &Origin,
) -> Result<Option<Active>, Failed> {
    let now = app.clock.now();
    let client = authenticate(app, credentials, origin).await?;
    if client.kind == ClientType::Public {
        return Err(OAuthError::invalid_client().into());
    }
    let token = credentials.parameters.required("token")?;
    if let Some(claims) = alive(app, token, now)? {
        let told = concerns(&client, &claims.client_id, claims.aud.iter());
        return Ok(told.then(|| of_access(claims)));
    }
    of_refresh(app, &client, token, now).await
}

fn of_access(claims: AccessClaims) -> Active {
    Active {
        scope: claims.scope,
        client_id: claims.client_id,
        token_type: Some(match claims.cnf {
            Some(_) => "DPoP",
            None => "Bearer",
        }),
        cnf: claims.cnf,
        exp: claims.exp,
        iat: Some(claims.iat),
        sub: claims.sub,
        aud: Some(claims.aud),
        iss: claims.iss,
        jti: Some(claims.jti),
        sid: claims.sid,
        roles: claims.roles,
        auth_time: claims.auth_time,
        acr: claims.acr,
        act: claims.act,
    }
}

async fn of_refresh(
    app: &App,
    client: &Client,
    token: &str,
    now: Timestamp,
) -> Result<Option<Active>, Failed> {
    let authorization = match refresh::find(app, client, token).await {
        Ok(authorization) => authorization,
        Err(Failed::OAuth(_)) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let current = crate::flows::refresh::authentic(app, token)?
        .digest()
        .into();
    let session = app.store.find_session(authorization.session).await?;
    let live = session.filter(|session| {
        session.life(now).refusal().is_none() && session.refresh.digest == current
    });
    let issuer = app.issuance()?.issuer.clone();
    Ok(live.map(|session| Active {
        scope: authorization.scopes.to_string(),
        client_id: session.client_id.clone(),
        token_type: None,
        exp: session.idle_expires_at().seconds(),
        iat: None,
        sub: session.user.to_string(),
        aud: None,
        iss: issuer,
        jti: None,
        sid: Some(session.id.to_string()),
        cnf: None,
        roles: Vec::new(),
        auth_time: Some(authorization.auth_time.seconds()).filter(|_| session.method.is_new()),
        acr: Some(ACR.to_owned()),
        act: None,
    }))
}

/// The claims of an access token of ours, whomever it is for, if it is alive.
///
/// # Errors
/// `overloaded` where it is not known any more what is revoked; a fault.
pub(super) fn alive(app: &App, token: &str, now: Timestamp) -> Result<Option<AccessClaims>, Error> {
    let issuance = app.issuance()?;
    let seen = issuance.seen.find(token);
    let known = match seen.filter(|known| known.is_in_time(now.seconds())) {
        Some(known) => known,
        None => match verified(issuance, &opaque::open(issuance, token), now)? {
            Some(known) => {
                let known = Arc::new(known);
                issuance.seen.keep(token, &known);
                known
            }
            None => return Ok(None),
        },
    };
    must_hear(issuance)?;
    let hit = issuance.guard.revocations().find(&known.subject);
    Ok(hit.is_none().then(|| known.claims.clone()))
}

fn verified(issuance: &Issuance, token: &str, now: Timestamp) -> Result<Option<Known>, Error> {
    let fault =
        |error: Box<dyn std::error::Error + Send + Sync>| Error::fault("introspection")(error);
    let verifier: Verifier<OfAnyAudience> =
        Verifier::new(&*issuance.issuer, &*issuance.issuer, &Algorithm::ALL)
            .map_err(|error| fault(error.into()))?;
    let keys = issuance.ring.load().key_set(now)?;
    let Ok((Judged { claims, .. }, key)) = verifier.verify_keyed(&keys, token, now.seconds())
    else {
        return Ok(None);
    };
    let subject = Subject {
        session: claims.sid.as_deref().map(|sid| feed_key("session", sid)),
        user: feed_key("user", &claims.sub),
        token: feed_key("token", &claims.jti),
        client: feed_key("client", &claims.client_id),
        key: feed_key("key", key.kid().unwrap_or_default()),
        version: claims.ver,
        issued_at: claims.iat,
    };
    Ok(Some(Known { claims, subject }))
}

/// An access token that is judged by all but its audience: whom it is for decides who hears of it.
struct OfAnyAudience;

struct Judged {
    claims: AccessClaims,
    issuer: Audience,
}

impl Profile for OfAnyAudience {
    type Claims = Judged;
    const TYP: Typ = Access::TYP;

    fn read(payload: &[u8]) -> Result<Judged, TokenError> {
        let claims = Access::read(payload)?;
        Ok(Judged {
            issuer: claims.iss.as_str().into(),
            claims,
        })
    }

    fn registered(judged: &Judged) -> Registered<'_> {
        Registered {
            aud: &judged.issuer,
            ..Access::registered(&judged.claims)
        }
    }
}
