//! A wire between a server and its database, which can be cut.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use symbolon_testkit::Postgres;

const SOCKET: &str = ".s.PGSQL.5432";

/// A socket that leads to that of a PostgreSQL.
pub struct Wire {
    folder: PathBuf,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    streams: Mutex<Vec<UnixStream>>,
}

impl Wire {
    pub fn lay(postgres: &Postgres) -> Self {
        let folder = PathBuf::from(format!("{}.wire", postgres.folder()));
        std::fs::create_dir(&folder).unwrap();
        let listener = UnixListener::bind(folder.join(SOCKET)).unwrap();
        let state = Arc::new(State::default());
        let (to, shared) = (
            Path::new(postgres.folder()).join(SOCKET),
            Arc::clone(&state),
        );
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if shared.is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(far) = UnixStream::connect(&to) else {
                    continue;
                };
                let mut streams = shared.streams.lock().unwrap();
                streams.push(near.try_clone().unwrap());
                streams.push(far.try_clone().unwrap());
                drop(streams);
                let (back, forth) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                thread::spawn(move || pass(near, forth));
                thread::spawn(move || pass(far, back));
            }
        });
        Self { folder, state }
    }

    /// The URL of the database at the end of the wire.
    pub fn url(&self, url: &str) -> String {
        let (before, rest) = url.split_once("host=").unwrap();
        let (_, after) = rest.split_once('&').unwrap();
        format!("{before}host={}&{after}", self.folder.display())
    }

    /// Breaks every connection, and every new one.
    pub fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
        for stream in self.state.streams.lock().unwrap().drain(..) {
            let _already_gone = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn mend(&self) {
        self.state.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _already_gone = to.shutdown(Shutdown::Both);
}
