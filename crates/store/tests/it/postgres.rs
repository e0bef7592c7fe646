//! The PostgreSQL engine as it meets the world: servers that refuse, vanish, wait or fight.

use std::time::Duration;

use symbolon_domain::EndReason;
use symbolon_store::{DatabaseUrl, Error, OpenError, OpenOptions, Store};
use symbolon_testkit::Postgres;
use tokio_postgres::{Client, NoTls};

use crate::harness::{Place, at, commit, next, open, session, session_id, user, user_id};

async fn try_open(url: &str, options: &OpenOptions) -> Result<Store, OpenError> {
    Store::open(&url.parse::<DatabaseUrl>().unwrap(), options).await
}

/// A connection behind the store's back.
async fn intruder(place: &Place) -> Client {
    let (client, connection) = tokio_postgres::connect(&place.url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn servers_that_cannot_be_used() {
    let options = OpenOptions::default();
    let secret = "hunter2";
    let mut refusals = vec![
        // A socket that is not there, alone and among several.
        try_open(
            &format!("postgres:///db?host=/nonexistent&user=me&password={secret}"),
            &options,
        )
        .await,
        try_open(
            &format!("postgres://me:{secret}@%2Fnonexistent,%2Fnone/db"),
            &options,
        )
        .await,
    ];
    if let Some(server) = Postgres::shared() {
        let url = server.url();
        let name = url
            .strip_prefix("postgres:///")
            .unwrap()
            .split('?')
            .next()
            .unwrap();
        refusals.push(try_open(&url.replace(name, "nosuchdb"), &options).await);
        refusals.push(try_open(&url.replace("user=postgres", "user=nosuchuser"), &options).await);
        let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        server.run(&url, &read_only);
        refusals.push(try_open(&url, &options).await);
    }
    for refused in refusals {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, OpenError::Server { .. }), "{refused:?}");
        assert!(
            !format!("{refused} {refused:?}").contains(secret),
            "{refused:?}"
        );
    }
    for malformed in [
        &format!("postgres://me:{secret}@h:port/db"),
        "postgres://h/db?sslmode=certainly",
        "postgres://h/db?sslmode=verify-full&sslrootcert=/nonexistent",
    ] {
        let refused = try_open(malformed, &options).await.unwrap_err();
        assert!(matches!(refused, OpenError::Url(_)), "{refused:?}");
        assert!(
            !format!("{refused} {refused:?}").contains(secret),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn the_host_that_answers_is_used() {
    let Some(server) = Postgres::shared() else {
        return;
    };
    let url = server.url();
    let (name, rest) = url
        .strip_prefix("postgres:///")
        .unwrap()
        .split_once("?host=")
        .unwrap();
    let socket = rest.split('&').next().unwrap().replace('/', "%2F");
    let store = open(&format!(
        "postgres://postgres@%2Fnonexistent,{socket}/{name}"
    ))
    .await;
    commit!(store, put_setting("a", "b")).unwrap();
}

#[tokio::test]
async fn connections_that_break() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let options = OpenOptions {
        connections: 3,
        ..OpenOptions::default()
    };
    let store = try_open(&place.url, &options).await.unwrap();
    store.migrate(at(1)).await.unwrap();
    let client = intruder(&place).await;
    for _ in 0..5 {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.execute(kill, &[]).await.unwrap();
        // Each broken one is met once at most.
        let mut refused = 0;
        while let Err(error) = commit!(store, put_setting("a", "b"), put_setting("c", "d")) {
            assert!(matches!(error, Error::Busy), "{error:?}");
            refused += 1;
            assert!(refused <= 3);
        }
        assert_eq!(store.find_setting("a").await.unwrap().as_deref(), Some("b"));
    }
}

#[tokio::test]
async fn a_server_that_stops_taking_writes() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let options = OpenOptions {
        connections: 1,
        ..OpenOptions::default()
    };
    let store = try_open(&place.url, &options).await.unwrap();
    store.migrate(at(1)).await.unwrap();
    let client = intruder(&place).await;
    let database: String = client
        .query_one("SELECT current_database()", &[])
        .await
        .unwrap()
        .get(0);
    // As a primary does that was made a standby: its connections live on and cannot write.
    let switch = format!("ALTER DATABASE {database} SET default_transaction_read_only");
    client
        .batch_execute(&format!("{switch} = on"))
        .await
        .unwrap();
    let pids = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.execute(pids, &[]).await.unwrap();
    for _ in 0..3 {
        let refused = commit!(store, put_setting("a", "b"));
        assert!(
            matches!(refused, Err(Error::Busy | Error::Fault(_))),
            "{refused:?}"
        );
    }
    client
        .batch_execute("SET default_transaction_read_only = off")
        .await
        .unwrap();
    client
        .batch_execute(&format!("{switch} = off"))
        .await
        .unwrap();
    commit!(store, put_setting("a", "b")).unwrap();
}

#[tokio::test]
async fn a_lock_that_is_held() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let options = OpenOptions {
        lock_wait: Duration::from_millis(50),
        ..OpenOptions::default()
    };
    let store = try_open(&place.url, &options).await.unwrap();
    store.migrate(at(1)).await.unwrap();
    commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    let client = intruder(&place).await;
    client
        .batch_execute("BEGIN; LOCK TABLE sessions")
        .await
        .unwrap();
    let state = session(1, 1).refresh;
    let single = commit!(
        store,
        rotate_session(session_id(1), &state, &next(&state, 2), at(2))
    );
    let several = commit!(
        store,
        bump_token_version(user_id(1), 1, at(2)),
        delete_user_sessions(user_id(1))
    );
    let read = store.find_session(session_id(1)).await;
    assert!(matches!(single, Err(Error::Busy)), "{single:?}");
    assert!(matches!(several, Err(Error::Busy)), "{several:?}");
    assert!(matches!(read, Err(Error::Busy)), "{read:?}");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(
        store.find_refresh(session_id(1)).await.unwrap(),
        Some((session(1, 1), user(1)))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_in_each_others_way() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let client = intruder(&place).await;
    let database: String = client
        .query_one("SELECT current_database()", &[])
        .await
        .unwrap()
        .get(0);
    client
        .batch_execute(&format!(
            "ALTER DATABASE {database} SET deadlock_timeout = '5ms'"
        ))
        .await
        .unwrap();
    let store = place.open().await;
    commit!(store, put_setting("a", "0"), put_setting("b", "0")).unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| tokio::spawn(put_crosswise(store.clone(), task)))
        .collect();
    let mut refused = 0;
    for task in tasks {
        refused += task.await.unwrap();
    }
    // How often four tries in a row fail is the machine's affair; that nearly each round would fail at least once,
    // and most come through, is not.
    assert!(
        refused < 120,
        "deadlocks are tried again: {refused} of 160 were refused"
    );
    let (a, b) = (
        store.find_setting("a").await.unwrap(),
        store.find_setting("b").await.unwrap(),
    );
    assert_eq!(a, b, "never half of a batch");
}

