//! How often one may try, in bounded memory: sign-in by account, by network and by the pair of both.
//!
//! A *network* is an IPv4 address or an IPv6 /64, which one subscriber has. Three lanes count:
//!
//! - the **pair** (account from network): five failures are free, then each costs a longer wait: 1 s, 2 s, 4 s … 15 min;
//! - the **network**: 60 failures a minute over all accounts;
//! - the **account**: 100 failures an hour over all networks. A pair that has signed in before is not held up by it, so
//!   that strangers cannot lock an owner out (Keycloak GHSA-cq42-vhv7-xr7p).
//!
//! No wait grows beyond 15 minutes, a refused attempt makes none longer, and nothing is locked for good. The counters
//! live in a table of fixed size: what is crowded out is what says least, so a flood of new keys cannot wash away the
//! record of an attack. They are this process's own, and a restart forgets them.

mod cell;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use symbolon_domain::Timestamp;

use self::cell::{Pair, Rate};
use self::table::{Key, Lane, Table};

/// Failures on one network that cost nothing, and how fast they are forgotten.
const NETWORK: Rate = Rate {
    burst: 60,
    each: Duration::from_secs(1),
};
/// Failures on one account from networks that never signed in to it.
const ACCOUNT: Rate = Rate {
    burst: 100,
    each: Duration::from_secs(36),
};
/// Accounts that one network may make.
const REGISTRATION: Rate = Rate {
    burst: 100,
    each: Duration::from_secs(10),
};

/// An attempt to sign in, by whatever door: all of them share the counters.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The account: one key for all its names where it is known, and the lookup key that was given where it is not.
    pub account: &'a str,
    /// The client's address. `None`, for what does not come over the network, counts on the account only.
    pub network: Option<IpAddr>,
}

/// Too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: try again in {} s", retry_after.as_secs())]
pub struct RateLimited {
    /// How long to wait, in whole seconds, at least one.
    pub retry_after: Duration,
}

/// The counters of all lanes.
pub struct Throttle {
    enabled: bool,
    table: Table,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle")
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Throttle {
    /// Empty counters. `seed` keeps others from choosing keys that crowd one place of the table.
    #[must_use]
    pub fn new(enabled: bool, seed: [u8; 16]) -> Self {
        Self {
            enabled,
            table: Table::new(seed),
        }
    }

    /// Lets an attempt in and counts it as running, before the password is looked at. Follow it with
    /// [`Throttle::record_failure`] or [`Throttle::record_success`]; an attempt that was given up needs neither.
    ///
    /// # Errors
    /// When it comes too soon.
    pub fn check_sign_in(&self, attempt: &Attempt<'_>, now: Timestamp) -> Result<(), RateLimited> {
        if !self.enabled {
            return Ok(());
        }
        let lanes = self.lanes(attempt);
        let pair = lanes.pair.map(|key| self.table.read(key, Pair::from_bits));
        let trusted = pair.is_some_and(|pair| pair.is_trusted(now));
        if let (Some(key), false) = (lanes.network, trusted) {
            limited(NETWORK.wait(self.table.read(key, |bits| bits), now))?;
        }
        let strange = !pair.is_some_and(Pair::is_known);
        if strange {
            limited(
                self.table
                    .update(lanes.account, now, |bits| ACCOUNT.take(bits, now)),
            )?;
        }
        let Some(key) = lanes.pair else { return Ok(()) };
        let begun = limited(self.table.update(key, now, |bits| Pair::begin(bits, now)));
        if begun.is_err() && strange {
            self.table.update(lanes.account, now, |bits| {
                (ACCOUNT.give_back(bits, now), ())
            });
        }
        begun
    }

    /// The password was wrong, or there is no such account.
    pub fn record_failure(&self, attempt: &Attempt<'_>, now: Timestamp) {
        if !self.enabled {
            return;
        }
        let lanes = self.lanes(attempt);
        if let Some(key) = lanes.pair {
            self.table
                .update(key, now, |bits| (Pair::fail(bits, now), ()));
        }
        if let Some(key) = lanes.network {
            self.table
                .update(key, now, |bits| (NETWORK.charge(bits, now), ()));
        }
    }

    /// The password was right. The pair starts anew and is known from now on; what strangers did to the account stays.
    pub fn record_success(&self, attempt: &Attempt<'_>, now: Timestamp) {
        if !self.enabled {
            return;
        }
        let lanes = self.lanes(attempt);
        let known = lanes
            .pair
            .is_some_and(|key| self.table.update(key, now, |bits| Pair::succeed(bits, now)));
        if !known {
            self.table.update(lanes.account, now, |bits| {
                (ACCOUNT.give_back(bits, now), ())
            });
        }
    }

    /// Counts a registration from `network`.
    ///
    /// # Errors
    /// When there were too many.
    pub fn check_registration(
        &self,
        network: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        match network {
            Some(address) if self.enabled => {
                let key = self
                    .table
                    .key(Lane::Registration, &[&network_bytes(address)]);
                limited(
                    self.table
                        .update(key, now, |bits| REGISTRATION.take(bits, now)),
                )
            }
            _ => Ok(()),
        }
    }

    fn lanes(&self, attempt: &Attempt<'_>) -> Lanes {
        let account = attempt.account.as_bytes();
        let network = attempt.network.map(network_bytes);
        Lanes {
            account: self.table.key(Lane::Account, &[account]),
            network: network.map(|network| self.table.key(Lane::Network, &[&network])),
            pair: network.map(|network| self.table.key(Lane::Pair, &[&network, account])),
        }
    }
}

struct Lanes {
    account: Key,
    network: Option<Key>,
    pair: Option<Key>,
}

fn limited(wait: Option<Duration>) -> Result<(), RateLimited> {
    match wait {
        None => Ok(()),
        Some(wait) => {
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            Err(RateLimited {
                retry_after: Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)),
            })
        }
    }
}

/// The IPv4 address, or the first half of the IPv6 address: what one subscriber can change at will is left out.
fn network_bytes(address: IpAddr) -> [u8; 9] {
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
