//! Sign in with an e-mail address or a username and a password.
//!
//! 1. The user is loaded; the throttle lets the attempt in, or says when to come back. Before it turns somebody away for
//!    what strangers did, the store is asked whether the account signed in from that network before; it is asked for
//!    accounts that do not exist as well, and the refusal goes out after a fixed time.
//! 2. The password is hashed and compared. An unknown user costs the same work and gets the same answer
//!    (OWASP ASVS 6.3.8).
//! 3. Only who gave the right password hears that the account is disabled, or that its address has to be confirmed first;
//!    then the mail for that goes out again.
//! 4. A session is made, the oldest one giving way at the limit; the user row is compared-and-set, so
//!    that a sign-in with an old password cannot cross a password change.
//! 5. Both tokens are made.

use std::time::Duration;

use symbolon_domain::audit::{AuditKind, LoginFailure};
use symbolon_domain::ending::Event;
use symbolon_domain::mail::MailKind;
use symbolon_domain::refresh::RefreshState;
use symbolon_domain::upstream::ForeignIdentity;
use symbolon_domain::{
    EndReason, Identifier, Password, Refusal, Session, SessionId, SessionPolicy, SignInMethod,
    Transport, User, UserId, UserStatus,
};
use symbolon_store::Credentials;
use symbolon_token::refresh::RefreshToken;
use zeroize::Zeroizing;

use super::access_token::{AccessToken, issue};
use super::oauth::browser;
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, outbox, overloaded};
use crate::app::App;
use crate::clock::Stopwatch;
use crate::config::Verification;
use crate::hashing::Verdict;
use crate::metrics::Count;
use crate::throttle::{Admitted, Attempt, Quota, Throttle};

/// The `client_id` of our own sign-in.
pub const OWN_CLIENT: &str = "symbolon";
/// Sessions of our own sign-in that one user can have at once; the oldest gives way.
const SESSIONS_PER_USER: u32 = 100;
/// Sessions of one user that are listed: those of applications come on top, which have a bound each.
pub const MOST_SESSIONS: u32 = 2_000;
/// When a refusal for too many attempts goes out: later than the look-ups before it take, which differ with the account.
const REFUSED_AFTER: Duration = Duration::from_millis(10);
/// For how long a network from which somebody signed in is known: no session lives longer by default.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a person brings to sign in.
pub struct Login {
    /// The address or the name.
    pub identifier: Identifier,
    /// The password as typed.
    pub password: Password,
    /// Whether the session outlives the browser.
    pub remember: bool,
    /// What the person calls this device.
    pub device: Option<String>,
    /// How the refresh token travels.
    pub transport: Transport,
}

/// How a session is kept.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// Whether it outlives the browser.
    pub remember: bool,
    /// What the person calls this device.
    pub device: Option<&'a str>,
    /// How the refresh token travels.
    pub transport: Transport,
    /// How the person signed in.
    pub method: SignInMethod,
    /// The identity at another provider that they signed in with: it is theirs in the transaction that begins the session.
    pub identity: Option<&'a ForeignIdentity>,
}

impl Login {
    fn manner(&self) -> Manner<'_> {
        Manner {
            remember: self.remember,
            device: self.device.as_deref(),
            transport: self.transport,
            method: SignInMethod::Password,
            identity: None,
        }
    }
}

/// A session that just began.
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// The session.
    pub session: Session,
    /// Its first access token.
    pub access: AccessToken,
    /// Its first refresh token, in its text form.
    pub refresh_token: Zeroizing<String>,
}

/// How an attempt ended, and what is left of the limits for the next one like it.
pub struct Attempted {
    /// The session, or why there is none.
    pub result: Result<SignedIn, Error>,
    /// The limits.
    pub quotas: Vec<Quota>,
}

