//! Every reason to say no is told by some request, with its status and code. A new [`Refusal`] does not compile here
//! until it has a line.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use symbolon::flows::actor::Actor;
use symbolon::flows::users;
use symbolon_domain::ending::{Event, consequences};
use symbolon_domain::{Refusal, UserStatus};

use crate::app::TestApp;
use crate::bearer::bound::{Client, PROFILE};
use crate::client::Answer;
use crate::people::{OTHER_PASSWORD, PASSWORD};

macro_rules! refusals {
    ($($pattern:pat => $code:ident, $status:literal, |$app:ident| $request:expr;)*) => {
        /// Exhaustive on purpose.
        fn code(refusal: &Refusal) -> &'static str {
            match refusal {
                $($pattern => stringify!($code),)*
            }
        }

        $(
            #[tokio::test]
            async fn $code() {
                let $app = TestApp::start().await;
                let answer: Answer = $request;
                answer.problem($status, stringify!($code));
            }
        )*
    };
}

refusals! {
    Refusal::NoToken => no_token, 401, |app| app.get("/api/sessions").send().await;
    Refusal::InvalidToken => invalid_token, 401, |app| app.profile("nonsense").await;
    Refusal::TokenExpired => token_expired, 401, |app| {
        let device = app.user().await;
        app.wait(900);
        app.profile(&device.access).await
    };
    Refusal::TokenRevoked => token_revoked, 401, |app| {
        let device = app.user().await;
        app.post("/api/logout").bearer(&device.access).send().await.expect(204);
        app.profile(&device.access).await
    };
    Refusal::TokenStale => token_stale, 401, |app| stale(&app).await;
    Refusal::InvalidProof => invalid_dpop_proof, 401, |app| {
        let client = Client::new();
        let token = client.token(&app, &app.user().await);
        app.get(PROFILE).header("authorization", &format!("DPoP {token}")).send().await
    };
    Refusal::ProofNonceNeeded => use_dpop_nonce, 401, |_app| {
        let app = TestApp::with(&[("oauth.dpop_nonce", "true")]).await;
        let client = Client::new();
        let token = client.token(&app, &app.user().await);
        client.get(&app, &token, "1", None).send().await
    };
    // Of a client: see the test of a feed that only clients read.
    Refusal::InvalidCredentials | Refusal::InvalidClient => invalid_credentials, 401, |app| {
        app.post("/api/login").json(&json!({"email": "ada@example.com", "password": PASSWORD})).send().await
    };
    Refusal::NoRefreshToken => no_refresh_token, 401, |app| app.post("/api/refresh").send().await;
    Refusal::InvalidRefreshToken => invalid_refresh_token, 401, |app| app.refresh("nonsense").await;
    Refusal::RefreshTokenExpired => refresh_token_expired, 401, |app| {
        let device = app.user().await;
        app.wait(7 * 24 * 3600);
        app.refresh(&device.refresh).await
    };
    Refusal::RefreshTokenReused => refresh_token_reused, 401, |app| {
        let device = app.user().await;
        app.refreshed(&device).await;
        app.wait(301);
        app.refresh(&device.refresh).await
    };
    Refusal::SessionRevoked => session_revoked, 401, |app| {
        let device = app.user().await;
        app.post("/api/logout").bearer(&device.access).send().await.expect(204);
        app.refresh(&device.refresh).await
    };
    Refusal::Forbidden | Refusal::RegistrationClosed => forbidden, 403, |_app| {
        let app = TestApp::with(&[("registration.mode", "invitation")]).await;
        app.post("/api/register").json(&json!({"email": "ada@example.com", "password": PASSWORD})).send().await
    };
    Refusal::InsufficientScope => insufficient_scope, 403, |app| {
        let device = app.user().await;
        app.get("/api/verify?scope=orders").bearer(&device.access).send().await
    };
    Refusal::WrongPassword => wrong_password, 403, |app| {
        let device = app.user().await;
        let body = json!({"password": OTHER_PASSWORD});
        app.delete("/api/user/profile").bearer(&device.access).json(&body).send().await
    };
    Refusal::AccountDisabled => account_disabled, 403, |app| {
        let device = app.user().await;
        let user = app.stored(&device).await;
        users::set_status(&app.app, Actor::Operator, user, UserStatus::Disabled, &Default::default()).await.unwrap();
        app.post("/api/login").json(&json!({"email": device.email, "password": PASSWORD})).send().await
    };
    Refusal::CsrfRejected => csrf_rejected, 403, |app| {
        app.post("/api/refresh").header("sec-fetch-site", "cross-site").send().await
    };
    Refusal::NotFound => not_found, 404, |app| app.get("/nowhere").send().await;
    Refusal::MethodNotAllowed => method_not_allowed, 405, |app| app.get("/api/login").send().await;
    Refusal::PreconditionFailed => precondition_failed, 412, |app| {
        let admin = app.admin().await;
        let role = json!({"name": "clerk"});
        app.post("/api/admin/roles").bearer(&admin.access).json(&role).send().await.expect(201);
        app.delete("/api/admin/roles/clerk").bearer(&admin.access).header("if-match", "\"2\"").send().await
    };
    Refusal::Conflict(_) => conflict, 409, |app| {
        app.register("ada").await;
        app.post("/api/register").json(&json!({"email": "ada@example.com", "password": PASSWORD})).send().await
    };
    Refusal::PayloadTooLarge => payload_too_large, 413, |app| {
        app.post("/api/login").text_json(&" ".repeat(64 * 1024 + 1)).send().await
    };
    Refusal::UnsupportedMediaType => unsupported_media_type, 415, |app| app.post("/api/login").body("x").send().await;
    Refusal::Validation(_) => validation_failed, 422, |app| app.post("/api/login").json(&json!({})).send().await;
    Refusal::EmailNotVerified => email_not_verified, 403, |_app| {
        let app = TestApp::with(&[("registration.verification", "required")]).await;
        app.register("ada").await;
        app.post("/api/login").json(&json!({"email": "ada@example.com", "password": PASSWORD})).send().await
    };
    // A link that is not good: see the tests of mail.
    Refusal::MalformedRequest(_) | Refusal::InvalidLink => malformed_request, 400, |app| app.post("/api/login").text_json("{").send().await;
    Refusal::RateLimited { .. } => rate_limited, 429, |app| {
        for _ in 0..5 {
            app.post("/api/login").json(&json!({"email": "a@example.com", "password": PASSWORD})).send().await.expect(401);
        }
        app.post("/api/login").json(&json!({"email": "a@example.com", "password": PASSWORD})).send().await
    };
    Refusal::Overloaded { .. } => overloaded, 503, |_app| overload().await;
}

