//! SECURITY section 3, decision 13: the log is append-only and tamper-evident.

use symbolon::flows::audit::{Wanted, verify};

use super::place::{LINES, SIGNED, World, told};

#[tokio::test]
async fn a_log_that_nobody_touched_is_good() {
    for world in World::each().await {
        let report = world.verify().await;
        assert_eq!(told(&report), "nothing");
        assert_eq!(report.rows, LINES as u64);
        assert_eq!(report.first.unwrap().0, 1);
        assert_eq!(report.last.unwrap(), (LINES, world.app.clock.now()));
        assert_eq!(report.head.unwrap().0, world.head().await);
        assert_eq!(report.checkpoints.last.unwrap().0, LINES);
        assert_eq!(report.checkpoints.count, 2);
        let place = report.head.unwrap().to_string();
        assert_eq!(place.parse(), Ok(report.head.unwrap()));
        assert_eq!(told(&world.expect(world.head().await).await), "nothing");
    }
}

#[tokio::test]
async fn a_changed_line_is_found_whatever_was_changed() {
    for world in World::each().await {
        for (seq, change) in [
            (11, "detail = 'wrong_password'"),
            (10, "detail = NULL"),
            (9, "at = at + 1"),
            (7, "kind = 'login_succeeded'"),
            (6, "address = ''"),
            (5, "actor = id"),
            (4, "chain = NULL"),
        ] {
            world.meddle(&format!("UPDATE audit SET {change} WHERE seq = {seq}"));
            assert_eq!(world.found().await, format!("{seq} changed"), "{change}");
        }
        let id = world.bytes(&[7; 3]);
        world.meddle(&format!("UPDATE audit SET subject = {id} WHERE seq = 3"));
        assert_eq!(world.found().await, "3 changed", "what is no id");
        let rows = world.app.app.store.list_audit(99, None).await.unwrap();
        assert_eq!(
            rows.len() as i64,
            LINES,
            "the others are listed all the same"
        );
    }
}

#[tokio::test]
async fn missing_lines_are_found() {
    for world in World::each().await {
        world.meddle("DELETE FROM audit WHERE seq IN (9, 10)");
        assert_eq!(world.found().await, "9 missing");
        world.meddle("DELETE FROM audit WHERE seq IN (1)");
        assert_eq!(world.found().await, "1 missing");
    }
}

#[tokio::test]
async fn a_log_that_was_cut_off_is_found() {
    for world in World::each().await {
        let head = world.head().await;
        world.meddle(&format!("DELETE FROM audit WHERE seq > {SIGNED}"));
        assert_eq!(world.found().await, format!("{} truncated", SIGNED + 1));
        // The stored end is moved too: the last checkpoint knows better.
        let chain = "(SELECT chain FROM audit WHERE seq = 8)";
        world.meddle(&format!(
            "UPDATE audit_head SET seq = {SIGNED}, chain = {chain}"
        ));
        assert_eq!(world.found().await, format!("{} truncated", SIGNED + 1));
        // That is gone as well: only who kept the end knows.
        world.meddle(&format!(
            "DELETE FROM audit_checkpoints WHERE seq > {SIGNED}"
        ));
        assert_eq!(world.found().await, "nothing");
        assert_eq!(
            told(&world.expect(head).await),
            format!("{} truncated", SIGNED + 1)
        );
    }
}

