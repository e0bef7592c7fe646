//! A request that waits for its person: it travels with the pages, so that nothing of it need be kept here.
//!
//! It holds the parameters as they came and when they came first, behind a MAC. Each step judges the parameters anew; the
//! time tells whether a sign-in belongs to this request (`prompt=login`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use symbolon_domain::oauth::Parameters;
use symbolon_domain::{Timestamp, UserId};
use symbolon_token::encoding;
use uuid::Uuid;

use super::Failed;
use crate::app::App;
use crate::flows::Error;

const LABEL: &str = "authorization request";
const TAG_BYTES: usize = 32;
/// How long a person may take.
pub(super) const LIFE: Duration = Duration::from_secs(3_600);
/// For how long a page that was left open can begin again.
const RENEWABLE: Duration = Duration::from_secs(24 * 3_600);

/// A request on its way through the pages.
#[derive(Clone)]
pub(super) struct Interaction {
    pub(super) parameters: Parameters,
    pub(super) began_at: Timestamp,
    /// What somebody is being asked.
    pub(super) asked: Option<Shown>,
    /// The name under which it was pushed ahead: it is good for one answer (RFC 9126 section 4).
    pub(super) pushed: Option<String>,
}

/// What a person sees when they are asked: what they allow is that, whatever a client has become meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) user: Uuid,
    pub(super) scopes: String,
    pub(super) resources: Vec<String>,
    pub(super) leads_to: String,
}

impl Shown {
    /// What is the same for whatever asks.
    pub(super) fn to(user: UserId) -> Self {
        Self {
            user: user.uuid(),
            scopes: String::new(),
            resources: Vec::new(),
            leads_to: String::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Kept(i64, Option<Shown>, Option<String>, Vec<(String, String)>);

impl Interaction {
    /// As text for a hidden field.
    pub(super) fn seal(&self, app: &App) -> Result<String, Error> {
        let fault = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::fault("sealing a request")(error)
        };
        let pairs = self.parameters.pairs();
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kept = Kept(
            self.began_at.millis(),
            self.asked.clone(),
            self.pushed.clone(),
            pairs.collect(),
        );
        let mut bytes = serde_json::to_vec(&kept).map_err(|error| fault(error.into()))?;
        let tag = app.issuance()?.master.mac(LABEL, &bytes);
        bytes.extend_from_slice(&tag.map_err(|error| fault(error.into()))?);
        Ok(encoding::encode(&bytes))
    }

    /// What a page sent back.
    ///
    /// # Errors
    /// [`Failed::Expired`] for what was not made here, or too long ago.
    pub(super) fn open(app: &App, text: &str, now: Timestamp) -> Result<Self, Failed> {
        let kept = Self::read(app, text)?;
        match now > kept.began_at.plus(LIFE) {
            true => Err(Failed::Expired),
            false => Ok(kept),
        }
    }

    /// The same, where one that is too old begins anew: whoever was asked is asked again, and a sign-in of before does not
    /// count as one for this request.
    ///
    /// # Errors
    /// [`Failed::Expired`] for what was not made here, or a day ago, or was pushed ahead.
    pub(super) fn open_anew(app: &App, text: &str, now: Timestamp) -> Result<Self, Failed> {
        let kept = Self::read(app, text)?;
        if now <= kept.began_at.plus(LIFE) {
            return Ok(kept);
        }
        if kept.pushed.is_some() || now > kept.began_at.plus(RENEWABLE) {
            return Err(Failed::Expired);
        }
        Ok(Self {
            began_at: now,
            asked: None,
            ..kept
        })
    }

    fn read(app: &App, text: &str) -> Result<Self, Failed> {
        let bytes = encoding::decode(text.as_bytes()).map_err(|_| Failed::Expired)?;
        let split = bytes.len().checked_sub(TAG_BYTES).ok_or(Failed::Expired)?;
        let (kept, tag) = bytes.split_at(split);
        let ours = app.issuance()?.master.mac_is(LABEL, kept, tag);
        if !ours.map_err(|error| Error::fault("opening a request")(error.into()))? {
            return Err(Failed::Expired);
        }
        let Kept(began_at, asked, pushed, pairs) =
            serde_json::from_slice(kept).map_err(|_| Failed::Expired)?;
        let began_at = Timestamp::from_millis(began_at);
        Ok(Self {
            parameters: Parameters::read(pairs)?,
            began_at,
            asked,
            pushed,
        })
    }
}
