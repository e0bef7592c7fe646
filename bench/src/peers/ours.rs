//! Ours, with signed access tokens (ES256).

use anyhow::{Context as _, Result};

use super::{Kept, Ready, SESSIONS, Work};
use crate::{
    Run,
    oauth::setup,
    process::Folder,
    protected::{access_token, profile_request},
    refresh::rotate::{Rotations, Same},
    seed::Seeded,
};

pub fn open(run: &Run, folder: &Folder, work: Work) -> Result<Option<Ready>> {
    let algorithm = match work {
        Work::EdDsa => "EdDSA",
        _ => "ES256",
    };
    let (subject, seeded) = setup::signing_with(run, folder, algorithm)?;
    let (kept, basis) = basis(work);
    let script: Box<dyn crate::load::Script> = match work {
        Work::Protected => {
            let access = access_token(&subject.server, &seeded.token(0)?)?;
            Box::new(Same::new(profile_request(&access), 200))
        }
        Work::DurableRefresh | Work::SlowRefresh | Work::UsualRefresh => {
            Box::new(Rotations::new(tokens(&seeded)?, work.connections()))
        }
        Work::Introspection => Box::new(Same::new(subject.introspection, 200)),
        Work::ClientCredentials | Work::EdDsa => {
            Box::new(Same::new(subject.client_credentials, 200))
        }
    };
    Ok(Some(Ready {
        server: subject.server,
        script,
        kept,
        basis,
    }))
}

fn tokens(seeded: &Seeded) -> Result<Vec<Vec<u8>>> {
    let every = seeded.count() / u64::try_from(SESSIONS)?;
    let tokens = (0..seeded.count()).step_by(usize::try_from(every)?);
    tokens
        .take(SESSIONS)
        .map(|at| Ok(seeded.token(at).context("token")?.as_bytes().to_vec()))
        .collect()
}

fn basis(work: Work) -> (Kept, &'static str) {
    match work {
        Work::Protected => (
            Kept::Reads,
            "signature, account and revocations of this moment; nothing is written",
        ),
        Work::DurableRefresh | Work::SlowRefresh | Work::UsualRefresh => (
            Kept::Synced,
            "SQLite, WAL, `synchronous=FULL`; refreshes that wait together share a sync; replays are recognised",
        ),
        Work::Introspection => (Kept::Reads, "signature and revocations of this moment"),
        Work::ClientCredentials => (Kept::Signed, "a token signed with ES256; no row to lose"),
        Work::EdDsa => (Kept::Signed, "a token signed with EdDSA; no row to lose"),
    }
}
