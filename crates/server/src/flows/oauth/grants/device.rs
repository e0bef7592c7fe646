//! Devices without a keyboard or a browser (RFC 8628).
//!
//! 1. The device gets a code of its own and one to be typed (section 3.2).
//! 2. A person who is signed in types it, on another device, sees who asks for what, and decides (section 3.3). What is
//!    asked for is settled at step 1 (SECURITY row A20). Guesses are counted by network and by person.
//! 3. The device asks for its tokens, not too often (section 3.5), and gets them once.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use symbolon_domain::oauth::{
    DEVICE_INTERVAL, DeviceState, ErrorCode, OAuthError, Poll, Scopes, USER_CODE_LETTERS, UserCode,
    poll as judge_poll, scopes_of, targets_of,
};
use symbolon_domain::{Client, ClientStatus, ClientType, EndReason, Grant, Resource, Session};
use symbolon_store::DeviceRow;
use zeroize::Zeroizing;

use super::super::browser::Browser;
use super::super::consents::{self, Agreed};
use super::super::frozen::Granted;
use super::super::secret_text::{digest_of, draw};
use super::super::token::{Asked, Tokens};
use super::super::{Credentials, Failed, authenticate};
use super::begin;
use crate::app::App;
use crate::flows::clients::resolve;
use crate::flows::{Error, Origin, ROUNDS, lost_race, overloaded};

/// What the code of a device begins with.
const PREFIX: &str = "sbd_";
/// How long a device waits at most.
const LIFE: Duration = Duration::from_secs(600);

/// What a device is told (section 3.2).
pub struct Begun {
    /// `device_code`.
    pub device_code: Zeroizing<String>,
    /// `user_code`, as it is shown.
    pub user_code: String,
    /// `expires_in`, in seconds.
    pub expires_in: u64,
    /// `interval`, in seconds.
    pub interval: u64,
}

#[derive(Serialize, Deserialize)]
struct Wish {
    scopes: String,
    resources: Vec<String>,
}

impl Wish {
    fn of(scopes: &Scopes, resources: &[Resource]) -> Self {
        Self {
            scopes: scopes.to_string(),
            resources: resources.iter().map(Resource::to_string).collect(),
        }
    }

    fn text(&self) -> Result<String, Error> {
        let text = serde_json::to_string(self);
        text.map_err(|error| Error::fault("keeping a request")(error.into()))
    }
}

/// Step 1.
///
/// # Errors
/// `invalid_client`, `unauthorized_client`, `invalid_scope`, `invalid_target`; a fault.
pub async fn authorize(
    app: &App,
    credentials: &Credentials<'_>,
    origin: &Origin,
) -> Result<Begun, Failed> {
    let now = app.clock.now();
    let client = authenticate(app, credentials, origin).await?;
    if !client.definition.grants.contains(&Grant::DeviceCode) {
        let sentence = "The client may not use this grant.";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, sentence).into());
    }
    let scopes = scopes_of(&client, credentials.parameters)?;
    let resources = targets_of(&client, credentials.parameters)?;
    if client.kind == ClientType::Public {
        let counted = app.throttle.begin_open_request(origin.address, now);
        counted.map_err(Error::from)?;
    }
    let request = Wish::of(&scopes, &resources).text()?;
    let device_code = draw(app, PREFIX)?;
    for _ in 0..ROUNDS {
        let row = DeviceRow {
            digest: digest_of(PREFIX, &device_code).ok_or_else(OAuthError::invalid_grant)?,
            user_code: draw_user_code(app)?,
            client: client.id.clone(),
            request: request.clone(),
            state: DeviceState::Pending,
            auth_time: None,
            browser: None,
            polled_at: None,
            pause: DEVICE_INTERVAL,
            expires_at: now.plus(LIFE),
        };
        let mut batch = app.store.batch();
        batch.insert_device(&row);
        match batch.commit().await {
            Err(symbolon_store::Error::Conflict("user_code")) => {}
            committed => {
                committed?;
                return Ok(Begun {
                    device_code,
                    user_code: row.user_code.shown(),
                    expires_in: LIFE.as_secs(),
                    interval: DEVICE_INTERVAL.as_secs(),
                });
            }
        }
    }
    Err(overloaded().into())
}

/// Eight letters, each as likely as the next.
fn draw_user_code(app: &App) -> Result<UserCode, Error> {
    let random = |error: crate::rng::RngError| Error::fault("random source")(error.into());
    let letters = USER_CODE_LETTERS.len();
    let mut code = String::new();
    while code.len() < 8 {
        let bytes = app.rng.bytes::<16>().map_err(random)?;
        // 240 is the greatest multiple of the number of letters.
        let fair = bytes
            .iter()
            .filter(|byte| usize::from(**byte) < 256 / letters * letters);
        code.extend(fair.map(|byte| char::from(USER_CODE_LETTERS[usize::from(*byte) % letters])));
    }
    code.truncate(8);
    UserCode::parse(&code).ok_or_else(|| Error::fault("user code")("not eight letters".into()))
}

/// A device that a person has typed the code of.
pub struct Waiting {
    /// Whose it is.
    pub client: Arc<Client>,
    /// What it asks for, as far as the person can give it.
    pub scopes: Scopes,
    /// At which APIs.
    pub resources: Vec<Resource>,
    row: DeviceRow,
}

impl Waiting {
    /// The code to compare, as it is shown.
    #[must_use]
    pub fn code(&self) -> String {
        self.row.user_code.shown()
    }
}