/// Signs a person in.
///
/// # Errors
/// `invalid_credentials`, `account_disabled`, `rate_limited`, `overloaded`, or a fault.
pub async fn login(app: &App, login: Login, origin: &Origin) -> Attempted {
    let watch = Stopwatch::start();
    let mut user = None;
    let result = sign_in(app, &login, origin, &mut user).await;
    if let Err(Error::Refused(Refusal::RateLimited { .. })) = result {
        watch.reach(REFUSED_AFTER).await;
    }
    let key = AttemptKey::new(user, Some(&login.identifier));
    let quotas = app
        .throttle
        .sign_in_quotas(&key.attempt(origin), app.clock.now());
    Attempted { result, quotas }
}

/// Signs in; `user` is who it was about, where there is such a user.
async fn sign_in(
    app: &App,
    login: &Login,
    origin: &Origin,
    user: &mut Option<UserId>,
) -> Result<SignedIn, Error> {
    for _ in 0..ROUNDS {
        let found = find(app, &login.identifier).await?;
        *user = found.as_ref().map(|credentials| credentials.user.id);
        let mut admitted = admit(app, *user, Some(&login.identifier), origin).await?;
        let (credentials, rehash) = match verify(app, found, &login.password, &mut admitted).await?
        {
            Ok(verified) => verified,
            Err(known) => {
                let reason = match known {
                    Some(_) => LoginFailure::WrongPassword,
                    None => LoginFailure::UnknownUser,
                };
                note_failure(app, known.as_ref(), reason, origin).await?;
                return Err(Refusal::InvalidCredentials.into());
            }
        };
        if credentials.user.status == UserStatus::Disabled {
            let reason = LoginFailure::AccountDisabled;
            note_failure(app, Some(&credentials.user), reason, origin).await?;
            return Err(Refusal::AccountDisabled.into());
        }
        if app.settings().registration.verification == Verification::Required
            && !credentials.user.email_verified
        {
            return Err(ask_to_verify(app, &credentials.user, origin).await?);
        }
        let rehashed = if rehash {
            // Where there is no room for it now, there will be at the next sign-in.
            app.hasher.hash(login.password.clone()).await.ok()
        } else {
            None
        };
        if let Some(signed_in) = begin(
            app,
            credentials.user,
            &login.manner(),
            rehashed.as_deref(),
            origin,
        )
        .await?
        {
            return Ok(signed_in);
        }
    }
    Err(overloaded().into())
}

/// Signs in who has shown elsewhere who they are.
///
/// # Errors
/// `account_disabled`, `invalid_credentials` for an account that is gone, `overloaded`, or a fault.
pub async fn login_known(
    app: &App,
    mut user: User,
    manner: &Manner<'_>,
    origin: &Origin,
) -> Result<SignedIn, Error> {
    for _ in 0..ROUNDS {
        if user.status == UserStatus::Disabled {
            return Err(Refusal::AccountDisabled.into());
        }
        let id = user.id;
        if let Some(signed_in) = begin(app, user, manner, None, origin).await? {
            return Ok(signed_in);
        }
        // Nothing of what let them in stands any more without the identity.
        if let Some(identity) = manner.identity {
            let link = app.store.find_upstream_identity(identity).await?;
            link.filter(|link| link.user == id)
                .ok_or(Refusal::InvalidCredentials)?;
        }
        let found = app.store.find_user(id).await?;
        user = found.ok_or(Refusal::InvalidCredentials)?;
    }
    Err(overloaded().into())
}

/// Sends a fresh mail to confirm the address, which the account needs before anybody signs in; the refusal that says so.
pub(super) async fn ask_to_verify(app: &App, user: &User, origin: &Origin) -> Result<Error, Error> {
    let now = app.clock.now();
    let mut batch = app.store.batch();
    outbox::tell(app, &mut batch, (MailKind::VerifyEmail, user), origin, now)?;
    batch.commit().await?;
    note_failure(app, Some(user), LoginFailure::EmailNotVerified, origin).await?;
    Ok(Refusal::EmailNotVerified.into())
}

/// What the throttle counts under.
struct AttemptKey {
    account: String,
    name: Option<String>,
}

