//! What several nodes count together: each tells the others what it has counted, and adds what it hears.

use symbolon_domain::Timestamp;

use super::cell::{Pair, Rate};
use super::table::{Key, Lane};
use super::{
    ACCOUNT, ARRIVAL, CLIENT, DOCUMENT, MAIL, NETWORK, OPEN_REQUEST, PROFILE, REGISTRATION, SETUP,
    Throttle, USER_CODE,
};
use crate::peers::{Told, Voice};

/// What became of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Charged = 1,
    GivenBack = 2,
    Failed = 3,
    Succeeded = 4,
}

/// A counter, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    change: Change,
    key: Key,
}

impl Counted {
    /// How long it is in a message.
    pub const BYTES: usize = 17;

    /// The change, then the counter's place and tag, the highest byte first.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (change, key) = bytes.split_at_mut(1);
        change.fill(self.change as u8);
        key.copy_from_slice(&self.key.to_bytes());
        bytes
    }

    /// Nothing where the bytes are of another form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (change, key) = bytes.split_first()?;
        let all = [
            Change::Charged,
            Change::GivenBack,
            Change::Failed,
            Change::Succeeded,
        ];
        Some(Self {
            change: all.into_iter().find(|one| *one as u8 == *change)?,
            key: Key::from_bytes(key.try_into().ok()?),
        })
    }
}

impl Throttle {
    /// Counts with other nodes from now on, which have the same `seed`. To be called before anything is counted.
    pub fn share(&self, seed: [u8; 16], voice: Voice) {
        self.table.share(seed);
        let _set_once = self.voice.set(voice);
    }

    /// Adds what another node has counted.
    pub fn hear(&self, counted: Counted, now: Timestamp) {
        if !self.enabled {
            return;
        }
        let key = counted.key;
        let (change, rate) = (counted.change, rate_of(key));
        self.table.update(key, now, |bits| {
            let changed = match (change, rate) {
                (Change::Charged, Some(rate)) => rate.charge(bits, now),
                (Change::GivenBack, Some(rate)) => rate.give_back(bits, now),
                (Change::Failed, None) => Pair::failed_elsewhere(bits, now),
                (Change::Succeeded, None) => Pair::succeeded_elsewhere(bits, now),
                _ => bits,
            };
            (changed, ())
        });
    }

    /// Tells the other nodes, where there are some.
    pub(super) fn tell(&self, change: Change, key: Key) {
        if let Some(voice) = self.voice.get() {
            voice.tell(Told::Counted(Counted { change, key }));
        }
    }
}

/// How fast a counter is emptied; nothing for one of a pair.
fn rate_of(key: Key) -> Option<Rate> {
    let rates = [
        (Lane::Account, ACCOUNT),
        (Lane::Network, NETWORK),
        (Lane::Registration, REGISTRATION),
        (Lane::Setup, SETUP),
        (Lane::Mail, MAIL),
        (Lane::Profile, PROFILE),
        (Lane::Client, CLIENT),
        (Lane::Document, DOCUMENT),
        (Lane::UserCode, USER_CODE),
        (Lane::OpenRequest, OPEN_REQUEST),
        (Lane::Arrival, ARRIVAL),
    ];
    let found = rates.into_iter().find(|(lane, _)| key.is_of(*lane));
    found.map(|(_, rate)| rate)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use tokio::sync::mpsc;

    use super::super::Attempt;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    /// Two nodes, of which the second hears the first.
    fn two() -> (Throttle, Throttle, mpsc::Receiver<Told>) {
        let (voice, told) = mpsc::channel(1000);
        let nodes = [1, 2].map(|seed| Throttle::new(true, [seed; 16], 256));
        for node in &nodes {
            node.share([9; 16], Voice::new(voice.clone()));
        }
        let [one, other] = nodes;
        (one, other, told)
    }

    fn hear(node: &Throttle, told: &mut mpsc::Receiver<Told>) {
        while let Ok(Told::Counted(counted)) = told.try_recv() {
            let again = Counted::from_bytes(&counted.to_bytes()).unwrap();
            assert_eq!(again, counted);
            node.hear(again, NOW);
        }
    }

    fn attempt(account: &str) -> Attempt<'_> {
        Attempt {
            account,
            name: Some(account),
            network: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        }
    }

    #[test]
    fn l1_what_fails_at_one_node_counts_at_the_other() {
        let (one, other, mut told) = two();
        for _ in 0..5 {
            one.begin(&attempt("ada"), NOW).unwrap().failed(NOW);
        }
        assert!(one.begin(&attempt("ada"), NOW).is_err());
        other.begin(&attempt("ada"), NOW).unwrap().excused(NOW);
        hear(&other, &mut told);
        assert!(other.begin(&attempt("ada"), NOW).is_err());
        // Nobody else is held up, and whoever signs in there is let in here.
        other.begin(&attempt("bob"), NOW).unwrap().excused(NOW);
        while told.try_recv().is_ok() {}
        let later = NOW.plus(std::time::Duration::from_secs(60));
        one.begin(&attempt("ada"), later).unwrap().succeeded(later);
        hear(&other, &mut told);
        other.begin(&attempt("ada"), NOW).unwrap().excused(NOW);
    }

    #[test]
    fn l3_what_a_network_did_at_one_node_counts_at_the_other() {
        let (one, other, mut told) = two();
        let network = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        for _ in 0..SETUP.burst {
            drop(one.begin_setup(network, NOW).unwrap());
        }
        drop(other.begin_setup(network, NOW).unwrap());
        hear(&other, &mut told);
        assert!(other.begin_setup(network, NOW).is_err());
        assert_eq!(Counted::from_bytes(&[0; Counted::BYTES]), None);
        assert_eq!(Counted::from_bytes(&[9; Counted::BYTES]), None);
        assert_eq!(Counted::from_bytes(&[1; 3]), None);
    }
}
