//! Requests with the token: where they go, and what a 401 does.

use symbolon_client::{
    Clock, Error,
    reqwest::{Body, Method, Request},
};

use crate::fake::{Fake, Fault};

/// An issuer in which Ada is signed in, and a resource that may see her token.
async fn both() -> (Fake, Fake, symbolon_client::Client) {
    let (issuer, resource) = (Fake::start().await, Fake::start().await);
    let builder = issuer.builder(&Clock::frozen());
    let client = builder.resource(format!("{}/v1", resource.url)).build();
    let client = client.unwrap();
    let ada = symbolon_client::Login::new("ada", "secret");
    client.login(&ada).await.unwrap();
    (issuer, resource, client)
}

fn post(url: &str, body: impl Into<Body>) -> Request {
    let mut request = Request::new(Method::POST, url.parse().unwrap());
    *request.body_mut() = Some(body.into());
    request
}

#[tokio::test]
async fn the_token_goes_to_the_issuer_and_to_resources_and_nowhere_else() {
    let (issuer, resource, client) = both().await;
    let foreign = Fake::start().await;
    resource.world().resource = Some((200, "x-kind", "tea".to_owned()));
    let answer = client.get(&format!("{}/v1/orders", resource.url)).await;
    assert_eq!(answer.unwrap().headers()["x-kind"], "tea");
    assert_eq!(resource.calls("/v1/orders"), ["at_0_0"]);
    let url = format!("{}/api/user/profile", issuer.url);
    assert_eq!(client.get(&url).await.unwrap().status(), 200);

    let inside = format!("http://{}@{}/orders", "127.0.0.1", &foreign.url[7..]);
    for url in [format!("{}/orders", foreign.url), inside] {
        let error = client.get(&url).await.unwrap_err();
        assert!(matches!(&error, Error::ForeignOrigin { origin } if *origin == foreign.url));
    }
    let error = client.get("not an address").await.unwrap_err();
    assert!(matches!(error, Error::Request(_)));
    assert!(foreign.world().calls.is_empty());
}

#[tokio::test]
async fn the_token_follows_no_redirect() {
    let (_issuer, resource, client) = both().await;
    let foreign = Fake::start().await;
    for to in [format!("{}/orders", foreign.url), "/other".to_owned()] {
        resource.world().resource = Some((307, "location", to));
        let answer = client.get(&format!("{}/orders", resource.url)).await;
        assert_eq!(answer.unwrap().status(), 307);
    }
    assert!(foreign.world().calls.is_empty());
    assert!(resource.calls("/other").is_empty());
}

#[tokio::test]
async fn a_refused_request_is_sent_once_more_with_another_token_and_the_same_body() {
    let (issuer, _resource, client) = both().await;
    issuer.refuse_access();
    let url = format!("{}/orders", issuer.url);
    let mut request = post(&url, "two teas");
    let own = "Bearer somebody's".parse().unwrap();
    request.headers_mut().insert("authorization", own);
    assert_eq!(client.send(request).await.unwrap().status(), 200);
    assert_eq!(
        issuer.calls("/orders"),
        ["at_0_0 two teas", "at_0_1 two teas"]
    );
    assert_eq!(issuer.refreshes(), 1);
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let (issuer, resource, client) = both().await;
    resource.world().resource = Some((401, "www-authenticate", "Bearer".to_owned()));
    let answer = client.get(&format!("{}/orders", resource.url)).await;
    assert_eq!(answer.unwrap().status(), 401);
    assert_eq!(resource.calls("/orders"), ["at_0_0", "at_0_1"]);
    assert_eq!(issuer.refreshes(), 1);
}

#[tokio::test]
async fn what_another_token_does_not_help_is_the_answer_at_once() {
    let (issuer, resource, client) = both().await;
    let url = format!("{}/orders", resource.url);
    let step_up = r#"Bearer error="insufficient_user_authentication", max_age="300""#;
    resource.world().resource = Some((401, "www-authenticate", step_up.to_owned()));
    assert_eq!(client.get(&url).await.unwrap().status(), 401);
    for status in [403, 404, 500, 503] {
        resource.world().resource = Some((status, "x-kind", "none".to_owned()));
        assert_eq!(client.get(&url).await.unwrap().status(), status);
    }
    assert_eq!(
        (resource.calls("/orders").len(), issuer.refreshes()),
        (5, 0)
    );
}

#[tokio::test]
async fn a_request_that_meets_an_outage_of_the_issuer_says_so() {
    let (issuer, _resource, client) = both().await;
    issuer.refuse_access();
    issuer.meets([Fault::Status(503, Some(60))]);
    let url = format!("{}/orders", issuer.url);
    let error = client.get(&url).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(issuer.calls("/orders").len(), 1);
}
