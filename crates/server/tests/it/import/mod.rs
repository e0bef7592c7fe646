//! Users come in from files of every format, and sign in with the passwords that they had.

mod formats;
mod interrupted;
mod rules;

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use symbolon::app::App;
use symbolon::flows::actor::Actor;
use symbolon::flows::import::{Import, Options, Tally, import};
use symbolon::flows::{Error, Origin};
use symbolon::transfer::report::{Line, Outcome};
use symbolon::transfer::{Format, parse_hash_config};
use symbolon_domain::{RoleName, Roles};
use symbolon_store::Credentials;

use crate::app::TestApp;

/// The password of which the hashes in the files were made, by other programs.
const PASSWORD: &str = "correct horse";

/// A file of the folder beside this one.
fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/import/files");
    std::fs::read(folder.join(name)).unwrap()
}

fn options() -> Options {
    Options {
        roles: Roles::new(vec![RoleName::USER]),
        ignore_roles: false,
        allow_admin: false,
        conflict_fails: false,
        drop_hashes: false,
        plain_passwords: false,
        ignore_ids: false,
        resume: false,
        dry_run: false,
    }
}

fn asked(format: Format, read: Box<dyn Read + Send>, options: Options) -> Import {
    let config = String::from_utf8(file("firebase-hash-config.txt")).unwrap();
    Import {
        format,
        read,
        name: "/users".to_owned(),
        report: None,
        actor: Actor::Operator,
        firebase: Some(parse_hash_config(&config).unwrap()),
        options,
    }
}

/// What an import said.
struct Told {
    tally: Tally,
    /// What is wrong with each piece that failed: its number, then pointers and codes.
    failed: Vec<(u64, String)>,
    skipped: Vec<(u64, String)>,
}

async fn run(app: &Arc<App>, asked: Import) -> Result<Told, Error> {
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    let mut watch = |progress: &symbolon::flows::import::Progress<'_>| {
        for line in progress.lines {
            match &line.outcome {
                Outcome::Failed(_) => failed.push((line.number, faults(line))),
                Outcome::Skipped(why) => skipped.push((line.number, why.clone())),
                Outcome::Imported { .. } => {}
            }
        }
    };
    let tally = import(app, asked, &Origin::default(), &mut watch).await?;
    Ok(Told {
        tally,
        failed,
        skipped,
    })
}

fn faults(line: &Line) -> String {
    let Outcome::Failed(errors) = &line.outcome else {
        return String::new();
    };
    let faults = errors
        .iter()
        .map(|error| format!("{} {}", error.pointer, error.code));
    faults.collect::<Vec<_>>().join(", ")
}

fn counts(tally: &Tally) -> [u64; 4] {
    [tally.read, tally.imported, tally.skipped, tally.failed]
}

impl TestApp {
    async fn import(&self, format: Format, text: impl AsRef<[u8]>) -> Told {
        self.import_with(format, text, options()).await
    }

    async fn import_with(&self, format: Format, text: impl AsRef<[u8]>, options: Options) -> Told {
        let read = Box::new(Cursor::new(text.as_ref().to_vec()));
        run(&self.app, asked(format, read, options)).await.unwrap()
    }

    async fn credentials(&self, email: &str) -> Credentials {
        let found = self.app.store.find_user_by_email(email).await.unwrap();
        found.unwrap_or_else(|| panic!("{email} is not there"))
    }

    async fn try_login(&self, email: &str, password: &Value) -> u16 {
        let body = json!({"email": email, "password": password});
        self.post("/api/login").json(&body).send().await.status
    }

    /// What the first sign-in of an imported user does.
    async fn signs_in_and_is_renewed(&self, email: &str, password: &str) {
        let foreign = self.credentials(email).await.password_hash.unwrap();
        assert!(!foreign.contains("m=7168,t=5"), "{email}: {foreign}");
        let wrong = format!("{password}!");
        assert_eq!(self.try_login(email, &json!(wrong)).await, 401, "{email}");
        let kept = self.credentials(email).await.password_hash.unwrap();
        assert_eq!(kept, foreign, "{email}: a wrong password renews nothing");
        assert_eq!(
            self.try_login(email, &json!(password)).await,
            200,
            "{email}"
        );
        let renewed = self.credentials(email).await.password_hash.unwrap();
        assert!(
            renewed.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"),
            "{email}: {renewed}"
        );
        assert_eq!(
            self.try_login(email, &json!(password)).await,
            200,
            "{email}"
        );
        assert_eq!(self.try_login(email, &json!(wrong)).await, 401, "{email}");
    }
}
