use symbolon_store::HourlyCount;

use crate::harness::{Place, commit, on_every_engine};

on_every_engine!(numbers_of_an_hour_add_up_or_are_replaced);

fn count(hour: i64, name: &str, count: i64) -> HourlyCount {
    HourlyCount {
        hour,
        name: name.to_owned(),
        count,
    }
}

async fn numbers_of_an_hour_add_up_or_are_replaced(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        add_hourly_count(7, "sign_ins", 2),
        add_hourly_count(7, "sign_ins", 3),
        add_hourly_count(8, "sign_ins", 1),
        note_hourly_count(8, "sessions", 40),
        note_hourly_count(8, "sessions", 38),
        add_hourly_count(9, "sign_ins", 5)
    )
    .unwrap();
    assert_eq!(
        store.list_hourly_counts((7, 8), 10).await.unwrap(),
        [
            count(7, "sign_ins", 5),
            count(8, "sessions", 38),
            count(8, "sign_ins", 1)
        ]
    );
    assert_eq!(store.list_hourly_counts((0, 99), 1).await.unwrap().len(), 1);
    assert_eq!(store.purge_hourly_counts(9, 10).await.unwrap(), 3);
    assert_eq!(
        store.list_hourly_counts((0, 99), 10).await.unwrap(),
        [count(9, "sign_ins", 5)]
    );
}
