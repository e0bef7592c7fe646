//! How often one may try, in bounded memory: sign-in by account, by network and by the pair of both.
//!
//! A *network* is an IPv4 address or an IPv6 /64, which one subscriber has. These lanes count:
//!
//! - the **pair** (account from network): five failures are free, then each costs a longer wait: 1 s, 2 s, 4 s … 15 min;
//! - the **name** (what was typed, up to its `@`, from network): the same, for all accounts and for none, so that two
//!   names that share a counter do not tell that there is an account behind them;
//! - the **network**: 60 failures a minute over all accounts;
//! - the **account**: 100 failures an hour over all networks. A pair that has signed in before is held up neither by it
//!   nor by the name, so that strangers cannot lock an owner out (Keycloak GHSA-cq42-vhv7-xr7p).
//!
//! An attempt is counted when it begins and given back when it succeeds, and one network has no more than a share of
//! the hashing queue at a time: who sends hundreds at once leaves room for others.
//!
//! No wait grows beyond 15 minutes, a refused attempt makes none longer, and nothing is locked for good. The counters
//! live in a table of fixed size: what is crowded out is what says least, so a flood of new keys cannot wash away the
//! record of an attack. They are this process's own, and a restart forgets them; who signed in before is then known by
//! the sessions in the store ([`Throttle::recognize`]). Nodes that have a Redis tell each other what they count
//! ([`Throttle::hear`]).

mod admitted;
mod cell;
mod quota;
mod rates;
mod shared;
mod slots;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use symbolon_domain::{Timestamp, UserId};

pub use self::admitted::Admitted;
use self::admitted::Lanes;
use self::cell::{Pair, Rate};
pub use self::quota::Quota;
use self::rates::{
    ACCOUNT, ARRIVAL, CLIENT, DOCUMENT, MAIL, NETWORK, OPEN_REQUEST, PROFILE, REGISTRATION, SETUP,
    USER_CODE,
};
pub use self::shared::Counted;
use self::shared::{Change, Tell};
use self::slots::{Network, Slots};
use self::table::{Key, Lane, Table};

/// Until a network's place in the queue may be free.
const SLOT_WAIT: Duration = Duration::from_secs(1);

/// An attempt to sign in, by whatever door: all of them share the counters.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The account: one key for all its names where it is known, and the lookup key that was given where it is not.
    pub account: &'a str,
    /// What was typed, up to its `@`. `None` where nothing was: who is signed in already and gives the password again.
    pub name: Option<&'a str>,
    /// The client's address. `None`, for what does not come over the network, counts on the account only.
    pub network: Option<IpAddr>,
}

/// Too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: try again in {} s", retry_after.as_secs())]
pub struct RateLimited {
    /// How long to wait, in whole seconds, at least one.
    pub retry_after: Duration,
    /// A pair that is known to have signed in before might be let in.
    pub strange: bool,
}

