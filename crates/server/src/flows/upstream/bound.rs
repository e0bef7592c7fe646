//! What a browser takes along to a provider, in a cookie under a MAC.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use symbolon_domain::Timestamp;
use symbolon_token::encoding;
use zeroize::Zeroizing;

use super::super::Error;
use super::{Goal, LIFE, NotLanded, draw};
use crate::app::App;
use crate::sealing::SealError;

/// Clocks of others differ by so much, in seconds.
const CLOCKS_S: i64 = 60;
/// What the MAC is for.
const LABEL: &str = "upstream sign-in";

/// What was begun.
pub(super) struct Bound {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: Zeroizing<String>,
    pub(super) carried: String,
    /// Whether the person was to sign in there anew.
    pub(super) anew: bool,
    until: Timestamp,
}

/// The same in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    state: String,
    nonce: String,
    verifier: String,
    carried: String,
    anew: bool,
    until: i64,
}

impl Bound {
    /// Draws what nobody can guess.
    pub(super) fn draw(app: &App, name: &str, goal: Goal) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            state: draw(app)?,
            nonce: draw(app)?,
            verifier: Zeroizing::new(draw(app)?),
            carried: goal.carried,
            anew: goal.anew,
            until: app.clock.now().plus(LIFE),
        })
    }

    /// The value of the cookie.
    pub(super) fn seal(&self, app: &App) -> Result<Zeroizing<String>, Error> {
        let written = Written {
            name: self.name.clone(),
            state: self.state.clone(),
            nonce: self.nonce.clone(),
            verifier: self.verifier.to_string(),
            carried: self.carried.clone(),
            anew: self.anew,
            until: self.until.millis(),
        };
        let json = serde_json::to_vec(&written).map(Zeroizing::new);
        let json = json.map_err(|error| Error::fault("upstream cookie")(error.into()))?;
        let tag = app.issuance()?.master.mac(LABEL, &json).map_err(fault)?;
        let (json, tag) = (encoding::encode(&json), encoding::encode(&tag));
        Ok(Zeroizing::new(format!("{json}.{tag}")))
    }

    /// Reads a cookie that is ours and not too old.
    pub(super) fn open(app: &App, cookie: &str) -> Result<Self, NotLanded> {
        let unbound = || NotLanded::Unbound;
        let (json, tag) = cookie.split_once('.').ok_or_else(unbound)?;
        let json = encoding::decode(json.as_bytes()).map_err(|_| unbound())?;
        let tag = encoding::decode(tag.as_bytes()).map_err(|_| unbound())?;
        let master = &app.issuance()?.master;
        if !master.mac_is(LABEL, &json, &tag).map_err(fault)? {
            return Err(unbound());
        }
        let written: Written = serde_json::from_slice(&json).map_err(|_| unbound())?;
        let until = Timestamp::from_millis(written.until);
        if app.clock.now() >= until {
            return Err(unbound());
        }
        Ok(Self {
            name: written.name,
            state: written.state,
            nonce: written.nonce,
            verifier: Zeroizing::new(written.verifier),
            carried: written.carried,
            anew: written.anew,
            until,
        })
    }

    /// Whether a sign-in at the provider belongs to this: nothing is said of others.
    pub(super) fn is_fresh(&self, auth_time_s: Option<i64>) -> bool {
        let began = self.until.minus(LIFE).seconds();
        !self.anew || auth_time_s.is_none_or(|at| at >= began - CLOCKS_S)
    }

    /// Whether it is the state that was sent.
    pub(super) fn is_state(&self, state: &str) -> bool {
        verify_slices_are_equal(self.state.as_bytes(), state.as_bytes()).is_ok()
    }

    /// `code_challenge` (RFC 7636 section 4.2)
    pub(super) fn challenge(&self) -> String {
        encoding::encode(digest(&SHA256, self.verifier.as_bytes()).as_ref())
    }
}

fn fault(error: SealError) -> Error {
    Error::fault("upstream cookie")(error.into())
}
