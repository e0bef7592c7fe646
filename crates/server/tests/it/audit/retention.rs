//! `audit.retention`.

use std::time::Duration;

use symbolon::flows::audit::purge;
use symbolon_domain::audit::AuditKind;

use super::place::{LINES, World, told};

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn lines_older_than_the_retention_go_and_the_log_stays_good() {
    for mut world in World::each().await {
        let head = world.head().await;
        purge(&world.app.app).await.unwrap();
        assert_eq!(world.verify().await.rows, LINES as u64, "none is old");
        world.app.wait(364 * DAY);
        world.write().await;
        world.sign().await;
        purge(&world.app.app).await.unwrap();
        assert_eq!(world.verify().await.rows, LINES as u64 + 1);
        world.app.wait(DAY);
        purge(&world.app.app).await.unwrap();
        let report = world.verify().await;
        assert_eq!(told(&report), "nothing");
        assert_eq!((report.rows, report.first.unwrap().0), (2, LINES + 1));
        let notes = world.app.audit(AuditKind::AuditPurged).await;
        assert_eq!(notes.len(), 1);
        assert_eq!(
            notes[0].detail.as_deref(),
            Some("12 lines, up to number 12")
        );
        // Nothing is left to purge, and nothing is said.
        purge(&world.app.app).await.unwrap();
        assert_eq!(world.app.audit(AuditKind::AuditPurged).await.len(), 1);
        assert_eq!(
            told(&world.expect(head).await),
            "nothing",
            "the start is known"
        );
        assert_eq!(told(&world.expect((11, head.1)).await), "11 purged");
        world.sign().await;
        assert_eq!(told(&world.verify().await), "nothing");
    }
}

#[tokio::test]
async fn everything_can_be_old() {
    for mut world in World::each().await {
        world.app.wait(366 * DAY);
        purge(&world.app.app).await.unwrap();
        let report = world.verify().await;
        assert_eq!(
            (told(&report).as_str(), report.rows),
            ("nothing", 1),
            "the note"
        );
        world.write().await;
        world.sign().await;
        assert_eq!(told(&world.verify().await), "nothing");
    }
}

#[tokio::test]
async fn a_purge_that_a_server_did_not_do_is_found() {
    for world in World::each().await {
        world.app.wait(366 * DAY);
        world.write().await;
        purge(&world.app.app).await.unwrap();
        // The signed start of then does not help who takes more.
        world.meddle("DELETE FROM audit WHERE seq = 13");
        assert_eq!(world.found().await, "13 missing");
        let chain = "(SELECT chain FROM audit WHERE seq = 14)";
        world.meddle(&format!("UPDATE audit_start SET seq = 14, chain = {chain}"));
        world.meddle("DELETE FROM audit WHERE seq = 14");
        assert_eq!(world.found().await, "14 start_forged");
    }
}

/// A line that was made older than it is would be purged, and the server would sign that it had been there as it is now.
#[tokio::test]
async fn what_was_meddled_with_is_not_purged() {
    for world in World::each().await {
        world.meddle("UPDATE audit SET at = 0 WHERE seq <= 3");
        purge(&world.app.app).await.unwrap();
        assert_eq!(world.found().await, "1 changed");
        assert_eq!(world.app.audit(AuditKind::AuditBroken).await.len(), 1);
        assert!(world.app.audit(AuditKind::AuditPurged).await.is_empty());
    }
}

#[tokio::test]
async fn checkpoints_thin_out() {
    for mut world in World::each().await {
        for _ in 0..6 {
            world.app.clock.advance(Duration::from_secs(1200));
            world.write().await;
            world.sign().await;
        }
        assert_eq!(world.verify().await.checkpoints.count, 8);
        world.app.wait(2 * DAY);
        purge(&world.app.app).await.unwrap();
        let report = world.verify().await;
        assert_eq!(told(&report), "nothing");
        assert_eq!(report.checkpoints.count, 3, "one an hour");
    }
}