/// The counters of all lanes.
pub struct Throttle {
    enabled: bool,
    table: Table,
    slots: Slots,
    /// Attempts of one network that may be under way at once.
    share: usize,
    /// To the other nodes, where there are some.
    others: OnceLock<Tell>,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle")
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Throttle {
    /// Empty counters. `seed` keeps others from choosing keys that crowd one place of the table; `queue` is how many
    /// passwords may wait to be hashed, of which one network has a quarter.
    #[must_use]
    pub fn new(enabled: bool, seed: [u8; 16], queue: usize) -> Self {
        Self {
            enabled,
            table: Table::new(seed),
            slots: Slots::default(),
            share: (queue / 4).max(1),
            others: OnceLock::new(),
        }
    }

    /// Lets an attempt in and counts it as running, before the password is looked at.
    ///
    /// # Errors
    /// When it comes too soon.
    pub fn begin(
        &self,
        attempt: &Attempt<'_>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, RateLimited> {
        if !self.enabled {
            return Ok(Admitted::new(self, None, None));
        }
        let lanes = self.lanes(attempt);
        let pair = lanes
            .pair
            .map_or_else(Pair::default, |key| self.table.read(key, Pair::from_bits));
        let strange = |limited| RateLimited {
            strange: !pair.is_known(),
            ..limited
        };
        // What strangers on the same network can have of the queue leaves room for who signed in before.
        let most = match pair.is_trusted(now) {
            true => self.share * 2,
            false => self.share,
        };
        let slot = self.slot(attempt.network, most).map_err(strange)?;
        let mut admitted = Admitted::new(self, Some(lanes), slot);
        admitted.charge(pair, now).map_err(strange)?;
        Ok(admitted)
    }

    /// Remembers that this account signed in from this network before, as the store knows.
    pub fn recognize(&self, attempt: &Attempt<'_>, now: Timestamp) {
        if let (true, Some(key)) = (self.enabled, self.lanes(attempt).pair) {
            self.table
                .update(key, now, |bits| (Pair::recognize(bits), ()));
        }
    }

    /// Whether two addresses are of one network.
    #[must_use]
    pub fn same_network(one: IpAddr, other: IpAddr) -> bool {
        network_bytes(one) == network_bytes(other)
    }

    /// What is left for attempts like this one. It says the same whether or not there is such an account, save to who
    /// is on a network from which it signed in.
    #[must_use]
    pub fn sign_in_quotas(&self, attempt: &Attempt<'_>, now: Timestamp) -> Vec<Quota> {
        let lanes = self.lanes(attempt);
        let (Some(network), Some(pair), true) = (lanes.network, lanes.pair, self.enabled) else {
            return Vec::new();
        };
        let read = |key| self.table.read(key, Pair::from_bits);
        let mut pairs = vec![read(pair)];
        if !pairs[0].is_known() {
            pairs.extend(lanes.name.map(read));
        }
        vec![
            Quota::of_pairs("account", &pairs, now),
            self.quota("network", NETWORK, network, now),
        ]
    }

    /// Counts a registration from `network`, and takes a place in the hashing queue for it.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_registration(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, RateLimited> {
        self.count(Lane::Registration, REGISTRATION, network, now)
    }

    /// What is left of the registrations of `network`.
    #[must_use]
    pub fn registration_quotas(&self, network: Option<IpAddr>, now: Timestamp) -> Vec<Quota> {
        self.quotas(
            "registration",
            (Lane::Registration, REGISTRATION),
            network,
            now,
        )
    }

