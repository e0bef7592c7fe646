//! Guessing gets slow, owners get in, memory stays bounded.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use symbolon_domain::Timestamp;

use super::{Admitted, Attempt, RateLimited, Throttle};

const START: i64 = 1_800_000_000_000;
const QUARTER: Duration = Duration::from_secs(15 * 60);

/// A throttle and the time.
struct World {
    throttle: Throttle,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self {
            throttle: Throttle::new(true, [7; 16], 256),
            now: Timestamp::from_millis(START),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    fn attempt<'a>(account: &'a str, from: IpAddr) -> Attempt<'a> {
        Attempt {
            account,
            name: Some(account),
            network: Some(from),
        }
    }

    fn begin(&self, account: &str, from: IpAddr) -> Result<Admitted<'_>, RateLimited> {
        self.throttle.begin(&Self::attempt(account, from), self.now)
    }

    /// Whether an attempt would be let in; it is given up.
    fn check(&self, account: &str, from: IpAddr) -> Result<(), RateLimited> {
        self.begin(account, from).map(drop)
    }

    fn wrong(&self, account: &str, from: IpAddr) -> Result<(), RateLimited> {
        self.begin(account, from)?.failed(self.now);
        Ok(())
    }

    fn right(&self, account: &str, from: IpAddr) -> Result<(), RateLimited> {
        self.begin(account, from)?.succeeded(self.now);
        Ok(())
    }

    /// Lets in as many as may run at once, of 500.
    fn flood(&self, account: &str, from: IpAddr) -> Vec<Admitted<'_>> {
        (0..500)
            .filter_map(|_| self.begin(account, from).ok())
            .collect()
    }
}

fn v4(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + number).into()
}

fn wait(result: Result<(), RateLimited>) -> u64 {
    result.unwrap_err().retry_after.as_secs()
}

