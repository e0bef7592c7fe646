//! One bounded download, for keys that an operator names by URL.

use std::time::Duration;

use super::Failed;

const PATIENCE: Duration = Duration::from_secs(10);

/// The body behind `url`, at most `most` bytes; redirects are not followed.
pub(super) fn get(url: &str, most: u64) -> Result<Vec<u8>, Failed> {
    let address = plain(url);
    let unfetched = |why: &str| Failed::said("cannot_fetch", format!("{address}: {why}"));
    let failed =
        |error: reqwest::Error| unfetched(&super::Causes(&error.without_url()).to_string());
    // Another part of the process may have installed it: that is as good.
    let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    super::block_on(async move {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none());
        let mut response = client
            .build()
            .map_err(failed)?
            .get(url)
            .send()
            .await
            .map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(unfetched(&format!(
                "the server answered {}",
                response.status()
            )));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > most {
                return Err(unfetched("the answer is too long"));
            }
        }
        Ok(body)
    })
}

/// The address as it may be shown: without a user, a password or a query, which may hold secrets.
fn plain(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else {
        return "the address".to_owned();
    };
    // They fail only for addresses that can have neither.
    let _cleared = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let shown = plain("https://ada:secret@auth.example/keys?token=secret#secret");
        assert_eq!(shown, "https://auth.example/keys");
        assert_eq!(plain("nonsense"), "the address");
    }
}
