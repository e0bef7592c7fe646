//! Two servers on one PostgreSQL while something breaks, under a load of refreshes, checks, sign-outs and sign-ins: what was
//! answered stays true, nobody is signed out, nothing that was revoked comes back to life, and all goes on by itself (SECURITY
//! rows X1 and X2; CONTRACT section 5, rules 2, 4 and 5). The table of it is in `docs/nodes.md`.

mod again;
mod doors;
mod forged;
mod keys;
mod limits;
mod load;
mod lost;
mod pair;
mod races;
mod shop;
mod standby;
mod stuck;
mod versions;
mod wire;

use symbolon_testkit::Postgres;

use self::load::{Fault, Nodes};
use self::wire::Wire;
use super::running::Stopwatch;

#[test]
fn x2_a_postgresql_that_is_killed_under_load() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let nodes = Nodes::start(&[&postgres.url(), ""]);
    let fault = Fault::begin("PostgreSQL killed with -9, and started again", &nodes);
    postgres.crash();
    fault.until_felt();
    postgres.restart();
    println!("{}", fault.mended().nothing_was_lost(nodes));
}

#[test]
fn x1_a_postgresql_that_stands_still() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let nodes = Nodes::start(&[&postgres.url(), ""]);
    let fault = Fault::begin(
        "PostgreSQL stopped for three seconds (a disk that hangs)",
        &nodes,
    );
    postgres.freeze();
    // Time that passes for the server's disk: nothing tells of it.
    let watch = Stopwatch::start();
    while watch.elapsed().as_secs() < 3 {
        std::thread::yield_now();
    }
    postgres.thaw();
    let fault = fault.mended();
    fault.held_up(2500);
    println!("{}", fault.nothing_was_lost(nodes));
}

#[test]
fn x1_a_postgresql_whose_disk_is_full() {
    let Some(postgres) = Postgres::on_a_disk_of(160) else {
        return;
    };
    let nodes = Nodes::start(&[&postgres.url(), ""]);
    let fault = Fault::begin("PostgreSQL's disk full, and room again", &nodes);
    postgres.fill();
    fault.until_felt();
    postgres.empty();
    println!("{}", fault.mended().nothing_was_lost(nodes));
}

#[test]
fn x1_a_node_that_is_cut_from_the_database() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url();
    let wire = Wire::lay(&postgres);
    let nodes = Nodes::start(&[&url, &wire.url(&url)]);
    let fault = Fault::begin("one node of two cut from the database", &nodes);
    wire.cut();
    fault.until_felt();
    wire.mend();
    println!("{}", fault.mended().nothing_was_lost(nodes));
}

#[test]
fn x2_a_node_that_is_killed() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let mut nodes = Nodes::start(&[&postgres.url(), ""]);
    let fault = Fault::begin("one node of two killed with -9, and started again", &nodes);
    nodes.kill(1);
    fault.until_felt();
    nodes.start_again(1);
    println!("{}", fault.mended().nothing_was_lost(nodes));
}

#[test]
fn x5_two_nodes_rotate_keys_at_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let nodes = Nodes::start(&[&postgres.url(), ""]);
    let fault = Fault::begin("both nodes told to rotate keys, five times at once", &nodes);
    for _ in 0..5 {
        nodes.both(&["key", "rotate"]);
    }
    let (one, other) = nodes.kids();
    assert_eq!(one, other);
    println!("{}", fault.mended().nothing_was_lost(nodes));
}
