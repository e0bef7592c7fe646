//! Who is signed in at a browser, for all the applications that it visits (single sign-on).
//!
//! 1. A sign-in on our pages is a session like any other, of our own client. Its first refresh token is the secret in the
//!    browser's cookie; it is never replaced, and no refresh takes it.
//! 2. A new sign-in makes a new session and ends the one before in that browser (SECURITY row S1). Of the same person, what
//!    hung on the former hangs on the new one; of another person, it ends.
//! 3. When the session ends, however that comes, so do the sessions of clients that were not given `offline_access`.

use std::time::Duration;

use symbolon_domain::ending::Event;
use symbolon_domain::revocation::Revocation;
use symbolon_domain::upstream::ForeignIdentity;
use symbolon_domain::{
    EndReason, Identifier, Life, Password, Session, SessionId, SignInMethod, Timestamp, Transport,
    User, UserStatus,
};
use symbolon_store::Batch;
use zeroize::Zeroizing;

use crate::app::App;
use crate::flows::consequences::{Together, write_together};
use crate::flows::login::{self, Login, Manner, OWN_CLIENT, SignedIn};
use crate::flows::logout::end_own;
use crate::flows::refresh::authentic;
use crate::flows::{Error, Origin, consequences, lost_race};

/// A use is noted when the last one was so long ago.
const NOTED_AFTER: Duration = Duration::from_secs(300);
/// Sessions of clients that end with one of a browser.
const MOST_CHILDREN: u32 = 100_000;

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The session.
    pub session: Session,
    /// The person.
    pub user: User,
}

impl Browser {
    /// When the person signed in: here, or by another provider.
    #[must_use]
    pub fn auth_time(&self) -> Timestamp {
        self.session.created_at
    }
}

/// What a person types.
pub struct SignIn {
    /// Address or username.
    pub identifier: Identifier,
    /// The password.
    pub password: Password,
    /// Whether the session outlives the browser.
    pub remember: bool,
}

/// A browser where somebody has just signed in, and the secret for its cookie.
pub struct Begun {
    /// Who, and the session.
    pub browser: Browser,
    /// The cookie's value.
    pub secret: Zeroizing<String>,
}

/// Who is signed in with this cookie; nobody where it is none of ours, or the session is over.
///
/// # Errors
/// A fault of the store.
pub async fn find(app: &App, cookie: &str) -> Result<Option<Browser>, Error> {
    let now = app.clock.now();
    let Ok(token) = authentic(app, cookie) else {
        return Ok(None);
    };
    let id = SessionId::from_bytes(token.session());
    let Some((session, user)) = app.store.find_refresh(id).await? else {
        return Ok(None);
    };
    let is_good = session.transport == Transport::Page
        && session.client_id == OWN_CLIENT
        && session.refresh.digest == token.digest().into()
        && session.life(now) == Life::Live
        && user.status == UserStatus::Active;
    if !is_good {
        return Ok(None);
    }
    if now.since(session.last_used_at) > NOTED_AFTER {
        let mut batch = app.store.batch();
        batch.touch_session(id, now);
        batch.commit().await?;
    }
    Ok(Some(Browser { session, user }))
}

/// Signs a person in at a browser, where somebody may be signed in already. Step 2.
///
/// # Errors
/// As [`login::login`].
pub async fn begin(
    app: &App,
    sign_in: SignIn,
    former: Option<&Browser>,
    origin: &Origin,
) -> Result<Begun, Error> {
    let attempt = Login {
        identifier: sign_in.identifier,
        password: sign_in.password,
        remember: sign_in.remember,
        device: None,
        transport: Transport::Page,
    };
    let signed_in = login::login(app, attempt, origin).await.result?;
    settle(app, signed_in, former, origin).await
}

/// Who has signed in elsewhere.
pub struct Known<'a> {
    /// The account.
    pub user: User,
    /// How.
    pub method: SignInMethod,
    /// With what, where it may be taken away meanwhile.
    pub identity: Option<&'a ForeignIdentity>,
}

/// The same for who has signed in elsewhere: at another provider.
///
/// # Errors
/// As [`login::login_known`].
pub async fn begin_known(
    app: &App,
    known: Known<'_>,
    former: Option<&Browser>,
    origin: &Origin,
) -> Result<Begun, Error> {
    let manner = Manner {
        remember: false,
        device: None,
        transport: Transport::Page,
        method: known.method,
        identity: known.identity,
    };
    let signed_in = login::login_known(app, known.user, &manner, origin).await?;
    settle(app, signed_in, former, origin).await
}

async fn settle(
    app: &App,
    signed_in: SignedIn,
    former: Option<&Browser>,
    origin: &Origin,
) -> Result<Begun, Error> {
    let begun = Begun {
        browser: Browser {
            session: signed_in.session,
            user: signed_in.user,
        },
        secret: signed_in.refresh_token,
    };
    if let Some(former) = former {
        replace(app, former, &begun.browser, origin).await?;
    }
    Ok(begun)
}

async fn replace(app: &App, former: &Browser, new: &Browser, origin: &Origin) -> Result<(), Error> {
    if former.user.id != new.user.id {
        let (session, user) = (former.session.id, former.user.id);
        end_own(app, session, user, EndReason::Replaced, origin).await?;
        return Ok(());
    }
    let now = app.clock.now();
    let mut batch = app.store.batch();
    let ends = Event::SessionEnds {
        session: former.session.id,
        reason: EndReason::Replaced,
    };
    // The end comes first: it waits for whoever hangs something on that session, which is moved then.
    let revocations = consequences::write(app, &mut batch, &ends, None, now);
    batch.move_authorizations(former.session.id, new.session.id);
    let committed = app.commit(batch, &revocations).await;
    // It ended by itself meanwhile, with what hung on it.
    if lost_race(&committed) {
        return Ok(());
    }
    Ok(committed?)
}

/// Step 3: ends what hangs on a session, behind what ends that in the same batch.
pub(in crate::flows) async fn end_children(
    app: &App,
    batch: &mut Batch,
    browser: SessionId,
    now: Timestamp,
) -> Result<Vec<Revocation>, Error> {
    let children = app
        .store
        .list_browser_authorizations(browser, now, MOST_CHILDREN)
        .await?;
    let (which, how) = (Together::OfBrowser(browser), (now, EndReason::SignedOut));
    Ok(write_together(app, batch, &which, &children, how))
}