/// Locks two rows, every other task in the other order. Returns how often that was refused.
async fn put_crosswise(store: Store, task: usize) -> usize {
    let (first, second) = if task.is_multiple_of(2) {
        ("a", "b")
    } else {
        ("b", "a")
    };
    let mut refused = 0;
    for round in 0..20 {
        let value = format!("{task}-{round}");
        match commit!(
            store,
            put_setting(first, &value),
            put_setting(second, &value)
        ) {
            Ok(()) => {}
            Err(Error::Busy) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
        let undone = commit!(
            store,
            put_setting(first, &value),
            delete_user(user_id(9), 1)
        );
        assert!(
            matches!(undone, Err(Error::Stale | Error::Busy)),
            "{undone:?}"
        );
    }
    refused
}

#[tokio::test]
async fn a_pool_that_is_exhausted() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let options = OpenOptions {
        connections: 1,
        lock_wait: Duration::from_secs(4),
        ..OpenOptions::default()
    };
    let store = try_open(&place.url, &options).await.unwrap();
    store.migrate(at(1)).await.unwrap();
    let client = intruder(&place).await;
    client
        .batch_execute("BEGIN; LOCK TABLE settings")
        .await
        .unwrap();
    let (held, refused) = tokio::join!(
        async {
            let outcome = store.find_setting("a").await;
            outcome.map(|_| ())
        },
        async {
            // The other one goes first and waits for the lock; this one waits for a connection and gives up.
            tokio::task::yield_now().await;
            let outcome = store.find_user(user_id(1)).await;
            client.batch_execute("ROLLBACK").await.unwrap();
            outcome
        }
    );
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
    held.unwrap();
}

/// SECURITY X1: durable even where the server is set otherwise; every wait has an end.
#[tokio::test]
async fn sessions_are_set_as_promised() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let client = intruder(&place).await;
    let database: String = client
        .query_one("SELECT current_database()", &[])
        .await
        .unwrap()
        .get(0);
    client
        .batch_execute(&format!(
            "ALTER DATABASE {database} SET synchronous_commit = off"
        ))
        .await
        .unwrap();
    let store = place.open().await;
    // Seen through a table, since the store runs only its own statements.
    client
        .batch_execute(
            "CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             NEW.value = concat_ws(' ', current_setting('synchronous_commit'), current_setting('statement_timeout'), \
             current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'), \
             current_setting('transaction_isolation'), current_setting('application_name')); RETURN NEW; END $$; \
             CREATE TRIGGER show BEFORE INSERT ON settings FOR EACH ROW EXECUTE FUNCTION show()",
        )
        .await
        .unwrap();
    commit!(store, put_setting("a", "")).unwrap();
    let shown = store.find_setting("a").await.unwrap().unwrap();
    assert_eq!(shown, "on 6s 5s 10s read committed symbolon");
}