impl AttemptKey {
    /// One account for all names of a user, or the name that nobody has.
    fn new(user: Option<UserId>, typed: Option<&Identifier>) -> Self {
        let key = typed.map(|typed| match typed {
            Identifier::Email(email) => email.key(),
            Identifier::Username(username) => username.key(),
        });
        let name = key.as_deref().map(|key| match key.rsplit_once('@') {
            Some((local, _)) => local.to_owned(),
            None => key.to_owned(),
        });
        let account = user.map(|user| user.to_string());
        Self {
            account: account.or(key).unwrap_or_default(),
            name,
        }
    }

    fn attempt(&self, origin: &Origin) -> Attempt<'_> {
        Attempt {
            account: &self.account,
            name: self.name.as_deref(),
            network: origin.address,
        }
    }
}

/// Step 1, shared by every place that takes a password. `user` is whose password it should be, `typed` the name that
/// was given where one was.
///
/// # Errors
/// `rate_limited`, or a fault.
pub(super) async fn admit<'a>(
    app: &'a App,
    user: Option<UserId>,
    typed: Option<&Identifier>,
    origin: &Origin,
) -> Result<Admitted<'a>, Error> {
    let key = AttemptKey::new(user, typed);
    let (attempt, now) = (key.attempt(origin), app.clock.now());
    match app.throttle.begin(&attempt, now) {
        Err(limited) if limited.strange && signed_in_from_there(app, user, origin).await? => {
            app.throttle.recognize(&attempt, now);
            Ok(app.throttle.begin(&attempt, now)?)
        }
        begun => Ok(begun?),
    }
}

/// What is left of the limits for a user who gives the password again.
#[must_use]
pub fn quotas(app: &App, user: UserId, origin: &Origin) -> Vec<Quota> {
    let key = AttemptKey::new(Some(user), None);
    app.throttle
        .sign_in_quotas(&key.attempt(origin), app.clock.now())
}

/// Whether a session of this user began on the network of `origin` in the last [`REMEMBERED`]. Asked for nobody as well,
/// so that it costs the same.
async fn signed_in_from_there(
    app: &App,
    user: Option<UserId>,
    origin: &Origin,
) -> Result<bool, Error> {
    let Some(address) = origin.address else {
        return Ok(false);
    };
    let user = user.unwrap_or(UserId::from_bytes([0; 16]));
    let since = app.clock.now().minus(REMEMBERED);
    let known = app.store.list_session_addresses(user, since).await?;
    let is_same = |text: &String| {
        text.parse()
            .is_ok_and(|known| Throttle::same_network(known, address))
    };
    Ok(known.iter().any(is_same))
}

async fn find(app: &App, identifier: &Identifier) -> Result<Option<Credentials>, Error> {
    Ok(match identifier {
        Identifier::Email(email) => app.store.find_user_by_email(&email.key()).await?,
        Identifier::Username(username) => app.store.find_user_by_username(&username.key()).await?,
    })
}

/// Step 2: the credentials and whether the hash should be renewed, or the user whose password was wrong.
async fn verify(
    app: &App,
    found: Option<Credentials>,
    password: &Password,
    admitted: &mut Admitted<'_>,
) -> Result<Result<(Credentials, bool), Option<User>>, Error> {
    let stored = found
        .as_ref()
        .and_then(|credentials| credentials.password_hash.clone());
    let verdict = compare(app, password, stored, admitted).await?;
    Ok(match found {
        Some(credentials) if verdict.matches => Ok((credentials, verdict.rehash)),
        other => Err(other.map(|credentials| credentials.user)),
    })
}

/// Step 2, shared by every place that takes a password: compares, and tells the throttle what came of it.
///
/// # Errors
/// `overloaded`, or a fault; the attempt costs nothing then.
pub(super) async fn compare(
    app: &App,
    password: &Password,
    stored: Option<String>,
    admitted: &mut Admitted<'_>,
) -> Result<Verdict, Error> {
    let verdict = app.hasher.verify(password.clone(), stored).await;
    let now = app.clock.now();
    match &verdict {
        Ok(verdict) if verdict.matches => admitted.succeeded(now),
        Ok(_) => admitted.failed(now),
        Err(_) => admitted.excused(now),
    }
    Ok(verdict?)
}

