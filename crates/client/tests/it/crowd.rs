//! Many tasks at once on a bad network: nobody is signed out, one session, one refresh at a time.

use symbolon_client::{Clock, Presence};
use tokio::task::JoinSet;

use crate::fake::{Dice, Fake, LIFE, soon};

const TASKS: u32 = 50;
const ROUNDS: u32 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tasks_whose_token_expires_at_once_refresh_once_while_one_answer_in_five_is_lost() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    fake.world().dice = Some(Dice(0x5eed_5b01));
    let orders = format!("{}/orders", fake.url);
    for round in 1..=ROUNDS {
        clock.advance(LIFE);
        // The tasks find an expired token in one round, and in the next a new one that the resource does not take.
        if round % 2 == 0 {
            client.access_token().await.unwrap();
            fake.refuse_access();
        }
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (client, orders) = (client.clone(), orders.clone());
            tasks.spawn(async move { client.get(&orders).await.unwrap().status() });
        }
        let answers = soon(tasks.join_all()).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    }
    let presence = client.presence().borrow().clone();
    assert!(matches!(presence, Presence::SignedIn(_)));
    let world = fake.world();
    let generations: Vec<u64> = world.families.iter().flatten().copied().collect();
    assert_eq!(generations, [u64::from(ROUNDS + ROUNDS / 2)], "one family");
    assert_eq!(world.most_at_once, 1);
    assert!(world.lost > 5, "{} answers were lost", world.lost);
    assert_eq!(world.repeats, world.lost);
    assert_eq!(world.refreshes, ROUNDS + ROUNDS / 2 + world.lost);
}