/// Writes of one row travel together, and each has its own outcome: one that fails does not take the others with it.
#[tokio::test]
async fn writes_at_the_same_time_have_nothing_to_do_with_each_other() {
    let Some(server) = Postgres::shared() else {
        return;
    };
    let store = open(&server.url()).await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    commit!(store, insert_session(&session(7, 1))).unwrap();
    let writes = (0..200_u16).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut batch = store.batch();
            match number % 50 {
                // A row that is not there to be changed.
                9 => batch.end_session(session_id(5_000 + number), at(9), EndReason::Logout),
                // An id that is taken.
                13 => batch.insert_session(&session(7, 1)),
                _ => batch.insert_session(&session(1_000 + number, 1)),
            };
            (number, batch.commit().await)
        })
    });
    for written in writes.collect::<Vec<_>>() {
        let (number, outcome) = written.await.unwrap();
        match number % 50 {
            9 => assert!(matches!(outcome, Err(Error::Stale)), "{outcome:?}"),
            13 => assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}"),
            _ => outcome.unwrap(),
        }
    }
    assert_eq!(
        store.count_live_sessions(user_id(1), at(2)).await.unwrap(),
        200 - 8 + 1
    );
}

/// A row that somebody holds is waited for by whoever wants that row, and by nobody in the same group.
#[tokio::test]
async fn a_row_that_is_held_does_not_hold_up_the_others() {
    let Some(place) = Place::postgres() else {
        return;
    };
    let store = place.open().await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    for number in 0..20 {
        commit!(store, insert_session(&session(number, 1))).unwrap();
    }
    let intruder = intruder(&place).await;
    intruder.batch_execute("BEGIN").await.unwrap();
    let hold = "SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE";
    let held = session_id(7).as_bytes().to_vec();
    intruder.execute(hold, &[&held]).await.unwrap();
    let rotate = |number: u16| {
        let store = store.clone();
        tokio::spawn(async move {
            let state = session(number, 1).refresh;
            let next = next(&state, 5);
            commit!(
                store,
                rotate_session(session_id(number), &state, &next, at(5))
            )
        })
    };
    let mut rotations: Vec<_> = (0..20).map(rotate).collect();
    let waiting = rotations.remove(7);
    for rotation in rotations {
        rotation.await.unwrap().unwrap();
    }
    assert!(!waiting.is_finished());
    intruder.batch_execute("ROLLBACK").await.unwrap();
    waiting.await.unwrap().unwrap();
}

/// By socket, with TLS, and with TLS to somebody else.
#[tokio::test]
async fn p9_connections_that_are_secure() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let Some(address) = server.secure() else {
        return;
    };
    let by_socket = server.url();
    let name = by_socket.split(['/', '?']).nth(3).unwrap();
    let folder = server.folder();
    server.run(&by_socket, "CREATE ROLE me LOGIN SUPERUSER PASSWORD 'a?b'");
    let url = |host: &str, options: &str| format!("postgres://me:a?b@{host}/{name}?{options}");
    let known = format!("sslrootcert={folder}/ca.pem");
    let wanted = format!("sslmode=verify-full&{known}&channel_binding=require");
    let store = open(&url(&address, &wanted)).await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    let secure = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                  WHERE application_name = 'symbolon'";
    assert_eq!(server.run(&by_socket, secure), "t");
    store.close().await;
    let options = OpenOptions::default();
    for (host, options_of_it, why) in [
        // Of no authority that the machine or the file knows.
        (&*address, "sslmode=require".to_owned(), "certificate"),
        (
            &*address,
            format!("sslmode=require&sslrootcert={folder}/other.pem"),
            "certificate",
        ),
        // Of another name.
        (
            "db.example.com",
            format!("hostaddr={address}&sslmode=verify-full&{known}"),
            "certificate",
        ),
        // The server takes nothing else here.
        (&*address, "sslmode=disable".to_owned(), "pg_hba.conf"),
    ] {
        let refused = try_open(&url(host, &options_of_it), &options)
            .await
            .unwrap_err();
        assert!(matches!(refused, OpenError::Server { .. }), "{refused:?}");
        assert!(refused.to_string().contains(why), "{refused}");
    }
}
