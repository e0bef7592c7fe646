//! Nodes whose clocks differ by two minutes: each takes the time from their database (SECURITY rows S3 and J6).

use serde_json::Value;
use symbolon::clock::Clock;
use symbolon::jobs::Jobs;
use symbolon_testkit::Postgres;

use crate::app::TestApp;
use crate::people::Device;

/// In milliseconds.
const MINUTE: i64 = 60_000;
const SECOND: i64 = 1_000;
/// More requests than fit into the time of one look at a database.
const MOST_LOOKS: usize = 200_000;

/// A node on a machine whose clock is wrong by so many milliseconds.
async fn node(url: &str, wrong: i64, settings: &[(&'static str, &str)]) -> TestApp {
    let clock = Clock::system();
    clock.correct(wrong);
    TestApp::timed(
        url,
        clock,
        wrong.unsigned_abs() + u64::from(wrong > 0),
        settings,
    )
    .await
}

/// Its jobs do that in a moment.
async fn until_right(here: &TestApp, there: &TestApp) {
    let off = || here.clock.now().millis() - there.clock.now().millis();
    for _ in 0..MOST_LOOKS {
        if off().abs() < SECOND {
            return;
        }
        there.get("/healthz").send().await.expect(200);
    }
    panic!("the clock is {} ms off", off());
}

/// One on a machine that is a minute ahead, one on a machine that is a minute behind.
async fn nodes(settings: &[(&'static str, &str)]) -> Option<[TestApp; 2]> {
    let url = Postgres::shared()?.url();
    let ahead = node(&url, MINUTE, settings).await;
    let behind = node(&url, -MINUTE, settings).await;
    Some([ahead, behind])
}

fn refreshed(answer: &crate::client::Answer) -> Value {
    let mut body = answer.expect(200).json();
    body["accessToken"].take();
    body["next"] = crate::people::cookie(answer).into();
    body
}

#[tokio::test]
async fn j6_tokens_of_nodes_whose_clocks_differ_are_good_at_both() {
    let Some(nodes) = nodes(&[]).await else {
        return;
    };
    nodes[0].register("ada").await;
    for [here, there] in [[&nodes[0], &nodes[1]], [&nodes[1], &nodes[0]]] {
        let mut device = here.login("ada").await;
        for _ in 0..3 {
            here.profile(&device.access).await.expect(200);
            there.profile(&device.access).await.expect(200);
            let next = here.refresh(&device.refresh).await;
            let again = there.refresh(&device.refresh).await;
            assert_eq!(refreshed(&next)["next"], refreshed(&again)["next"]);
            let repeated = Device::of(&device.email, &again);
            here.profile(&repeated.access).await.expect(200);
            device = Device::of(&device.email, &next);
        }
    }
}

#[tokio::test]
async fn j6_a_clock_that_is_set_wrong_while_the_node_runs_is_put_right() {
    let Some([here, there]) = nodes(&[]).await else {
        return;
    };
    here.register("ada").await;
    for wrong in [5 * MINUTE, -5 * MINUTE] {
        let before = here.login("ada").await;
        here.clock.correct(wrong);
        let off = here.clock.now().millis() - there.clock.now().millis();
        assert!((off - wrong).abs() < MINUTE, "{off}");
        let jobs = Jobs::start(&here.app).await.unwrap();
        until_right(&here, &there).await;
        jobs.stop(&here.app).await;
        let after = here.login("ada").await;
        for device in [before, after] {
            there.profile(&device.access).await.expect(200);
            there.assert_signed_in(&device).await;
            here.assert_signed_in(&device).await;
        }
    }
}

#[tokio::test]
async fn s3_a_session_ends_at_the_same_moment_at_nodes_whose_clocks_differ() {
    let settings = [
        "refresh.session_ttl",
        "refresh.idle_ttl",
        "refresh.absolute_ttl",
    ];
    let settings = settings.map(|life| (life, "1h"));
    let Some(nodes) = nodes(&settings).await else {
        return;
    };
    let pass = |millis| {
        for node in &nodes {
            node.clock.correct(millis);
        }
    };
    nodes[0].register("ada").await;
    let devices = [nodes[0].login("ada").await, nodes[1].login("ada").await];
    // Less than either machine is wrong.
    pass(60 * MINUTE - 45 * SECOND);
    let mut last = Vec::new();
    for device in &devices {
        let next = nodes[0].refresh(&device.refresh).await;
        let again = nodes[1].refresh(&device.refresh).await;
        assert_eq!(refreshed(&next)["next"], refreshed(&again)["next"]);
        last.push(Device::of(&device.email, &again));
    }
    for (node, device) in nodes.iter().zip(&last) {
        node.profile(&device.access).await.expect(200);
    }
    pass(50 * SECOND);
    for node in &nodes {
        for device in &last {
            let over = node.refresh(&device.refresh).await;
            over.problem(401, "refresh_token_expired");
            let over = node.profile(&device.access).await;
            over.problem(401, "token_expired");
        }
    }
}
