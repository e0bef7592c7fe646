//! A service on each engine whose database somebody meddles with.

use rusqlite::Connection;
use symbolon::clock::Clock;
use symbolon::flows::audit::{Place, Report, Wanted, Watcher, verify};
use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_store::{ChainValue, follow};
use symbolon_testkit::Postgres;

use crate::app::{Folder, START, TestApp};

/// How many lines there are.
pub const LINES: i64 = 12;
/// The line that is signed on the way; the last one is too.
pub const SIGNED: i64 = 8;

pub struct World {
    pub app: TestApp,
    pub watcher: Watcher,
    url: String,
    _folder: Folder,
}

impl World {
    /// With [`LINES`] lines, on a file and on PostgreSQL.
    pub async fn each() -> Vec<Self> {
        let folder = Folder::new();
        let file = format!("sqlite:{}", folder.path().join("s.db").display());
        let mut worlds = vec![Self::on(file, folder).await];
        if let Some(postgres) = Postgres::shared() {
            worlds.push(Self::on(postgres.url(), Folder::new()).await);
        }
        worlds
    }

    async fn on(url: String, folder: Folder) -> Self {
        let clock = Clock::frozen(START);
        let app = TestApp::in_folder_with(&folder, clock, 1, &[("database.url", &url)]).await;
        let mut world = Self {
            app,
            watcher: Watcher::default(),
            url,
            _folder: folder,
        };
        while world.head().await.0 < LINES {
            if world.head().await.0 == SIGNED {
                world.sign().await;
            }
            world.write().await;
        }
        world.sign().await;
        world
    }

    /// One more line.
    pub async fn write(&self) {
        self.app.wait(1);
        let now = self.app.clock.now();
        let id = self.app.app.rng.uuid_v7(now).unwrap();
        let mut event = AuditEvent::new(now, AuditKind::LoginFailed);
        event.detail = Some("unknown_user".into());
        let mut batch = self.app.app.store.batch();
        batch.insert_audit(id, &event);
        batch.commit().await.unwrap();
    }

    pub async fn sign(&mut self) {
        self.watcher.look(&self.app.app).await.unwrap();
    }

    pub async fn head(&self) -> (i64, ChainValue) {
        let head = self.app.app.store.audit_head().await.unwrap();
        (head.seq, head.chain)
    }

    pub async fn verify(&self) -> Report {
        self.verify_for(Wanted::default()).await
    }

    pub async fn expect(&self, place: (i64, ChainValue)) -> Report {
        let expect = Some(Place(place));
        self.verify_for(Wanted {
            expect,
            after: None,
        })
        .await
    }

    pub async fn verify_for(&self, wanted: Wanted) -> Report {
        let master = &self.app.app.issuance().unwrap().master;
        verify(&self.app.app, Some(master), wanted).await.unwrap()
    }

    /// What is wrong, as `SEQ code`.
    pub async fn found(&self) -> String {
        told(&self.verify().await)
    }

    /// Runs SQL behind the server's back.
    pub fn meddle(&self, sql: &str) {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            None => drop(Postgres::shared().unwrap().run(&self.url, sql)),
        }
    }

    /// Bytes as this engine's SQL writes them.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.url.starts_with("sqlite:") {
            true => format!("x'{hex}'"),
            false => format!("'\\x{hex}'::bytea"),
        }
    }

    /// What somebody does who can write to the database and knows this program: computes the chain anew from a line
    /// on, the stored end included.
    pub async fn compute_anew(&self, from: i64) {
        let store = &self.app.app.store;
        let rows = store.list_audit_chain(from - 2, 1000).await.unwrap();
        let (before, rest) = rows.split_first().unwrap();
        let (mut seq, mut chain) = (before.seq, before.line.as_ref().unwrap().1);
        for row in rest {
            seq = row.seq;
            chain = follow(&chain, &row.line.as_ref().unwrap().0.digest());
            let chain = self.bytes(&chain);
            self.meddle(&format!(
                "UPDATE audit SET chain = {chain} WHERE seq = {seq}"
            ));
        }
        let chain = self.bytes(&chain);
        self.meddle(&format!(
            "UPDATE audit_head SET seq = {seq}, chain = {chain}"
        ));
    }
}

pub fn told(report: &Report) -> String {
    match &report.finding {
        Some(finding) => format!("{} {}", finding.seq, finding.code()),
        None => "nothing".into(),
    }
}
