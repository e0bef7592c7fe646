//! What OAuth clients of people were given, and what is on its way to them.

mod authorizations;
mod codes;
mod consents;
mod devices;
mod logouts;

use std::future::Future;

use symbolon_domain::ClientId;
use symbolon_domain::oauth::Scopes;
use symbolon_domain::refresh::Digest;
use symbolon_store::Error;

fn digest(number: u8) -> Digest {
    Digest::new([number; 32])
}

fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

fn is_stale(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::Stale))
}

/// How many of twenty at once succeed; the others find it done.
async fn winners<F>(of: impl Fn(u16) -> F) -> usize
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let tasks: Vec<_> = (1..=20).map(|number| tokio::spawn(of(number))).collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => won += 1,
            Err(Error::Stale) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    won
}