#[test]
fn codes_are_those_of_the_domain() {
    for refusal in [
        Refusal::NoToken,
        Refusal::PreconditionFailed,
        Refusal::Conflict("email"),
        Refusal::Validation(Vec::new()),
    ] {
        assert_eq!(code(&refusal), refusal.code());
    }
}

/// Roles that change make tokens stale; nothing changes roles over HTTP yet.
async fn stale(app: &TestApp) -> Answer {
    let device = app.user().await;
    let user = app.stored(&device).await;
    let now = app.clock.now();
    let until = now.plus(std::time::Duration::from_secs(960));
    let decided = consequences(&Event::RolesChanged { user: &user }, until);
    let mut batch = app.app.store.batch();
    batch.bump_token_version(user.id, user.version, now);
    app.app.commit(batch, &decided.revocations).await.unwrap();
    let answer = app.profile(&device.access).await;
    // Refresh and go on.
    let next = app.refreshed(&device).await;
    app.profile(&next.access).await.expect(200);
    answer
}

/// More sign-ins at once, of different people from different networks, than may wait to be hashed.
async fn overload() -> Answer {
    // Dear enough that the queue fills faster than it drains, however slow the machine is at sending.
    let settings = [
        ("server.trusted_proxies", "127.0.0.1"),
        ("password.hash", "bcrypt"),
        ("password.bcrypt_cost", "12"),
    ];
    let app = TestApp::with(&settings).await;
    let mut running: FuturesUnordered<_> = (0..400)
        .map(|number| {
            let address = format!("203.0.{}.{}", number / 200, number % 200);
            let body = json!({"email": format!("user{number}@example.com"), "password": PASSWORD});
            app.post("/api/login")
                .header("x-forwarded-for", &address)
                .json(&body)
                .send()
        })
        .collect();
    loop {
        let answer = running.next().await.expect("one of them is refused");
        if answer.status != 401 {
            return answer;
        }
    }
}
