//! Jobs that one node does for all.

use std::collections::BTreeSet;

use symbolon_testkit::Postgres;

use super::place::Place;

#[test]
fn one_node_leads_every_job_and_gives_them_up_when_it_ends() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let url = postgres.url();
    let holders = || {
        let text = postgres.run(
            &url,
            "SELECT name || ' ' || encode(holder, 'hex') FROM leases",
        );
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let places = [(); 2].map(|()| Place::node(&url));
    let first = places[0].serve();
    let led = holders();
    assert_eq!(led.len(), 5, "{led:?}");
    let ids: BTreeSet<_> = led
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(ids.len(), 1, "{led:?}");
    let second = places[1].serve();
    // It is renewed and left alone.
    assert_eq!(holders(), led);
    first.stop();
    // Given up, or taken by the other since.
    assert!(holders().is_disjoint(&led), "{led:?}");
    second.stop();
    assert_eq!(holders(), BTreeSet::new());
}
