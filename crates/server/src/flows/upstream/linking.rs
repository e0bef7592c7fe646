//! Linking an identity to an account whose owner gives its password.
//!
//! 1. Somebody came from a provider with an identity that is nobody's, and an address that an account has. What they came
//!    with goes into the form that signs in, under a MAC and for ten minutes ([`Offer`]). It is in no link: a page that
//!    somebody is sent to links nothing.
//! 2. The form comes back with a password. Signing in is as it always is, and judges that password.
//! 3. If the account that it belongs to has the address, the identity is linked to it ([`link`]). Who signed in to another
//!    account signed in, and nothing is linked.

use serde::{Deserialize, Serialize};
use symbolon_domain::upstream::ForeignIdentity;
use symbolon_domain::{Email, Refusal, Timestamp, User, UserId};
use symbolon_token::encoding;

use super::super::{Error, Origin, ROUNDS, lost_race, overloaded};
use super::LIFE;
use super::arrival::insert;
use super::identities::MOST;
use crate::app::App;
use crate::sealing::SealError;

/// What the MAC is for.
const LABEL: &str = "upstream identity to link";
const TAG_BYTES: usize = 32;

/// An identity that waits for the password of the account that has its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    identity: ForeignIdentity,
    /// The address, as accounts are found by it.
    email: String,
    until: Timestamp,
}

/// What the page needs that asks for the password.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The [`Offer`], sealed, for a hidden field.
    pub offer: String,
    /// The address as the provider tells it.
    pub email: String,
    /// As in [`super::Goal::carried`].
    pub carried: String,
}

/// Issuer, subject, address, and milliseconds since 1970.
#[derive(Serialize, Deserialize)]
struct Written(String, String, String, i64);

impl Offer {
    /// Of somebody who came now.
    pub(super) fn new(identity: ForeignIdentity, email: &Email, now: Timestamp) -> Self {
        Self {
            identity,
            email: email.key(),
            until: now.plus(LIFE),
        }
    }

    /// Step 1: as text for a hidden field.
    pub(super) fn seal(&self, app: &App) -> Result<String, Error> {
        let written = Written(
            self.identity.issuer().to_owned(),
            self.identity.subject().to_owned(),
            self.email.clone(),
            self.until.millis(),
        );
        let json = serde_json::to_vec(&written);
        let mut bytes = json.map_err(|error| Error::fault("identity to link")(error.into()))?;
        let tag = app.issuance()?.master.mac(LABEL, &bytes).map_err(fault)?;
        bytes.extend_from_slice(&tag);
        Ok(encoding::encode(&bytes))
    }

    /// Step 2: what a form brought back; nothing where it is none of ours, or too old.
    ///
    /// # Errors
    /// A fault when the keys are not open.
    pub fn open(app: &App, text: &str) -> Result<Option<Self>, Error> {
        let Ok(bytes) = encoding::decode(text.as_bytes()) else {
            return Ok(None);
        };
        let Some((json, tag)) = bytes.split_last_chunk::<TAG_BYTES>() else {
            return Ok(None);
        };
        let ours = app.issuance()?.master.mac_is(LABEL, json, tag);
        if !ours.map_err(fault)? {
            return Ok(None);
        }
        let Ok(Written(issuer, subject, email, until)) = serde_json::from_slice(json) else {
            return Ok(None);
        };
        let (identity, until) = (
            ForeignIdentity::new(&issuer, &subject),
            Timestamp::from_millis(until),
        );
        let opened = identity.ok().map(|identity| Self {
            identity,
            email,
            until,
        });
        Ok(opened.filter(|_| app.clock.now() < until))
    }
}

/// Step 3, after `user` has given the password: whether the identity is one of the account now.
///
/// # Errors
/// `conflict` where the identity has become another account's meanwhile, or the account has as many as it can have;
/// `overloaded`, or a fault.
pub async fn link(app: &App, user: UserId, offer: &Offer, origin: &Origin) -> Result<bool, Error> {
    for _ in 0..ROUNDS {
        let found = app.store.find_user(user).await?.filter(User::is_active);
        let Some(user) = found.filter(|user| user.email.key() == offer.email) else {
            return Ok(false);
        };
        let owner = app.store.find_upstream_identity(&offer.identity).await?;
        match owner {
            Some(link) if link.user == user.id => return Ok(true),
            Some(_) => return Err(Refusal::Conflict("identity").into()),
            None => {}
        }
        let known = app.store.list_upstream_identities(user.id, MOST).await?;
        if known.len() >= MOST as usize {
            return Err(Refusal::Conflict("identities").into());
        }
        let mut batch = app.store.batch();
        batch.require_user(user.id, user.version);
        insert(app, &mut batch, (&offer.identity, &user), origin)?;
        let committed = batch.commit().await;
        let conflict = matches!(committed, Err(symbolon_store::Error::Conflict(_)));
        if !conflict && !lost_race(&committed) {
            committed?;
            return Ok(true);
        }
    }
    Err(overloaded().into())
}

fn fault(error: SealError) -> Error {
    Error::fault("identity to link")(error.into())
}
