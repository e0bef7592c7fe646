use symbolon_domain::revocation::{Effect, Kind};

use super::*;

fn entry(seq: i64) -> Entry {
    Entry {
        seq,
        kind: Kind::User,
        key: [7; 16],
        effect: Effect::Stale,
        below: Some(3),
        before: None,
        until_s: 1_790_000_900,
    }
}

fn entries(seqs: std::ops::RangeInclusive<i64>) -> Vec<Entry> {
    seqs.map(entry).collect()
}

/// The numbers of the events that are there to be read.
fn read(stream: &mut Stream, place: &mut Place) -> Vec<i64> {
    let mut seqs = Vec::new();
    while let Read::Events(events) = stream.read(place) {
        let text = std::str::from_utf8(&events).unwrap();
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: e:"));
        seqs.extend(ids.map(|id| id.parse::<i64>().unwrap()));
    }
    seqs
}

fn hub() -> Arc<Hub> {
    Arc::new(Hub::new("e", 10))
}

#[test]
fn x7_another_revocation_of_the_same_is_told_apart() {
    let all = |before| Entry {
        before: Some(before),
        ..entry(5)
    };
    let pinned = symbolon_token::encoding::encode(&digest(&all(1)));
    assert_eq!(pinned, "9II5nxe1qvDzXXcvp0iSWw", "marks on disk hold it");
    assert_ne!(digest(&all(1)), digest(&all(2)));
    let revoked = Entry {
        effect: Effect::Revoked,
        ..all(1)
    };
    assert_ne!(digest(&all(1)), digest(&revoked));
}

#[test]
fn a_reader_gets_what_is_published_after_it_came_once_and_in_order() {
    let hub = hub();
    hub.publish(&entries(11..=12));
    let (mut stream, mut place) = (hub.open(None).unwrap(), hub.place());
    assert_eq!(place.to_string(), "e:12");
    assert!(matches!(stream.read(&mut place), Read::Nothing));
    hub.publish(&entries(13..=14));
    hub.heartbeat(Timestamp::from_millis(1_790_000_000_000));
    hub.publish(&[entry(17)]);
    assert_eq!(read(&mut stream, &mut place), [13, 14, 17]);
    assert_eq!(place.seq(), 17);
    assert!(matches!(stream.read(&mut place), Read::Nothing));
}

#[test]
fn events_read_as_the_contract_says() {
    let hub = hub();
    let (mut stream, mut place) = (hub.open(None).unwrap(), hub.place());
    hub.publish(&[entry(11)]);
    hub.heartbeat(Timestamp::from_millis(1_790_000_000_999));
    let Read::Events(events) = stream.read(&mut place) else {
        panic!("nothing to read");
    };
    assert_eq!(
        events,
        "event: revocation\nid: e:11\ndata: {\"seq\":11,\"kind\":\"user\",\"key\":\"BwcHBwcHBwcHBwcHBwcHBw\",\
         \"effect\":\"stale\",\"below\":3,\"until\":1790000900}\n\n\
         event: heartbeat\ndata: {\"now\":1790000000,\"seq\":11}\n\n"
    );
}

#[test]
fn a_reader_that_falls_behind_is_told_so_and_costs_nothing() {
    let hub = hub();
    let (mut stream, mut place) = (hub.open(None).unwrap(), hub.place());
    for first in (11..).step_by(1000).take(60) {
        hub.publish(&entries(first..=first + 999));
    }
    assert!(hub.state().bytes <= KEPT_BYTES);
    let Read::Behind(now) = stream.read(&mut place) else {
        panic!("it has lost something and was not told");
    };
    assert_eq!((place.seq(), now.seq()), (10, 60_010));
    // From there it goes on as any other.
    place = now;
    hub.publish(&[entry(60_011)]);
    assert_eq!(read(&mut stream, &mut place), [60_011]);
}

#[test]
fn a_late_reader_takes_many_blocks_in_few_portions() {
    let hub = hub();
    let (mut stream, mut place) = (hub.open(None).unwrap(), hub.place());
    for seq in 11..=2010 {
        hub.publish(&[entry(seq)]);
    }
    let mut portions = 0;
    let mut bytes = 0;
    while let Read::Events(events) = stream.read(&mut place) {
        assert!(events.len() <= PORTION);
        portions += 1;
        bytes += events.len();
    }
    assert_eq!(place.seq(), 2010);
    assert_eq!(portions, bytes.div_ceil(PORTION));
}

#[test]
fn another_epoch_and_the_end_of_the_server_end_streams() {
    let hub = hub();
    let (mut stream, mut place) = (hub.open(None).unwrap(), hub.place());
    hub.begin("e", 99);
    assert!(
        matches!(stream.read(&mut place), Read::Nothing),
        "the same epoch"
    );
    hub.begin("f", 3);
    assert!(matches!(stream.read(&mut place), Read::Over));
    let mut place = hub.place();
    assert_eq!(place.to_string(), "f:3");
    hub.close();
    assert!(matches!(stream.read(&mut place), Read::Over));
}

