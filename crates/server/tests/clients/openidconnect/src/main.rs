//! crates.io `openidconnect`: a client with a secret, from discovery to logout.

mod browser;
mod exchange;

use std::env;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, RefreshToken, Scope,
    TokenResponse,
};
use url::Url;

use browser::Browser;
use exchange::exchange;

fn told(name: &str) -> Result<String> {
    env::var(name).with_context(|| name.to_owned())
}

fn main() -> Result<()> {
    let issuer = told("ISSUER")?;
    let callback = told("REDIRECT_URI")?;
    let metadata = CoreProviderMetadata::discover(&IssuerUrl::new(issuer.clone())?, &exchange)
        .context("discovery")?;
    // What the library does not read itself.
    let document = document(&format!("{issuer}/.well-known/openid-configuration"))?;
    let endpoint = |name: &str| {
        let found = document[name].as_str().map(str::to_owned);
        found.with_context(|| name.to_owned())
    };
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(told("CLIENT_ID")?),
        Some(ClientSecret::new(told("CLIENT_SECRET")?)),
    )
    .set_auth_type(AuthType::RequestBody)
    .set_redirect_uri(RedirectUrl::new(callback.clone())?);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = ["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(scopes)
        .set_pkce_challenge(challenge)
        .url();
    let mut browser = Browser::default();
    let answer = browser.passes(url, &callback).context("sign in")?;
    ensure!(
        parameter(&answer, "state")? == *state.secret(),
        "state: {answer}"
    );
    ensure!(parameter(&answer, "iss")? == issuer, "iss: {answer}");
    let tokens = client
        .exchange_code(AuthorizationCode::new(parameter(&answer, "code")?))?
        .set_pkce_verifier(verifier)
        .request(&exchange)
        .context("code")?;

    let id_token = tokens.id_token().context("there is no ID token")?;
    let id_verifier = client.id_token_verifier();
    let claims = id_token.claims(&id_verifier, &nonce).context("ID token")?;
    let hash = claims.access_token_hash().context("at_hash")?;
    let (algorithm, key) = (id_token.signing_alg()?, id_token.signing_key(&id_verifier)?);
    let right = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)?;
    ensure!(*hash == right, "at_hash is of another token");

    let who = |token: &AccessToken| -> Result<CoreUserInfoClaims> {
        let subject = claims.subject().clone();
        let asked = client.user_info(token.clone(), Some(subject))?;
        asked
            .request(&exchange)
            .map_err(|error| anyhow!("userinfo: {error:?}"))
    };
    let person = who(tokens.access_token())?;
    let email = person.email().map(|email| email.as_str().to_owned());
    ensure!(email == Some(told("EMAIL")?), "userinfo tells {email:?}");

    let refresh = |token: &RefreshToken| {
        client
            .exchange_refresh_token(token)?
            .request(&exchange)
            .context("refresh")
    };
    let first = tokens
        .refresh_token()
        .context("there is no refresh token")?;
    let fresh = refresh(first)?;
    let second = fresh
        .refresh_token()
        .context("no refresh token came back")?;
    ensure!(
        second.secret() != first.secret(),
        "the refresh token is the same"
    );

    revoke(&endpoint("revocation_endpoint")?, second).context("revocation")?;
    ensure!(refresh(second).is_err(), "a revoked token was refreshed");
    ensure!(who(fresh.access_token()).is_err(), "its access token lives");

    let goodbye = told("POST_LOGOUT_REDIRECT_URI")?;
    let mut leaving = Url::parse(&endpoint("end_session_endpoint")?)?;
    leaving
        .query_pairs_mut()
        .append_pair("id_token_hint", &id_token.to_string())
        .append_pair("post_logout_redirect_uri", &goodbye);
    let left = browser.passes(leaving, &goodbye).context("logout")?;
    ensure!(left.as_str() == goodbye, "{left}");
    Ok(())
}

/// By hand: the library revokes over https only, which the server of a test does not have.
fn revoke(endpoint: &str, token: &RefreshToken) -> Result<()> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token.secret())
        .append_pair("client_id", &told("CLIENT_ID")?)
        .append_pair("client_secret", &told("CLIENT_SECRET")?)
        .finish();
    let request = http::Request::post(endpoint)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into_bytes())?;
    let answer = exchange(request)?;
    ensure!(answer.status() == 200, "{answer:?}");
    Ok(())
}

fn document(url: &str) -> Result<serde_json::Value> {
    let request = http::Request::get(url).body(Vec::new())?;
    Ok(serde_json::from_slice(exchange(request)?.body())?)
}

fn parameter(url: &Url, name: &str) -> Result<String> {
    match url.query_pairs().find(|(found, _)| found == name) {
        Some((_, value)) => Ok(value.into_owned()),
        None => bail!("{url} has no {name}"),
    }
}
