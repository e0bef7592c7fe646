//! This version beside the one before it, on one PostgreSQL and under load: nodes are upgraded one after the other, and back
//! (SECURITY row X8).

use symbolon_testkit::{Postgres, former};

use super::load::{Fault, Nodes};

#[test]
fn x8_a_version_after_the_other_and_back_again() {
    let (Some(former), Some(postgres)) = (former(), Postgres::start()) else {
        return;
    };
    let former = Some(former.as_path());
    let mut nodes = Nodes::of_version(&[&postgres.url(), ""], former);
    let steps = "two nodes upgraded one after the other, one of them put back and upgraded again";
    let fault = Fault::begin(steps, &nodes);
    // The first one of this version brings the tables up to date.
    for (number, version) in [(0, None), (1, None), (0, former), (0, None)] {
        nodes.change_version(number, version);
        fault.until_all_go_on();
    }
    println!("{}", fault.mended().nothing_was_lost(nodes));
}