/// Step 2: the device that waits under this code; nothing where there is none.
///
/// # Errors
/// `rate_limited` after too many guesses; a fault.
pub async fn find(
    app: &App,
    browser: &Browser,
    typed: &str,
    origin: &Origin,
) -> Result<Option<Waiting>, Error> {
    let now = app.clock.now();
    app.throttle
        .begin_user_code(origin.address, browser.user.id, now)?;
    let Some(code) = UserCode::parse(typed) else {
        return Ok(None);
    };
    let row = app.store.find_device_by_user_code(&code).await?;
    let row = row.filter(|row| row.state == DeviceState::Pending && now < row.expires_at);
    let Some(row) = row else {
        return Ok(None);
    };
    let client = resolve(app, &row.client, origin).await?;
    let client = client.filter(|client| client.definition.status == ClientStatus::Active);
    let Some(client) = client else {
        return Ok(None);
    };
    let wish = read(&row)?;
    let holds = app.role_book().await?.effective(&browser.user.roles);
    let scopes = Scopes::parse(&wish.scopes).unwrap_or_default();
    Ok(Some(Waiting {
        client,
        scopes: scopes.held_by(&holds.permissions),
        resources: wish
            .resources
            .iter()
            .flat_map(|text| Resource::parse(text))
            .collect(),
        row,
    }))
}

fn read(row: &DeviceRow) -> Result<Wish, Error> {
    serde_json::from_str(&row.request)
        .map_err(|error| Error::fault("reading a kept request")(error.into()))
}

/// Step 2: what the person decided. False where the device waits no more.
///
/// # Errors
/// A fault.
pub async fn decide(
    app: &App,
    browser: &Browser,
    (waiting, allowed): (&Waiting, bool),
    origin: &Origin,
) -> Result<bool, Error> {
    let (user, session) = (browser.user.id, browser.session.id);
    // Not what was asked for: what was shown (SECURITY row A20).
    let shown = Wish::of(&waiting.scopes, &waiting.resources).text()?;
    let approved = allowed.then_some((user, browser.auth_time(), session, &*shown));
    let digest = waiting.row.digest;
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let mut batch = app.store.batch();
        batch.decide_device(digest, approved, now);
        if allowed {
            let agreed = Agreed {
                client: &waiting.client.id,
                scopes: &waiting.scopes,
                resources: &waiting.resources,
            };
            consents::add(app, &mut batch, browser, (&agreed, now), origin).await?;
        }
        let committed = batch.commit().await;
        if !lost_race(&committed) {
            committed?;
            return Ok(true);
        }
        let row = app.store.find_device(digest).await?;
        let waits = |row: &DeviceRow| row.state == DeviceState::Pending && now < row.expires_at;
        if !row.as_ref().is_some_and(waits) {
            return Ok(false);
        }
    }
    Err(overloaded().into())
}

/// Step 3.
pub(in super::super) async fn poll(app: &App, asked: &Asked<'_>) -> Result<Tokens, Failed> {
    let text = asked
        .request
        .credentials
        .parameters
        .required("device_code")?;
    let digest = digest_of(PREFIX, text).ok_or_else(OAuthError::invalid_grant)?;
    for _ in 0..ROUNDS {
        let found = app.store.find_device(digest).await?;
        let row = found.filter(|row| row.client == asked.client.id);
        let row = row.ok_or_else(OAuthError::invalid_grant)?;
        let asks = (row.polled_at, row.pause);
        match judge_poll(row.state, asks, (row.expires_at, asked.now)) {
            Poll::Refuse(code, pause) => {
                let mut batch = app.store.batch();
                batch.poll_device(&row, asked.now, pause);
                let noted = batch.commit().await;
                if lost_race(&noted) {
                    continue;
                }
                noted?;
                return Err(refused(code).into());
            }
            Poll::Tokens(user) => {
                let user = app.store.find_user(user).await?;
                let user = user.ok_or_else(OAuthError::invalid_grant)?;
                let granted = granted(&row)?;
                let parent = app.store.find_session(granted.browser()).await?;
                let parent = parent.filter(is_to_be_believed);
                let parent = parent.ok_or_else(OAuthError::invalid_grant)?;
                let take = |batch: &mut symbolon_store::Batch, session| {
                    batch.take_device(digest, session, asked.now);
                };
                if let Some(tokens) = begin(app, asked, (&user, &granted, &parent), take).await? {
                    return Ok(tokens);
                }
            }
        }
    }
    Err(overloaded().into())
}

fn granted(row: &DeviceRow) -> Result<Granted, Failed> {
    let wish = read(row)?;
    let approved = row.auth_time.zip(row.browser);
    let (auth_time, browser) = approved.ok_or_else(OAuthError::invalid_grant)?;
    Ok(Granted {
        scopes: wish.scopes,
        resources: wish.resources,
        nonce: None,
        claims: None,
        auth_time: auth_time.millis(),
        browser: browser.uuid(),
        // The device goes on when the person signs out at the browser where they agreed.
        tied: false,
        jkt: None,
    })
}

/// Whether the sign-in at which somebody agreed goes on, or ended because they were done: not because somebody else may have
/// been at it.
fn is_to_be_believed(parent: &Session) -> bool {
    let reason = parent.ended.map(|ended| ended.reason);
    matches!(reason, None | Some(EndReason::Logout | EndReason::Replaced))
}

fn refused(code: ErrorCode) -> OAuthError {
    match code {
        ErrorCode::AuthorizationPending => OAuthError::new(code, "The person has not decided yet."),
        ErrorCode::SlowDown => OAuthError::new(code, "Ask less often: 5 seconds more each time."),
        ErrorCode::ExpiredToken => OAuthError::new(code, "The code is too old. Begin again."),
        ErrorCode::AccessDenied => OAuthError::new(code, "The person does not agree."),
        _ => OAuthError::invalid_grant(),
    }
}