#[test]
fn streams_are_counted_and_bounded() {
    let hub = hub();
    let all: Vec<_> = std::iter::from_fn(|| hub.open(None)).collect();
    assert_eq!(all.len(), STREAMS);
    assert_eq!(hub.gap(), LONGEST_GAP);
    drop(all);
    assert_eq!((hub.streams(), hub.gap()), (0, Duration::ZERO));
}

#[test]
fn no_address_has_all_streams_but_this_machines_own() {
    let hub = hub();
    let of = |text: &str| hub.open(Some(text.parse().unwrap()));
    let one: Vec<_> = std::iter::from_fn(|| of("192.0.2.1")).collect();
    assert_eq!(one.len(), STREAMS_OF_ONE as usize);
    let other: Vec<_> = std::iter::from_fn(|| of("2001:db8::1")).collect();
    assert_eq!(other.len(), STREAMS_OF_ONE as usize);
    // The same network, and the same address in another dress.
    assert!(of("2001:db8::2").is_none() && of("::ffff:192.0.2.1").is_none());
    assert!(of("2001:db8:0:1::1").is_some() && of("192.0.2.2").is_some());
    drop(one);
    assert!(of("192.0.2.1").is_some());
    let own: Vec<_> = std::iter::from_fn(|| of("127.0.0.1")).collect();
    assert_eq!(own.len() + other.len(), STREAMS);
    drop((own, other));
    assert_eq!((hub.streams(), hub.readers().len()), (0, 0));
}

#[test]
fn followers_are_told_of_with_what_they_have_not_taken() {
    let hub = hub();
    let (mut one, mut place) = (hub.open(None).unwrap(), hub.place());
    let address = Some("192.0.2.7".parse().unwrap());
    let mut other = hub.open(address).unwrap();
    assert_eq!(
        hub.followers(9),
        (vec![], 0),
        "who reads a list follows nothing"
    );
    one.follows(&place);
    other.follows(&hub.place());
    hub.publish(&entries(11..=14));
    assert_eq!(read(&mut one, &mut place), [11, 12, 13, 14]);
    let (told, count) = hub.followers(9);
    let behind = |address| {
        let one = told.iter().find(|one| one.address == address);
        one.map(|one| one.behind)
    };
    assert_eq!(
        (behind(None), behind(address), count),
        (Some(0), Some(4), 2)
    );
    let up_to_date = told.iter().find(|one| one.behind == 0).unwrap();
    assert_eq!(up_to_date.lag, Duration::ZERO);
    assert_eq!(hub.followers(1).0.len(), 1);
    drop(other);
    assert_eq!(hub.followers(9).1, 1);
}

#[tokio::test]
async fn what_is_published_between_a_look_and_the_wait_wakes_the_reader() {
    let hub = hub();
    let (mut stream, mut place) = (hub.open(None).unwrap(), hub.place());
    assert!(matches!(stream.read(&mut place), Read::Nothing));
    hub.publish(&[entry(11)]);
    stream.wait().await;
    assert_eq!(read(&mut stream, &mut place), [11]);
}

#[test]
fn points_are_an_epoch_and_a_number() {
    let point = |text: &str| text.parse::<Point>().map(|point| (point.epoch, point.seq));
    assert_eq!(point("aB-_9:42"), Ok(("aB-_9".to_owned(), 42)));
    // A number that does not fit is of the future.
    assert_eq!(
        point("e:99999999999999999999"),
        Ok(("e".to_owned(), i64::MAX))
    );
    for bad in [
        "", ":", "e", "e:", ":5", "e:-1", "e:+1", "e: 1", "e f:1", "e:1:x", "\u{e9}:1",
    ] {
        assert_eq!(point(bad), Err(()), "{bad}");
    }
    assert_eq!(point(&format!("{}:1", "e".repeat(65))), Err(()));
}

#[test]
fn x7_a_mark_outlives_the_purge_of_its_revocation() {
    let name = format!("symbolon-feed-mark-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let mark = || Mark::new(Some(folder.join("feed.mark")));
    let all = |seq, before| Entry {
        before: Some(before),
        ..entry(seq)
    };
    let before = mark();
    before.saw(&all(3, 100));
    before.keep(&Place::at("e", 3));
    let kept = before.read().unwrap();
    assert!(kept.last.is_some());

    let after = mark();
    after.resume("e", 3);
    after.keep(&Place::at("e", 3));
    assert_eq!(after.read().unwrap(), kept);
    assert!(!after.contradicts(&all(3, 100)));
    assert!(after.contradicts(&all(3, 160)));
    assert!(!after.contradicts(&all(4, 160)));
    // Elsewhere it says nothing.
    for (epoch, seq) in [("e", 4), ("f", 3)] {
        let other = mark();
        other.resume(epoch, seq);
        assert!(!other.contradicts(&all(seq, 160)));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
