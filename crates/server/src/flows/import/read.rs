//! The thread that reads and judges.

use std::io::Read;

use symbolon_domain::FieldError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::decide::{Candidate, Rules};
use crate::flows::Error;
use crate::hashing::notation::FirebaseProject;
use crate::transfer::{Format, Place, Records, Said, Unreadable};

/// Pieces of the file in one commit: enough that the sync of the disk is a small part of it, few enough that a server
/// on the same database does not wait for long.
const CHUNK: usize = 1000;
/// Chunks that are read ahead.
const AHEAD: usize = 2;

/// A file, and where to begin.
pub(super) struct Source {
    pub(super) format: Format,
    pub(super) read: Box<dyn Read + Send>,
    pub(super) firebase: Option<FirebaseProject>,
    pub(super) place: Option<Place>,
}

/// Pieces of a file, judged.
pub(super) struct Chunk {
    pub(super) pieces: Vec<Judged>,
    /// Where the next one begins.
    pub(super) place: Place,
}

pub(super) struct Judged {
    pub(super) number: u64,
    pub(super) foreign_id: Option<String>,
    pub(super) verdict: Verdict,
}

pub(super) enum Verdict {
    User(Box<Candidate>),
    Other(&'static str),
    Taken(&'static str),
    Broken(Vec<FieldError>),
}

type Sent = Result<Chunk, Unreadable>;

/// Starts the thread. It ends with the file, at an error, or when the receiver is gone.
pub(super) fn start(source: Source, rules: Rules) -> Result<Receiver<Sent>, Error> {
    let (chunks, received) = channel(AHEAD);
    let run = move || {
        if let Err(error) = read(source, &rules, &chunks) {
            // Whoever asked may have given up.
            let _unheard = chunks.blocking_send(Err(error));
        }
    };
    std::thread::Builder::new()
        .name("import".to_owned())
        .spawn(run)
        .map_err(|error| Error::Fault {
            context: "starting to read",
            source: error.into(),
        })?;
    Ok(received)
}

fn read(source: Source, rules: &Rules, chunks: &Sender<Sent>) -> Result<(), Unreadable> {
    let mut records = Records::open(source.format, source.read, source.firebase)?;
    if let Some(place) = &source.place {
        records.skip_to(place)?;
    }
    let mut pieces = Vec::with_capacity(CHUNK);
    // At an error the chunk is dropped: a part of a piece may have been read, and the place would be behind it.
    while let Some((number, said)) = records.read()? {
        pieces.push(judge(number, said, rules));
        if pieces.len() == CHUNK {
            let pieces = std::mem::replace(&mut pieces, Vec::with_capacity(CHUNK));
            let place = records.place();
            if chunks.blocking_send(Ok(Chunk { pieces, place })).is_err() {
                return Ok(());
            }
        }
    }
    if !pieces.is_empty() {
        let place = records.place();
        let _unheard = chunks.blocking_send(Ok(Chunk { pieces, place }));
    }
    Ok(())
}

fn judge(number: u64, said: Said, rules: &Rules) -> Judged {
    let (foreign_id, verdict) = match said {
        Said::Other(why) => (None, Verdict::Other(why)),
        Said::Broken(errors) => (None, Verdict::Broken(errors)),
        Said::User(mut record) => (
            record.foreign_id.take(),
            match rules.decide(*record) {
                Ok(candidate) => Verdict::User(Box::new(candidate)),
                Err(errors) => Verdict::Broken(errors),
            },
        ),
    };
    Judged {
        number,
        foreign_id,
        verdict,
    }
}
