//! An import that was cut off goes on where it was: nobody is doubled, nobody left out.

use std::fs::File;
use std::io::{self, Cursor, Read};

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::users::set_status;
use symbolon::flows::{Error, Origin};
use symbolon::transfer::Format;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Refusal, UserStatus};
use tokio::runtime::Handle;

use super::{asked, counts, options, run};
use crate::app::{Folder, TestApp};

const USERS: usize = 3500;

fn users() -> Vec<u8> {
    let lines = (0..USERS).map(|number| match number % 500 {
        7 => "broken\n".to_owned(),
        _ => format!(
            "{}\n",
            json!({"email": format!("user{number}@example.com")})
        ),
    });
    lines.collect::<String>().into_bytes()
}

/// A file whose disk fails after so many bytes.
struct Failing(io::Take<Cursor<Vec<u8>>>);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk failed")),
            some => Ok(some),
        }
    }
}

fn report(folder: &Folder) -> File {
    let path = folder.path().join("report.jsonl");
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    options.open(path).unwrap()
}

#[tokio::test]
async fn an_interrupted_import_goes_on() {
    let app = TestApp::start().await;
    let folder = Folder::new();
    let whole = users();
    let mut resume = options();
    resume.resume = true;
    for cut in [0, 10, 40_000, 40_001, 90_000] {
        let part = Cursor::new(whole.clone()).take(cut);
        let mut import = asked(Format::Jsonl, Box::new(Failing(part)), resume.clone());
        import.report = Some(report(&folder));
        let Err(Error::Refused(Refusal::MalformedRequest(why))) = run(&app.app, import).await
        else {
            panic!("the disk failed")
        };
        assert!(why.contains("the disk failed"), "{why}");
    }
    let mut import = asked(Format::Jsonl, Box::new(Cursor::new(whole)), resume);
    import.report = Some(report(&folder));
    let told = run(&app.app, import).await.unwrap();
    let (read, failed) = (USERS as u64, (USERS / 500) as u64);
    assert_eq!(counts(&told.tally), [read, read - failed, 0, failed]);

    let text = std::fs::read_to_string(folder.path().join("report.jsonl")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let numbers: Vec<_> = lines
        .iter()
        .map(|line| line["line"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=read).collect::<Vec<_>>(), "each user once");
    assert_eq!(lines[7]["outcome"], "failed");
    assert_eq!(lines[7]["errors"][0]["code"], "malformed_json");
    let first = app
        .credentials("user0@example.com")
        .await
        .user
        .id
        .to_string();
    assert_eq!(
        lines[0],
        json!({"line": 1, "id": first, "outcome": "imported"})
    );
}

#[tokio::test]
async fn a_last_chunk_is_cut_off_with_the_file_and_not_lost() {
    let app = TestApp::start().await;
    let whole = users();
    let mut resume = options();
    resume.resume = true;
    // In the middle of a line: what was read of it is read again.
    let part = Cursor::new(whole.clone()).take(60_005);
    let import = asked(Format::Jsonl, Box::new(Failing(part)), resume.clone());
    assert!(run(&app.app, import).await.is_err());
    let told = run(
        &app.app,
        asked(Format::Jsonl, Box::new(Cursor::new(whole)), resume),
    )
    .await
    .unwrap();
    assert_eq!(told.tally.read, USERS as u64);
    assert_eq!(told.tally.skipped, 0);
}

#[tokio::test]
async fn another_file_in_its_place_is_refused() {
    let app = TestApp::start().await;
    let whole = users();
    let mut resume = options();
    resume.resume = true;
    let part = Cursor::new(whole.clone()).take(90_000);
    let import = asked(Format::Jsonl, Box::new(Failing(part)), resume.clone());
    assert!(run(&app.app, import).await.is_err());
    let mut other = whole.clone();
    other[12] = b'z';
    let import = asked(Format::Jsonl, Box::new(Cursor::new(other)), resume);
    let Err(Error::Refused(Refusal::MalformedRequest(why))) = run(&app.app, import).await else {
        panic!("it is not the file")
    };
    assert!(why.contains("not the file"), "{why}");
    // From the beginning it can be read: who is there is skipped.
    let told = app.import(Format::Jsonl, whole).await;
    assert_eq!(told.tally.read, USERS as u64);
    assert!(told.tally.skipped > 1000);
    assert_eq!(
        told.tally.imported + told.tally.skipped + told.tally.failed,
        told.tally.read
    );
}

/// Does something else before it reads on, after so many bytes.
struct Meanwhile<F> {
    rest: Cursor<Vec<u8>>,
    after: u64,
    act: Option<F>,
}

impl<F: FnOnce() + Send> Read for Meanwhile<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest.position() >= self.after
            && let Some(act) = self.act.take()
        {
            act();
        }
        let some = into.len().min(4096);
        self.rest.read(&mut into[..some])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_imports_of_one_file_do_not_run_side_by_side() {
    let app = TestApp::start().await;
    let (handle, other, whole) = (Handle::current(), app.app.clone(), users());
    let again = whole.clone();
    let second = move || {
        let import = asked(Format::Jsonl, Box::new(Cursor::new(again)), options());
        handle.block_on(run(&other, import)).unwrap();
    };
    let read = Meanwhile {
        rest: Cursor::new(whole),
        after: 50_000,
        act: Some(second),
    };
    let import = asked(Format::Jsonl, Box::new(read), options());
    let Err(Error::Refused(Refusal::MalformedRequest(why))) = run(&app.app, import).await else {
        panic!("the first one was overtaken")
    };
    assert!(why.contains("Another import"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_that_change_meanwhile_are_judged_again() {
    let app = TestApp::start().await;
    let (handle, store) = (Handle::current(), app.app.store.clone());
    let change = move || {
        handle.block_on(async {
            let revision = store.role_state().await.unwrap().revision;
            let mut batch = store.batch();
            batch.raise_roles(revision, symbolon_store::Announcement::Made);
            batch.commit().await.unwrap();
        });
    };
    let read = Meanwhile {
        rest: Cursor::new(users()),
        after: 50_000,
        act: Some(change),
    };
    let mut resume = options();
    resume.resume = true;
    let import = asked(Format::Jsonl, Box::new(read), resume.clone());
    let Err(Error::Refused(Refusal::MalformedRequest(why))) = run(&app.app, import).await else {
        panic!("the roles are others")
    };
    assert!(why.contains("--resume"), "{why}");
    let import = asked(Format::Jsonl, Box::new(Cursor::new(users())), resume);
    let told = run(&app.app, import).await.unwrap();
    assert_eq!(told.tally.read, USERS as u64);
    assert_eq!(told.tally.skipped, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m8_who_is_disabled_imports_no_further() {
    let app = TestApp::start().await;
    app.delegate("clerk", "users:write").await;
    let clerk = app.credentials("clerk@example.com").await.user;
    let actor = Actor::User(clerk.id);
    let (handle, other) = (Handle::current(), app.app.clone());
    let (told, seen) = std::sync::mpsc::channel();
    let disable = move || {
        handle.block_on(async {
            let (disabled, origin) = (UserStatus::Disabled, Origin::default());
            let done = set_status(&other, Actor::Operator, clerk, disabled, &origin).await;
            done.unwrap();
            let count = other.store.count_users(UserStatus::Active, 10_000).await;
            told.send(count.unwrap().found).unwrap();
        });
    };
    let read = Meanwhile {
        rest: Cursor::new(users()),
        after: 50_000,
        act: Some(disable),
    };
    let mut choices = options();
    (choices.ignore_roles, choices.ignore_ids) = (true, true);
    let mut import = asked(Format::Jsonl, Box::new(read), choices);
    import.actor = actor;
    let ended = run(&app.app, import).await;
    assert!(matches!(ended, Err(Error::Refused(Refusal::Forbidden))));
    let there = seen.recv().unwrap();
    let now = app.app.store.count_users(UserStatus::Active, 10_000).await;
    assert_eq!(now.unwrap().found, there, "nothing more was brought in");
    assert!((there as usize) < USERS / 2);
    assert_eq!(app.audit(AuditKind::UsersImported).await.len(), 1, "begun");
}

#[tokio::test]
async fn m1_ids_and_roles_of_a_file_are_for_who_may_do_everything() {
    let app = TestApp::start().await;
    app.delegate("clerk", "users:write").await;
    let clerk = app.credentials("clerk@example.com").await.user;
    for (ignore_roles, ignore_ids) in [(true, false), (false, true)] {
        let mut choices = options();
        (choices.ignore_roles, choices.ignore_ids) = (ignore_roles, ignore_ids);
        let mut import = asked(Format::Jsonl, Box::new(Cursor::new(users())), choices);
        import.actor = Actor::User(clerk.id);
        let ended = run(&app.app, import).await;
        assert!(matches!(ended, Err(Error::Refused(Refusal::Forbidden))));
    }
}
