//! One bounded download, for keys that an operator names by URL.

use std::time::Duration;

use super::Failed;

const PATIENCE: Duration = Duration::from_secs(10);

/// The body behind `url`, at most `most` bytes; redirects are not followed.
pub(super) fn get(url: &str, most: u64) -> Result<Vec<u8>, Failed> {
    let failed = |error: reqwest::Error| {
        Failed::said(
            "cannot_fetch",
            super::Causes(&error.without_url()).to_string(),
        )
    };
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
            return Err(Failed::said(
                "cannot_fetch",
                format!("the server answered {}", response.status()),
            ));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > most {
                return Err(Failed::said("cannot_fetch", "the answer is too long"));
            }
        }
        Ok(body)
    })
}
