//! Names to addresses, all of them looked at.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// A name, or an address in the place of one, that leads where nobody is called.
#[derive(Debug, thiserror::Error)]
#[error("the address is not on the internet")]
pub(super) struct Forbidden;

/// Asks the system, and refuses a name of whose addresses one is not to be called: which of them is tried would be up to
/// chance. The connection is made to an address that was looked at here: nobody asks again.
pub(super) struct Resolver {
    pub(super) allow_loopback: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_loopback = self.allow_loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            match found.iter().all(|one| may_call(one.ip(), allow_loopback)) {
                true => Ok(Box::new(found.into_iter()) as Addrs),
                false => Err(Forbidden.into()),
            }
        })
    }
}

/// Whether the server calls this address.
pub(super) fn may_call(address: IpAddr, allow_loopback: bool) -> bool {
    is_public(address) || (allow_loopback && address.is_loopback())
}
