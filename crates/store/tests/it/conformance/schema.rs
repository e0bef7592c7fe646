//! What is still to be done to the tables.

use symbolon_store::{DatabaseUrl, OpenOptions, Store};

use crate::harness::{Place, at, on_every_engine};

on_every_engine!(the_steps_of_a_new_database);

async fn the_steps_of_a_new_database(place: &Place) {
    let url: DatabaseUrl = place.url.parse().unwrap();
    let store = Store::open(&url, &OpenOptions::default()).await.unwrap();
    let steps = store.pending_steps().await.unwrap();
    assert_eq!((steps[0].number, steps[0].name), (1, "initial"));
    let numbers: Vec<_> = steps.iter().map(|step| step.number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    // No program works on a database without tables.
    assert!(steps.iter().all(|step| !step.former_goes_on));
    assert_eq!(store.schema_version().await.unwrap(), 0);
    store.migrate(at(1)).await.unwrap();
    assert_eq!(store.pending_steps().await.unwrap(), []);
    assert_eq!(
        store.schema_version().await.unwrap(),
        *numbers.last().unwrap()
    );
}