#[test]
fn l1_a_hundred_wrong_passwords_wait_longer_and_longer_and_are_never_locked_out() {
    let mut world = World::new();
    let mut waits = Vec::new();
    for attempt in 0..100 {
        if let Err(limited) = world.wrong("alice", v4(1)) {
            assert!(limited.retry_after >= Duration::from_secs(1));
            waits.push(limited.retry_after.as_secs());
            world.pass(limited.retry_after);
            world.wrong("alice", v4(1)).unwrap();
        } else {
            assert!(attempt < 5, "the first five are free");
        }
    }
    assert_eq!(
        waits[..12],
        [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    );
    assert!(
        waits.iter().all(|wait| *wait <= QUARTER.as_secs()),
        "{waits:?}"
    );
    world.pass(QUARTER);
    world.right("alice", v4(1)).unwrap();
    world.right("alice", v4(1)).unwrap();
}

#[test]
fn l1_trying_while_one_must_wait_does_not_lengthen_the_wait() {
    let mut world = World::new();
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    assert_eq!(wait(world.check("alice", v4(1))), 1);
    world.pass(Duration::from_millis(999));
    for _ in 0..1_000 {
        assert_eq!(wait(world.check("alice", v4(1))), 1);
    }
    world.pass(Duration::from_millis(1));
    world.check("alice", v4(1)).unwrap();
}

#[test]
fn a_right_password_ends_the_waiting() {
    let mut world = World::new();
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    world.pass(Duration::from_secs(1));
    world.right("alice", v4(1)).unwrap();
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    assert_eq!(wait(world.check("alice", v4(1))), 1);
}

#[test]
fn failures_are_forgotten_after_a_quiet_day() {
    let mut world = World::new();
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    world.pass(Duration::from_secs(24 * 3600 + 1));
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
}

#[test]
fn l2_a_thousand_networks_on_one_account_do_not_keep_its_owner_out() {
    let mut world = World::new();
    world.right("alice", v4(1)).unwrap();
    let mut let_in = 0;
    for number in 0..1_000 {
        while world.wrong("alice", v4(1_000 + number)).is_ok() {
            let_in += 1;
        }
    }
    assert_eq!(
        let_in, 100,
        "all of them together had the account's hundred"
    );
    world.right("alice", v4(1)).unwrap();
    let stranger = wait(world.check("alice", v4(999_999)));
    assert!(stranger <= QUARTER.as_secs());
    world.pass(Duration::from_secs(stranger));
    world.right("alice", v4(999_999)).unwrap();
}

#[test]
fn l2_guessing_from_everywhere_for_a_day_stays_at_a_hundred_an_hour() {
    let mut world = World::new();
    let mut let_in = 0_u32;
    for step in 0..24 * 360 {
        if world.wrong("alice", v4(step)).is_ok() {
            let_in += 1;
        }
        world.pass(Duration::from_secs(10));
    }
    assert!((2_400..=2_500).contains(&let_in), "{let_in}");
}

#[test]
fn l3_one_network_on_ten_thousand_accounts_is_limited() {
    let mut world = World::new();
    let let_in = (0..10_000)
        .filter(|number| world.wrong(&format!("user{number}"), v4(1)).is_ok())
        .count();
    assert_eq!(let_in, 60);
    world.check("user1", v4(2)).unwrap();
    world.pass(Duration::from_secs(60));
    let let_in = (0..10_000)
        .filter(|number| world.wrong(&format!("u{number}"), v4(1)).is_ok())
        .count();
    assert_eq!(let_in, 60);
}

#[test]
fn l3_the_addresses_of_one_64_are_one_network() {
    let world = World::new();
    let address = |subnet: u64, host: u64| {
        IpAddr::from(Ipv6Addr::from_bits(
            u128::from(0x2001_0db8_0000_0000 + subnet) << 64 | u128::from(host),
        ))
    };
    let spray = |subnet: u64| {
        (0..1_000)
            .filter(|n| {
                world
                    .wrong(&format!("user{n}"), address(subnet, *n))
                    .is_ok()
            })
            .count()
    };
    assert_eq!(spray(0), 60);
    assert_eq!(spray(0), 0);
    assert_eq!(spray(1), 60);
    let mapped = "::ffff:10.0.0.9".parse().unwrap();
    for _ in 0..5 {
        world.wrong("alice", mapped).unwrap();
    }
    world
        .check("alice", "10.0.0.9".parse().unwrap())
        .unwrap_err();
}

#[test]
fn who_signed_in_before_gets_past_a_bad_neighbour() {
    let world = World::new();
    world.right("alice", v4(1)).unwrap();
    for number in 0..60 {
        world.wrong(&format!("user{number}"), v4(1)).unwrap();
    }
    world.check("bob", v4(1)).unwrap_err();
    world.right("alice", v4(1)).unwrap();
    world.wrong("alice", v4(1)).unwrap();
    world.check("alice", v4(1)).unwrap_err();
}

#[test]
fn l1_attempts_at_the_same_moment_are_counted_before_they_fail() {
    let mut world = World::new();
    let mut running = world.flood("alice", v4(1));
    assert_eq!(running.len(), 32, "while nothing speaks against them");
    for attempt in &mut running {
        attempt.failed(world.now);
    }
    drop(running);
    assert_eq!(wait(world.check("alice", v4(1))), 900);
    world.pass(QUARTER);
    assert_eq!(world.flood("alice", v4(1)).len(), 1);
}

#[test]
fn after_one_failure_no_more_run_at_once_than_are_free() {
    let world = World::new();
    world.wrong("alice", v4(1)).unwrap();
    assert_eq!(world.flood("alice", v4(1)).len(), 4);
}

#[test]
fn one_network_has_a_share_of_the_queue_and_others_are_served() {
    let mut world = World::new();
    let mut running = Vec::new();
    for number in 0..500 {
        running.extend(world.begin(&format!("user{number}"), v4(1)));
    }
    assert_eq!(running.len(), 60, "each was charged when it began");
    world.check("alice", v4(2)).unwrap();
    for attempt in &mut running {
        attempt.excused(world.now);
    }
    drop(running);
    // Strangers that are known on their own accounts pass the network's counter, not its share of the queue.
    for number in 0..200 {
        world.right(&format!("own{number}"), v4(1)).unwrap();
    }
    let known: Vec<_> = (0..200)
        .filter_map(|number| world.begin(&format!("own{number}"), v4(1)).ok())
        .collect();
    assert_eq!(known.len(), 128, "half of the queue");
    assert_eq!(wait(world.check("alice", v4(1))), 1);
    world.check("alice", v4(2)).unwrap();
    drop(known);
    world.pass(Duration::from_secs(1));
    world.check("alice", v4(1)).unwrap();
}

#[test]
fn what_was_not_tried_costs_nothing() {
    let world = World::new();
    for _ in 0..1_000 {
        world.begin("alice", v4(1)).unwrap().excused(world.now);
    }
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    assert_eq!(wait(world.check("alice", v4(1))), 1);
}

#[test]
fn l2_who_the_store_knows_is_let_in_after_a_restart() {
    let world = World::new();
    for number in 0..1_000 {
        while world.wrong("alice", v4(1_000 + number)).is_ok() {}
    }
    let limited = world.check("alice", v4(1)).unwrap_err();
    assert!(limited.strange);
    let attempt = World::attempt("alice", v4(1));
    world.throttle.recognize(&attempt, world.now);
    world.right("alice", v4(1)).unwrap();
    assert!(world.check("alice", v4(2)).unwrap_err().strange);
    // Being recognized excuses no failures from there.
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    let limited = world.check("alice", v4(1)).unwrap_err();
    assert!(!limited.strange);
}

#[test]
fn l7_names_share_a_counter_whether_or_not_there_is_an_account() {
    let tries = |accounts: [&str; 2]| {
        let world = World::new();
        let from = |account| Attempt {
            account,
            name: Some("ada"),
            network: Some(v4(1)),
        };
        let mut seen = Vec::new();
        for number in 0..8 {
            let attempt = from(accounts[number % 2]);
            if let Ok(mut admitted) = world.throttle.begin(&attempt, world.now) {
                admitted.failed(world.now);
            }
            seen.push(world.throttle.sign_in_quotas(&attempt, world.now));
        }
        seen
    };
    assert_eq!(tries(["id", "id"]), tries(["ada@example.com", "ada"]));
    assert_eq!(tries(["id", "ada"]), tries(["ada@example.com", "ada"]));
}

#[test]
fn l7_an_own_account_does_not_wash_the_counter_of_a_name() {
    let world = World::new();
    let begin = |account| {
        let attempt = Attempt {
            account,
            name: Some("ada"),
            network: Some(v4(1)),
        };
        world.throttle.begin(&attempt, world.now)
    };
    for _ in 0..4 {
        begin("nobody").unwrap().failed(world.now);
    }
    begin("mine").unwrap().succeeded(world.now);
    begin("nobody").unwrap().failed(world.now);
    begin("nobody").map(drop).unwrap_err();
    begin("mine").unwrap().succeeded(world.now);
}

#[test]
fn quotas_say_what_is_left() {
    let mut world = World::new();
    let quotas = |world: &World| {
        let all = world
            .throttle
            .sign_in_quotas(&World::attempt("alice", v4(1)), world.now);
        all.iter()
            .map(|quota| {
                (
                    quota.policy,
                    quota.remaining,
                    quota.reset.map(|t| t.as_secs()),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        quotas(&world),
        [("account", 5, None), ("network", 60, Some(0))]
    );
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
    assert_eq!(
        quotas(&world),
        [("account", 0, Some(1)), ("network", 55, Some(5))]
    );
    world.pass(Duration::from_secs(1));
    assert_eq!(
        quotas(&world),
        [("account", 1, None), ("network", 56, Some(4))]
    );
    world.right("alice", v4(1)).unwrap();
    assert_eq!(
        quotas(&world),
        [("account", 5, None), ("network", 56, Some(4))]
    );
}

#[test]
fn attempts_that_were_given_up_cost_nothing_for_long() {
    let mut world = World::new();
    while world.check("alice", v4(1)).is_ok() {}
    world.pass(Duration::from_secs(31));
    for _ in 0..5 {
        world.wrong("alice", v4(1)).unwrap();
    }
}

#[test]
fn a_storm_of_right_passwords_is_no_attack() {
    let world = World::new();
    for _ in 0..10_000 {
        world.right("alice", v4(1)).unwrap();
    }
    for number in 0..10_000 {
        world.right(&format!("user{number}"), v4(2)).unwrap();
    }
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out_for_long() {
    let mut world = World::new();
    for _ in 0..20 {
        if let Err(limited) = world.wrong("alice", v4(1)) {
            world.pass(limited.retry_after);
        }
    }
    world.now = world.now.minus(Duration::from_secs(3600));
    if let Err(limited) = world.check("alice", v4(1)) {
        assert!(limited.retry_after <= QUARTER);
        world.pass(limited.retry_after + Duration::from_secs(3600));
    }
    world.check("alice", v4(1)).unwrap();
    world.now = Timestamp::from_millis(-5);
    let _ = world.check("bob", v4(1));
}

#[test]
fn without_a_network_only_the_account_counts() {
    let world = World::new();
    let attempt = Attempt {
        account: "alice",
        name: None,
        network: None,
    };
    let let_in = (0..1_000)
        .filter(|_| world.throttle.begin(&attempt, world.now).is_ok())
        .count();
    assert_eq!(let_in, 100);
}

#[test]
fn registrations_are_limited_by_network() {
    let mut world = World::new();
    let count = |world: &World, from| {
        (0..1_000)
            .filter(|_| world.throttle.begin_registration(from, world.now).is_ok())
            .count()
    };
    assert_eq!(count(&world, Some(v4(1))), 100);
    assert_eq!(count(&world, Some(v4(2))), 100);
    world.pass(Duration::from_secs(10));
    assert_eq!(count(&world, Some(v4(1))), 1);
    assert_eq!(count(&world, None), 1_000);
}

#[test]
fn switched_off_it_says_yes() {
    let throttle = Throttle::new(false, [7; 16], 256);
    let now = Timestamp::from_millis(START);
    let attempt = World::attempt("alice", v4(1));
    let mut running = Vec::new();
    for _ in 0..1_000 {
        let mut admitted = throttle.begin(&attempt, now).unwrap();
        admitted.failed(now);
        running.push(admitted);
        running.push(throttle.begin_registration(Some(v4(1)), now).unwrap());
    }
    assert_eq!(throttle.sign_in_quotas(&attempt, now), []);
    assert_eq!(throttle.registration_quotas(Some(v4(1)), now), []);
}

#[test]
fn a_flood_of_keys_washes_away_neither_an_attack_nor_an_owner() {
    let mut world = World::new();
    world.right("owner", v4(1)).unwrap();
    for _ in 0..12 {
        if let Err(limited) = world.wrong("alice", v4(2)) {
            world.pass(limited.retry_after);
        }
    }
    let _ = world.wrong("alice", v4(2));
    let before = wait(world.check("alice", v4(2)));
    for number in 0..600_000 {
        let _ = world.wrong(&format!("flood{number}"), v4(10_000 + number));
    }
    assert_eq!(wait(world.check("alice", v4(2))), before);
    for number in 0..200 {
        let _ = world.wrong("owner", v4(5_000_000 + number));
    }
    world.right("owner", v4(1)).unwrap();
}
