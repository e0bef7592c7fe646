use super::*;

const SEED: Seed = Seed([0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9]);

fn key(number: u64) -> FeedKey {
    u128::from(number)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        .to_le_bytes()
}

#[test]
fn grows_finds_all_and_expires() {
    let marks = Marks::new(SEED);
    for number in 0..50_000 {
        marks.put(&key(number), 1 + number as i64 % 10, number as i64);
    }
    assert_eq!(marks.len(), 50_000);
    assert!((0..50_000).all(|number| marks.find(&key(number)) == Some(number as i64)));
    assert!((50_000..60_000).all(|number| marks.find(&key(number)).is_none()));

    assert_eq!(marks.expire(4), 20_000);
    assert_eq!(marks.len(), 30_000);
    assert!((0..50_000).all(|number| marks.find(&key(number)).is_some() == (number % 10 >= 4)));
    assert_eq!(marks.expire(10), 30_000);
    assert_eq!(marks.find(&key(9)), None);
}

#[test]
fn memory_follows_the_number_of_entries() {
    let mut table = Table::with_slots(0);
    for number in 0..20_000 {
        let key = key(number);
        if table.is_full() {
            table = table.rebuilt(SEED, 0, table.len / 4 + 6);
        }
        table.put(SEED.hash(&key), &key, 1, ());
        let slots = table.tags.len();
        assert!(
            slots > table.len && slots <= table.len * 5 / 3 + 10,
            "{slots} slots for {}",
            table.len
        );
    }
    assert!(table.rebuilt(SEED, 1, 2).tags.len() < 8);
}

#[test]
fn keys_that_share_their_hash_stay_apart() {
    let mut table = Table::with_slots(12);
    for number in 0..8 {
        assert!(table.put(0, &key(number), 1, number));
    }
    assert!((0..8).all(|number| table.find(0, &key(number)) == Some(number)));
    assert_eq!(table.find(0, &key(8)), None);
    // The last slot is followed by the first.
    assert!(table.put(u64::MAX, &key(9), 1, 9) && table.put(u64::MAX, &key(10), 1, 10));
    assert_eq!(table.find(u64::MAX, &key(10)), Some(10));
}

#[test]
fn the_seed_decides_the_place() {
    let other = Seed([SEED.0[0] + 1, SEED.0[1]]);
    assert!((0..100).all(|number| SEED.hash(&key(number)) != other.hash(&key(number))));
}

#[test]
fn readers_go_on_while_a_writer_grows_and_expires() {
    let marks = Marks::new(SEED);
    (0..1_000).for_each(|number| marks.put(&key(number), 100, ()));
    std::thread::scope(|scope| {
        let reader =
            scope.spawn(|| (0..200_000).all(|number| marks.find(&key(number % 1_000)).is_some()));
        for number in 1_000..20_000 {
            marks.put(&key(number), 1 + number as i64 % 5, ());
            if number % 1_000 == 0 {
                marks.expire(5);
            }
        }
        assert!(reader.join().unwrap());
    });
    marks.expire(5);
    assert_eq!(marks.len(), 1_000);
}
