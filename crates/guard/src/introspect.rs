//! Asking the issuer about a token, where the feed is not heard and the owner chose that.

use std::time::Duration;

use reqwest::{Response, header};
use serde::Deserialize;

use crate::{
    denied::Denied,
    metrics::Count,
    remote::{body, checked},
    shared::Shared,
};

/// How long the issuer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest refusal.
const LARGEST: usize = 64 * 1024;

#[derive(Deserialize)]
struct Refusal {
    code: String,
}

impl Shared {
    /// What the issuer says of a token that is good as far as is known here.
    pub(crate) async fn ask(&self, token: &str) -> Result<(), Denied> {
        let verification = self
            .endpoints
            .get()
            .and_then(|all| all.verification.as_ref());
        let (Some(url), Ok(_permit)) = (verification, self.asking.try_acquire()) else {
            return Err(Denied::Overloaded);
        };
        self.counts.count(Count::Introspection);
        let asked = async {
            let request = self.client.get(url.clone());
            let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            let response = request.send().await.map_err(|_| Denied::Overloaded)?;
            match response.status().as_u16() {
                401 => Err(refusal(response, Denied::Invalid).await),
                403 => Err(refusal(response, Denied::Forbidden).await),
                // Whatever else it is, it tells nothing about the token.
                _ => match checked(response, url) {
                    Ok(_) => Ok(()),
                    Err(_) => Err(Denied::Overloaded),
                },
            }
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or(Err(Denied::Overloaded))
    }
}

/// The code of the answer, where it is one of those that go with its status.
async fn refusal(response: Response, otherwise: Denied) -> Denied {
    let status = response.status().as_u16();
    let Ok(body) = body(response, LARGEST).await else {
        return otherwise;
    };
    serde_json::from_slice::<Refusal>(&body)
        .ok()
        .and_then(|refusal| Denied::from_code(&refusal.code))
        .filter(|denied| denied.status() == status)
        .unwrap_or(otherwise)
}