#[tokio::test]
async fn an_inserted_line_is_found() {
    for world in World::each().await {
        let (id, other) = (world.bytes(&[1; 16]), world.bytes(&[2; 16]));
        let copy = |id: &str, seq: &str| {
            format!(
                "INSERT INTO audit (id, at, kind, seq, chain) SELECT {id}, at, kind, {seq}, chain FROM audit WHERE seq = 5"
            )
        };
        // Behind the end, and beside the chain.
        world.meddle(&copy(&id, "13"));
        assert_eq!(world.found().await, "13 inserted");
        world.meddle("UPDATE audit SET seq = NULL WHERE seq = 13");
        assert_eq!(world.found().await, "0 unchained");
        world.meddle("UPDATE audit SET seq = 0 WHERE seq IS NULL");
        assert_eq!(world.found().await, "0 inserted", "before the first");
        // In the middle, the others moved on.
        world.meddle("UPDATE audit SET seq = -seq WHERE seq > 5; UPDATE audit SET seq = 1 - seq WHERE seq < 0");
        world.meddle("DELETE FROM audit WHERE seq = 0");
        world.meddle(&copy(&other, "6"));
        assert_eq!(world.found().await, "6 inserted");
    }
}

#[tokio::test]
async fn lines_that_changed_places_are_found() {
    for world in World::each().await {
        world.meddle(
            "UPDATE audit SET seq = -5 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6; \
             UPDATE audit SET seq = 6 WHERE seq = -5",
        );
        assert_eq!(world.found().await, "5 reordered");
    }
}

#[tokio::test]
async fn a_chain_that_was_computed_anew_does_not_fit_its_checkpoints() {
    for mut world in World::each().await {
        let head = world.head().await;
        world.meddle("UPDATE audit SET detail = 'x' WHERE seq = 5");
        world.compute_anew(5).await;
        assert_eq!(world.found().await, format!("{SIGNED} rewritten"));
        // Without the key of the signatures the checkpoints say so still.
        let unsigned = verify(&world.app.app, None, Wanted::default())
            .await
            .unwrap();
        assert_eq!(told(&unsigned), format!("{SIGNED} rewritten"));
        assert!(!unsigned.checkpoints.checked);
        world.meddle(
            "UPDATE audit_checkpoints SET chain = (SELECT chain FROM audit WHERE audit.seq = audit_checkpoints.seq)",
        );
        assert_eq!(world.found().await, format!("{SIGNED} checkpoint_forged"));
        let unsigned = verify(&world.app.app, None, Wanted::default())
            .await
            .unwrap();
        assert_eq!(told(&unsigned), "nothing", "they were not checked");
        // Without any checkpoint: the owner who kept the end knows, and the server that was looking.
        world.meddle("DELETE FROM audit_checkpoints");
        assert_eq!(world.found().await, "nothing");
        assert_eq!(
            told(&world.expect(head).await),
            format!("{LINES} rewritten")
        );
        world.write().await;
        world.sign().await;
        assert_eq!(world.found().await, format!("{} noticed", LINES + 2));
    }
}

#[tokio::test]
async fn ends_that_were_moved_are_found() {
    for world in World::each().await {
        let other = world.bytes(&[9; 32]);
        world.meddle(&format!("UPDATE audit_head SET chain = {other}"));
        assert_eq!(world.found().await, format!("{LINES} head_forged"));
        // As a purge would leave it, but for the signature.
        let start = "(SELECT chain FROM audit WHERE seq = 4)";
        world.meddle(&format!(
            "UPDATE audit_start SET seq = 4, chain = {start}, mac = {other}"
        ));
        world.meddle("DELETE FROM audit WHERE seq <= 4");
        assert_eq!(world.found().await, "4 start_forged");
        world.meddle(&format!("UPDATE audit_start SET seq = 0, chain = {other}"));
        assert_eq!(world.found().await, "0 start_forged");
    }
}

#[tokio::test]
async fn what_is_behind_a_line_can_be_verified_alone() {
    for world in World::each().await {
        world.meddle("UPDATE audit SET detail = 'x' WHERE seq = 5");
        let behind = async |after| {
            let wanted = Wanted {
                after: Some(after),
                expect: None,
            };
            told(&world.verify_for(wanted).await)
        };
        assert_eq!(behind(5).await, "nothing");
        assert_eq!(behind(4).await, "5 changed");
        assert_eq!(behind(99).await, "99 missing");
    }
}
