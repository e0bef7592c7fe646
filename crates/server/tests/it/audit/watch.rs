//! The server signs the log's end, and notices what was done to it meanwhile.

use symbolon::flows::audit::Watcher;
use symbolon_domain::audit::AuditKind;

use super::place::{LINES, World, told};

#[tokio::test]
async fn the_end_is_signed_when_it_has_moved() {
    for mut world in World::each().await {
        world.sign().await;
        assert_eq!(world.verify().await.checkpoints.count, 2);
        world.write().await;
        world.sign().await;
        assert_eq!(world.verify().await.checkpoints.count, 3);
        // Another server, or this one after a restart, goes on from there.
        world.write().await;
        world.watcher = Watcher::default();
        world.sign().await;
        let report = world.verify().await;
        assert_eq!(
            (told(&report).as_str(), report.checkpoints.count),
            ("nothing", 4)
        );
        assert!(world.app.audit(AuditKind::AuditBroken).await.is_empty());
    }
}

#[tokio::test]
async fn what_is_done_to_the_log_under_a_running_server_is_noticed() {
    for mut world in World::each().await {
        world.meddle(&format!("DELETE FROM audit WHERE seq = {LINES}"));
        world.meddle("DELETE FROM audit_checkpoints");
        world.meddle(
            "UPDATE audit_head SET seq = 11, chain = (SELECT chain FROM audit WHERE seq = 11)",
        );
        assert_eq!(world.found().await, "nothing", "the database alone is good");
        world.sign().await;
        let notes = world.app.audit(AuditKind::AuditBroken).await;
        assert_eq!(notes.len(), 1);
        let said = notes[0].detail.as_deref().unwrap();
        assert!(
            said.starts_with("signed up to 12:") && said.contains("found 11:"),
            "{said}"
        );
        assert_eq!(world.found().await, format!("{LINES} noticed"));
        // Once, and the server goes on.
        world.write().await;
        world.sign().await;
        world.sign().await;
        assert_eq!(world.app.audit(AuditKind::AuditBroken).await.len(), 1);
        assert_eq!(world.verify().await.checkpoints.last.unwrap().0, LINES + 1);
    }
}

#[tokio::test]
async fn a_checkpoint_that_is_not_genuine_is_noticed_at_the_start() {
    for mut world in World::each().await {
        let other = world.bytes(&[3; 32]);
        world.meddle(&format!("UPDATE audit_checkpoints SET mac = {other}"));
        world.watcher = Watcher::default();
        world.sign().await;
        assert_eq!(world.app.audit(AuditKind::AuditBroken).await.len(), 1);
        assert_eq!(world.found().await, "8 checkpoint_forged");
    }
}
