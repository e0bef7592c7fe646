//! What one node counts, at another.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{Receiver, channel};

use super::super::Attempt;
use super::super::rates::SETUP;
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Two nodes, and what they tell.
fn two() -> (Throttle, Throttle, Receiver<Counted>) {
    let (tell, told) = channel();
    let nodes = [1, 2].map(|seed| Throttle::new(true, [seed; 16], 256));
    for node in &nodes {
        let tell = tell.clone();
        node.share(
            [9; 16],
            Box::new(move |one| {
                let _heard = tell.send(one);
            }),
        );
    }
    let [one, other] = nodes;
    (one, other, told)
}

fn hear(node: &Throttle, told: &Receiver<Counted>) {
    for counted in told.try_iter() {
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
    let (one, other, told) = two();
    for _ in 0..5 {
        one.begin(&attempt("ada"), NOW).unwrap().failed(NOW);
    }
    assert!(one.begin(&attempt("ada"), NOW).is_err());
    other.begin(&attempt("ada"), NOW).unwrap().excused(NOW);
    hear(&other, &told);
    assert!(other.begin(&attempt("ada"), NOW).is_err());
    // Nobody else is held up, and whoever signs in there is let in here.
    other.begin(&attempt("bob"), NOW).unwrap().excused(NOW);
    told.try_iter().for_each(drop);
    let later = NOW.plus(std::time::Duration::from_secs(60));
    one.begin(&attempt("ada"), later).unwrap().succeeded(later);
    hear(&other, &told);
    other.begin(&attempt("ada"), NOW).unwrap().excused(NOW);
}

#[test]
fn l3_what_a_network_did_at_one_node_counts_at_the_other() {
    let (one, other, told) = two();
    let network = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    for _ in 0..SETUP.burst {
        drop(one.begin_setup(network, NOW).unwrap());
    }
    drop(other.begin_setup(network, NOW).unwrap());
    hear(&other, &told);
    assert!(other.begin_setup(network, NOW).is_err());
    assert_eq!(Counted::from_bytes(&[0; Counted::BYTES]), None);
    assert_eq!(Counted::from_bytes(&[9; Counted::BYTES]), None);
    assert_eq!(Counted::from_bytes(&[1; 3]), None);
}
