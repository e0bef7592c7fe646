//! One file a grant, and what they share: the session that a grant begins.

pub(super) mod client_credentials;
pub(super) mod code;
pub mod device;
pub(super) mod refresh;
pub(super) mod token_exchange;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::oauth::{
    Authorization, ErrorCode, OAuthError, OFFLINE_ACCESS, OPENID, Parameters,
};
use symbolon_domain::refresh::RefreshState;
use symbolon_domain::{
    EndReason, Grant, Resource, RoleBook, Session, SessionId, SessionPolicy, SignInMethod,
    Transport, User, UserStatus,
};
use symbolon_store::Batch;
use symbolon_token::refresh::RefreshToken;
use zeroize::Zeroizing;

use super::Failed;
use super::frozen::Granted;
use super::id_token::{self, About};
use super::token::{Asked, Tokens};
use crate::app::App;
use crate::flows::access_token;
use crate::flows::{Error, audit_id, consequences, lost_race};

/// Sessions of one user that a client has at once; the oldest gives way.
const SESSIONS_PER_CLIENT: u32 = 50;

/// A session that is about to begin.
struct Beginning {
    session: Session,
    authorization: Authorization,
    token: RefreshToken,
}

/// Begins the session of a grant, which `user` gave at the sign-in `parent`: `take` uses up what it came from, in the same
/// batch. What ends the account's sessions, or takes the consent back, comes before that commit or sees the session.
/// Nothing where something of this changed meanwhile.
async fn begin(
    app: &App,
    asked: &Asked<'_>,
    (user, granted, parent): (&User, &Granted, &Session),
    take: impl FnOnce(&mut Batch, SessionId),
) -> Result<Option<Tokens>, Failed> {
    if user.status == UserStatus::Disabled {
        return Err(OAuthError::invalid_grant().into());
    }
    let client = &asked.client.id;
    // What was taken back does not come again with a smaller consent (SECURITY row R10).
    let consent = app.store.find_consent(user.id, client).await?;
    let consent = consent.ok_or_else(OAuthError::invalid_grant)?;
    let agreed = consent.agreement.at(&granted.resources()?);
    if !agreed.is_some_and(|agreed| granted.scopes().is_ok_and(|scopes| agreed.cover(&scopes))) {
        return Err(OAuthError::invalid_grant().into());
    }
    // What is wrong with this request uses nothing up.
    let parameters = asked.request.credentials.parameters;
    let resources = narrowed(&granted.resources()?, parameters)?;
    let beginning = prepare(app, asked, (user, granted), parent).await?;
    let Beginning {
        session,
        authorization,
        token,
    } = &beginning;
    let mut batch = app.store.batch();
    batch.require_user(user.id, user.version);
    batch.require_consent(&consent);
    take(&mut batch, session.id);
    batch.insert_session(session);
    batch.insert_authorization(authorization);
    let revocations = make_room(app, &mut batch, asked, user).await?;
    let mut event = asked.origin.own_event(
        AuditKind::ClientSignedIn,
        asked.now,
        user.id,
        Some(session.id),
    );
    event.detail = Some(asked.client.id.to_string());
    batch.insert_audit(audit_id(app, asked.now)?, &event);
    let committed = app.commit(batch, &revocations).await;
    if lost_race(&committed) {
        return Ok(None);
    }
    committed?;
    let goes_on = asked
        .client
        .definition
        .grants
        .contains(&Grant::RefreshToken);
    let refresh_token = goes_on.then(|| token.encode());
    let authorization = Authorization {
        resources,
        ..authorization.clone()
    };
    let book = app.role_book().await?;
    let facts = ((user, &*book), session, &authorization);
    let nonce = granted.nonce.as_deref();
    tokens(app, asked, facts, (refresh_token, nonce))
        .await
        .map(Some)
}

/// Ends the oldest session of this client and user where there are too many.
async fn make_room(
    app: &App,
    batch: &mut Batch,
    asked: &Asked<'_>,
    user: &User,
) -> Result<Vec<symbolon_domain::revocation::Revocation>, Error> {
    let whose = (user.id, &asked.client.id);
    let live = app
        .store
        .list_client_authorizations(whose, asked.now, SESSIONS_PER_CLIENT)
        .await?;
    let full = live.len() >= SESSIONS_PER_CLIENT as usize;
    let Some(oldest) = live.first().copied().filter(|_| full) else {
        return Ok(Vec::new());
    };
    let ends = Event::SessionEnds {
        session: oldest,
        reason: EndReason::Replaced,
    };
    Ok(consequences::write(app, batch, &ends, None, asked.now))
}