    /// Counts a try at the set-up token, right or wrong.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_setup(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, RateLimited> {
        self.count(Lane::Setup, SETUP, network, now)
    }

    /// What is left of the tries of `network` at the set-up token.
    #[must_use]
    pub fn setup_quotas(&self, network: Option<IpAddr>, now: Timestamp) -> Vec<Quota> {
        self.quotas("setup", (Lane::Setup, SETUP), network, now)
    }

    /// Counts a mail that somebody asks for by naming an address.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_mail(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, RateLimited> {
        self.count(Lane::Mail, MAIL, network, now)
    }

    /// What is left of the mails that `network` may ask for.
    #[must_use]
    pub fn mail_quotas(&self, network: Option<IpAddr>, now: Timestamp) -> Vec<Quota> {
        self.quotas("mail", (Lane::Mail, MAIL), network, now)
    }

    /// Counts a client that somebody registers.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_client(&self, network: Option<IpAddr>, now: Timestamp) -> Result<(), RateLimited> {
        self.count_only((Lane::Client, CLIENT), network, now)
    }

    /// Counts a document that is fetched because somebody named it.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_document(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        self.count_only((Lane::Document, DOCUMENT), network, now)
    }

    /// Counts what takes no place in the hashing queue.
    fn count_only(
        &self,
        (lane, rate): (Lane, Rate),
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        let (Some(address), true) = (network, self.enabled) else {
            return Ok(());
        };
        let key = self.table.key(lane, &[&network_bytes(address)]);
        self.take(key, rate, now)
    }

    /// Counts a code of a device that somebody types (RFC 8628 section 5.1).
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_user_code(
        &self,
        network: Option<IpAddr>,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        self.count_only((Lane::UserCode, USER_CODE), network, now)?;
        self.count_user((Lane::UserCode, USER_CODE), user, now)
    }

    /// Counts a request that is kept for a client which has proven nothing.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_open_request(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        self.count_only((Lane::OpenRequest, OPEN_REQUEST), network, now)
    }

    /// Counts somebody who comes back from another provider.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_arrival(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        self.count_only((Lane::Arrival, ARRIVAL), network, now)
    }

    /// Counts a change that a user makes to the own profile.
    ///
    /// # Errors
    /// When there were too many.
    pub fn begin_profile_change(&self, user: UserId, now: Timestamp) -> Result<(), RateLimited> {
        self.count_user((Lane::Profile, PROFILE), user, now)
    }

    fn count_user(
        &self,
        (lane, rate): (Lane, Rate),
        user: UserId,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        if !self.enabled {
            return Ok(());
        }
        let key = self.table.key(lane, &[user.as_bytes()]);
        self.take(key, rate, now)
    }

    /// Counts one, if it fits, here and at the other nodes.
    fn take(&self, key: Key, rate: Rate, now: Timestamp) -> Result<(), RateLimited> {
        limited(self.table.update(key, now, |bits| rate.take(bits, now)))?;
        self.tell(Change::Charged, key);
        Ok(())
    }

    fn count(
        &self,
        lane: Lane,
        rate: Rate,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, RateLimited> {
        let (Some(address), true) = (network, self.enabled) else {
            return Ok(Admitted::new(self, None, None));
        };
        let slot = self.slot(network, self.share)?;
        let key = self.table.key(lane, &[&network_bytes(address)]);
        self.take(key, rate, now)?;
        Ok(Admitted::new(self, None, slot))
    }

    fn slot(
        &self,
        network: Option<IpAddr>,
        most: usize,
    ) -> Result<Option<slots::Slot<'_>>, RateLimited> {
        let Some(address) = network else {
            return Ok(None);
        };
        match self.slots.take(network_bytes(address), most) {
            None => Err(RateLimited {
                retry_after: SLOT_WAIT,
                strange: false,
            }),
            slot => Ok(slot),
        }
    }

    fn quotas(
        &self,
        policy: &'static str,
        (lane, rate): (Lane, Rate),
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Vec<Quota> {
        let network = network.filter(|_| self.enabled).map(network_bytes);
        let key = network.map(|network| self.table.key(lane, &[&network]));
        key.map(|key| self.quota(policy, rate, key, now))
            .into_iter()
            .collect()
    }

    fn quota(&self, policy: &'static str, rate: Rate, key: Key, now: Timestamp) -> Quota {
        self.table
            .read(key, |bits| Quota::of_rate(policy, rate, bits, now))
    }

    fn lanes(&self, attempt: &Attempt<'_>) -> Lanes {
        let account = attempt.account.as_bytes();
        let network = attempt.network.map(network_bytes);
        Lanes {
            account: self.table.key(Lane::Account, &[account]),
            network: network.map(|network| self.table.key(Lane::Network, &[&network])),
            name: network
                .zip(attempt.name)
                .map(|(network, name)| self.table.key(Lane::Name, &[&network, name.as_bytes()])),
            pair: network.map(|network| self.table.key(Lane::Pair, &[&network, account])),
        }
    }
}

fn limited(wait: Option<Duration>) -> Result<(), RateLimited> {
    match wait {
        None => Ok(()),
        Some(wait) => {
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            Err(RateLimited {
                retry_after: Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)),
                strange: false,
            })
        }
    }
}

/// The IPv4 address, or the first half of the IPv6 address: what one subscriber can change at will is left out.
fn network_bytes(address: IpAddr) -> Network {
    let mut bytes = [0; 9];
    match address.to_canonical() {
        IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&v6.octets()[..8]);
        }
    }
    bytes
}