/// A line of the audit log. What was typed as the name is left out: it may be a password.
async fn note_failure(
    app: &App,
    known: Option<&User>,
    reason: LoginFailure,
    origin: &Origin,
) -> Result<(), Error> {
    let now = app.clock.now();
    app.metrics.count(Count::RefusedSignIn);
    let mut event = origin.event(AuditKind::LoginFailed, now);
    event.subject = known.map(|user| user.id);
    event.detail = Some(reason.as_str().to_owned());
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(batch.commit().await?)
}

/// Steps 4 and 5. `None` when the user row changed since it was loaded.
async fn begin(
    app: &App,
    user: User,
    manner: &Manner<'_>,
    rehashed: Option<&str>,
    origin: &Origin,
) -> Result<Option<SignedIn>, Error> {
    let now = app.clock.now();
    let random = |error: crate::rng::RngError| Error::Fault {
        context: "random source",
        source: error.into(),
    };
    let id = SessionId::new(app.rng.uuid_v7(now).map_err(random)?);
    let seed = Zeroizing::new(app.rng.bytes::<32>().map_err(random)?);
    let token = app.issuance()?.first_refresh_token(id, &seed)?;
    let session = new_session(app, user.id, manner, origin, &token);

    let mut batch = app.store.batch();
    batch.record_login(user.id, user.version, now, rehashed);
    if let Some(identity) = manner.identity {
        batch.require_upstream_identity(identity, user.id);
    }
    batch.insert_session(&session);
    let mut revocations = Vec::new();
    if app.store.count_live_sessions(user.id, now).await? >= SESSIONS_PER_USER {
        for oldest in app
            .store
            .list_sessions(user.id, now, u32::MAX)
            .await?
            .iter()
            // Those of applications have a bound of their own.
            .filter(|session| session.client_id == OWN_CLIENT)
            .skip(SESSIONS_PER_USER as usize - 1)
        {
            let ends = Event::SessionEnds {
                session: oldest.id,
                reason: EndReason::Replaced,
            };
            revocations.extend(consequences::write(app, &mut batch, &ends, None, now));
            revocations.extend(browser::end_children(app, &mut batch, oldest.id, now).await?);
            let mut event =
                origin.own_event(AuditKind::SessionEnded, now, user.id, Some(oldest.id));
            event.detail = Some(EndReason::Replaced.as_str().to_owned());
            batch.insert_audit(audit_id(app, now)?, &event);
        }
    }
    outbox::tell_of_device(app, &mut batch, &user, origin, now).await?;
    let event = origin.own_event(AuditKind::LoginSucceeded, now, user.id, Some(id));
    batch.insert_audit(audit_id(app, now)?, &event);
    let committed = app.commit(batch, &revocations).await;
    if lost_race(&committed) {
        return Ok(None);
    }
    committed?;
    let access = issue(app, (&user, &*app.role_book().await?), &session, now)?;
    Ok(Some(SignedIn {
        access,
        refresh_token: token.encode(),
        user,
        session,
    }))
}

/// The session of `token`, which is its first.
fn new_session(
    app: &App,
    user: UserId,
    manner: &Manner<'_>,
    origin: &Origin,
    token: &RefreshToken,
) -> Session {
    let now = app.clock.now();
    let settings = &app.config.refresh;
    let policy = SessionPolicy {
        idle_ttl: settings.idle_ttl,
        absolute_ttl: settings.absolute_ttl,
        unremembered_ttl: settings.session_ttl,
    };
    let life = policy.lifetimes(manner.remember, now);
    Session {
        id: SessionId::from_bytes(token.session()),
        user,
        client_id: OWN_CLIENT.to_owned(),
        refresh: RefreshState {
            generation: token.generation(),
            digest: token.digest().into(),
            key: token.key(),
            rotated_at: now,
            late_generation: None,
        },
        idle_ttl: life.idle_ttl,
        expires_at: life.expires_at,
        persistent: life.persistent,
        transport: manner.transport,
        method: manner.method,
        device: manner.device.map(str::to_owned),
        user_agent: origin.user_agent.clone(),
        address: origin.address_text(),
        created_at: now,
        last_used_at: now,
        ended: None,
    }
}
