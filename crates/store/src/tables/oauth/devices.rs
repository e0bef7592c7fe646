//! Devices that wait until somebody agrees.

use std::time::Duration;

use symbolon_domain::oauth::{DeviceState, UserCode};
use symbolon_domain::refresh::Digest;
use symbolon_domain::{ClientId, SessionId, Timestamp, UserId};

use crate::statement::{Expect, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

statements! {
    FIND =
        "SELECT digest, user_code, client_id, request, state, user_id, auth_time, browser, polled_at, pause, \
         expires_at FROM device_codes WHERE digest = $1";
    FIND_BY_USER_CODE =
        "SELECT digest, user_code, client_id, request, state, user_id, auth_time, browser, polled_at, pause, \
         expires_at FROM device_codes WHERE user_code = $1";
    INSERT =
        "INSERT INTO device_codes (digest, user_code, client_id, request, state, pause, expires_at) \
         VALUES ($1, $2, $3, $4, 'pending', $5, $6)";
    DECIDE =
        "UPDATE device_codes SET state = $1, user_id = $2, auth_time = $3, browser = $4, request = COALESCE($5, request) \
         WHERE digest = $6 AND state = 'pending' AND expires_at > $7";
    POLL =
        "UPDATE device_codes SET polled_at = $1, pause = $2 WHERE digest = $3 AND polled_at IS NOT DISTINCT FROM $4";
    TAKE =
        "UPDATE device_codes SET state = 'used', session_id = $1 \
         WHERE digest = $2 AND state = 'approved' AND expires_at > $3";
    DELETE_OF_USER = "DELETE FROM device_codes WHERE user_id = $1";
    PURGE =
        "DELETE FROM device_codes WHERE digest IN \
         (SELECT digest FROM device_codes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

/// A device that waits (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// SHA-256 of the device's code.
    pub digest: Digest,
    /// What the person types.
    pub user_code: UserCode,
    /// Whose device it is.
    pub client: ClientId,
    /// What it asks for.
    pub request: String,
    /// How far it is.
    pub state: DeviceState,
    /// When the person who agreed had signed in.
    pub auth_time: Option<Timestamp>,
    /// The session of the browser where they agreed.
    pub browser: Option<SessionId>,
    /// When the device last asked.
    pub polled_at: Option<Timestamp>,
    /// How long it has to wait between two questions.
    pub pause: Duration,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Store {
    /// The device with the code of this digest. It may have expired.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_device(&self, digest: Digest) -> Result<Option<DeviceRow>, Error> {
        self.find(FIND, &[(*digest.as_bytes()).into()], read).await
    }

    /// The same by what the person types.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_device_by_user_code(
        &self,
        code: &UserCode,
    ) -> Result<Option<DeviceRow>, Error> {
        let values = [code.as_str().to_owned().into()];
        self.find(FIND_BY_USER_CODE, &values, read).await
    }

    /// Drops devices whose wait is over, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![before.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Keeps a device that waits. The commit is [`Error::Conflict`] with `user_code` where another one has that code.
    pub fn insert_device(&mut self, device: &DeviceRow) -> &mut Self {
        let values = [
            (*device.digest.as_bytes()).into(),
            device.user_code.as_str().to_owned().into(),
            device.client.as_str().to_owned().into(),
            device.request.clone().into(),
            device.pause.into(),
            device.expires_at.into(),
        ];
        self.push(INSERT, Expect::One, values)
    }

    /// Notes what was decided: the person, when they signed in and the session of their browser, or that they
    /// refused. The commit is [`Error::Stale`] unless it was waiting at `now`.
    pub fn decide_device(
        &mut self,
        digest: Digest,
        approved: Option<(UserId, Timestamp, SessionId, &str)>,
        now: Timestamp,
    ) -> &mut Self {
        let state = if approved.is_some() {
            "approved"
        } else {
            "denied"
        };
        let user = approved.map(|(user, ..)| user);
        let values = [
            Value::Word(state),
            user.into(),
            approved.map(|(_, at, ..)| at).into(),
            approved.map(|(_, _, browser, _)| browser).into(),
            approved.map(|(.., request)| request.to_owned()).into(),
            (*digest.as_bytes()).into(),
            now.into(),
        ];
        self.push(DECIDE, Expect::One, values)
    }

    /// Notes that a device asked, and how long it has to wait. Compare-and-set on when it asked before.
    pub fn poll_device(
        &mut self,
        device: &DeviceRow,
        now: Timestamp,
        pause: Duration,
    ) -> &mut Self {
        let values = [
            now.into(),
            pause.into(),
            (*device.digest.as_bytes()).into(),
            device.polled_at.into(),
        ];
        self.push(POLL, Expect::One, values)
    }

    /// Uses it up for a session. The commit is [`Error::Stale`] unless it was approved, and good at `now`.
    pub fn take_device(&mut self, digest: Digest, session: SessionId, now: Timestamp) -> &mut Self {
        let values = [session.into(), (*digest.as_bytes()).into(), now.into()];
        self.push(TAKE, Expect::One, values)
    }

    /// Deletes those that a user decided upon.
    pub fn delete_user_devices(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_OF_USER, Expect::Any, [user.into()])
    }
}

fn read(row: &Row<'_>) -> Result<DeviceRow, Error> {
    let user = row.array_or_none(5)?.map(UserId::from_bytes);
    let state = row.parsed(4, |word| match (word, user) {
        ("pending", _) => Ok(DeviceState::Pending),
        ("approved", Some(user)) => Ok(DeviceState::Approved(user)),
        ("denied", _) => Ok(DeviceState::Denied),
        ("used", _) => Ok(DeviceState::Used),
        _ => Err("the state of a device"),
    })?;
    Ok(DeviceRow {
        digest: Digest::new(row.array(0)?),
        user_code: row.parsed(1, |text| UserCode::parse(text).ok_or("a user code"))?,
        client: row.parsed(2, ClientId::parse)?,
        request: row.text(3)?,
        state,
        auth_time: row.time_or_none(6)?,
        browser: row.array_or_none(7)?.map(SessionId::from_bytes),
        polled_at: row.time_or_none(8)?,
        pause: Duration::from_millis(row.int(9)?.unsigned_abs()),
        expires_at: row.time(10)?,
    })
}