async fn prepare(
    app: &App,
    asked: &Asked<'_>,
    (user, granted): (&User, &Granted),
    parent: &Session,
) -> Result<Beginning, Failed> {
    let now = asked.now;
    let random = |error: crate::rng::RngError| Error::fault("random source")(error.into());
    let id = SessionId::new(app.rng.uuid_v7(now).map_err(random)?);
    let seed = Zeroizing::new(app.rng.bytes::<32>().map_err(random)?);
    let token = app.issuance()?.first_refresh_token(id, &seed)?;
    let scopes = granted.scopes()?;
    let offline = scopes.contains(OFFLINE_ACCESS);
    let mut session = session(app, asked, (user, parent.method), (&token, offline));
    if granted.tied {
        session.expires_at = session.expires_at.min(parent.expires_at);
    }
    if !asked
        .client
        .definition
        .grants
        .contains(&Grant::RefreshToken)
    {
        session.expires_at = session
            .expires_at
            .min(now.plus(app.config.tokens.access_ttl));
    }
    let authorization = Authorization {
        session: id,
        user: user.id,
        client: asked.client.id.clone(),
        resources: granted.resources()?,
        auth_time: granted.auth_time(),
        browser: granted.tied.then_some(parent.id),
        agreed_in: (!granted.tied).then_some(parent.id),
        jkt: asked.request.jkt.clone(),
        claims: granted.claims.clone(),
        expires_at: session.expires_at,
        scopes,
    };
    Ok(Beginning {
        session,
        authorization,
        token,
    })
}

fn session(
    app: &App,
    asked: &Asked<'_>,
    (user, method): (&User, SignInMethod),
    (token, offline): (&RefreshToken, bool),
) -> Session {
    let (now, settings) = (asked.now, &app.config.refresh);
    let policy = SessionPolicy {
        idle_ttl: settings.idle_ttl,
        absolute_ttl: settings.absolute_ttl,
        unremembered_ttl: settings.absolute_ttl,
    };
    let life = policy.lifetimes(offline, now);
    Session {
        id: SessionId::from_bytes(token.session()),
        user: user.id,
        client_id: asked.client.id.to_string(),
        refresh: RefreshState {
            generation: token.generation(),
            digest: token.digest().into(),
            key: token.key(),
            rotated_at: now,
            late_generation: None,
        },
        idle_ttl: life.idle_ttl,
        expires_at: life.expires_at,
        persistent: offline,
        transport: Transport::Body,
        method,
        device: Some(asked.client.definition.name.to_string()),
        user_agent: asked.origin.user_agent.clone(),
        address: asked.origin.address_text(),
        created_at: now,
        last_used_at: now,
        ended: None,
    }
}

/// Those of the APIs that were granted which the request names; all where it names none (RFC 8707 section 2.2).
fn narrowed(granted: &[Resource], parameters: &Parameters) -> Result<Vec<Resource>, OAuthError> {
    let named = parameters.resources();
    let is_named =
        |one: &&Resource| named.is_empty() || named.iter().any(|name| name == one.as_str());
    let left: Vec<_> = granted.iter().filter(is_named).cloned().collect();
    let all_known = named
        .iter()
        .all(|name| left.iter().any(|one| one.as_str() == name));
    match all_known {
        true => Ok(left),
        false => Err(OAuthError::new(
            ErrorCode::InvalidTarget,
            "The parameter resource names what was not granted.",
        )),
    }
}

/// The tokens of a session, as it stands.
async fn tokens(
    app: &App,
    asked: &Asked<'_>,
    ((user, book), session, authorization): ((&User, &RoleBook), &Session, &Authorization),
    (refresh_token, nonce): (Option<Zeroizing<String>>, Option<&str>),
) -> Result<Tokens, Failed> {
    let granted = (authorization, asked.now);
    let (access, scopes) = access_token::issue_for_client(app, (user, book), session, granted)?;
    let id_token = match scopes.contains(OPENID) {
        true => {
            let about = About {
                user,
                session,
                client: &asked.client,
                auth_time: authorization.auth_time,
                nonce,
                claims: authorization.claims.as_deref(),
                scopes: &scopes,
            };
            Some(id_token::issue(app, &about, &access.token, asked.now).await?)
        }
        false => None,
    };
    Ok(Tokens {
        token_type: match authorization.jkt {
            Some(_) => "DPoP",
            None => "Bearer",
        },
        issued_token_type: None,
        access,
        refresh_token,
        id_token,
        scopes,
    })
}
