//! Signing in at another provider

mod identities;
mod linking;
mod pages;

use std::collections::HashMap;

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::upstream::{Goal, Landed, NotLanded, Returned, begin, land, list};
use symbolon::flows::{Origin, users};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::upstream::Arrival;
use symbolon_domain::{SignInMethod, UserStatus};
use symbolon_token::{Algorithm, SigningKey, Typ, encoding};
use url::Url;

use crate::app::TestApp;
use crate::web::{Page, Web};

const LOOPBACK: (&str, &str) = ("outbound.allow_loopback_http", "true");
const OPEN: (&str, &str) = ("registration.mode", "open");

/// A provider and somebody who signs in there.
struct World {
    app: TestApp,
    web: Web,
    key: SigningKey,
}

/// A browser that was sent to the provider.
struct Away {
    cookie: String,
    query: HashMap<String, String>,
}

impl World {
    async fn of(settings: &[(&'static str, &str)]) -> Self {
        let web = Web::start().await;
        let table = format!(
            "[[upstream]]\nname = \"acme\"\nlabel = \"Acme\"\nissuer = \"{0}\"\nclient_id = \"us\"\n\
             client_secret = \"s3cret\"\n[[upstream]]\nname = \"hub\"\nissuer = \"{0}/hub\"\nclient_id = \"us\"\n\
             client_secret = \"s3cret\"\nscopes = [\"read:user\"]\nauthorization_endpoint = \"{0}/hub/authorize\"\n\
             token_endpoint = \"{0}/hub/token\"\nuserinfo_endpoint = \"{0}/hub/user\"\nsubject = \"id\"\n",
            web.url("")
        );
        let settings: Vec<_> = [LOOPBACK].iter().chain(settings).copied().collect();
        let app = TestApp::with_file(&table, &settings).await;
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let world = Self { app, web, key };
        world.publish(json!({}));
        world
    }

    /// Puts the provider's documents where they are, with other members.
    fn publish(&self, members: Value) {
        let mut metadata = json!({
            "issuer": self.web.url(""), "authorization_endpoint": self.web.url("/authorize?tenant=a"),
            "token_endpoint": self.web.url("/token"), "jwks_uri": self.web.url("/keys")
        });
        let members = members.as_object().unwrap().clone();
        metadata.as_object_mut().unwrap().extend(members);
        self.web
            .put("/.well-known/openid-configuration", Page::json(metadata));
        let keys = symbolon_token::Jwks {
            keys: vec![self.key.public_jwk().unwrap()],
        };
        self.web.put("/keys", Page::json(keys.to_json()));
    }

    async fn leave(&self, name: &str) -> Away {
        self.leave_for(name, false).await
    }

    async fn leave_for(&self, name: &str, anew: bool) -> Away {
        let goal = Goal {
            anew,
            carried: "on".to_owned(),
        };
        let begun = begin(&self.app.app, name, goal).await.unwrap();
        let location = Url::parse(&begun.location).unwrap();
        Away {
            cookie: begun.cookie.to_string(),
            query: location.query_pairs().into_owned().collect(),
        }
    }

    fn claims(&self, away: &Away) -> Value {
        let now = self.app.now_seconds();
        json!({"iss": self.web.url(""), "sub": "alice", "aud": "us", "iat": now, "exp": now + 300,
            "nonce": away.query["nonce"], "email": "alice@example.com", "email_verified": true, "name": "Alice"})
    }

    /// What the provider gives for the code.
    fn give(&self, claims: &Value) {
        let text = self.key.sign(Typ::Jwt, claims).unwrap();
        let tokens = json!({"id_token": text, "access_token": "at", "token_type": "Bearer"});
        self.web.put("/token", Page::json(tokens));
    }

    async fn back(&self, away: &Away) -> Result<Landed, NotLanded> {
        let returned = Returned {
            state: Some(&away.query["state"]),
            code: Some("c0de"),
            ..Returned::default()
        };
        self.back_with(("acme", Some(&away.cookie)), &returned)
            .await
    }

    async fn back_with(
        &self,
        place: (&str, Option<&str>),
        returned: &Returned<'_>,
    ) -> Result<Landed, NotLanded> {
        let origin = Origin::default();
        land(&self.app.app, place, returned, &origin).await
    }

    /// The whole way, with other claims.
    async fn sign_in(&self, change: impl Fn(&mut Value)) -> Result<Landed, NotLanded> {
        let away = self.leave("acme").await;
        let mut claims = self.claims(&away);
        change(&mut claims);
        self.give(&claims);
        self.back(&away).await
    }
}

fn refused(landed: Result<Landed, NotLanded>) -> Arrival {
    match landed {
        Err(NotLanded::Refused(arrival)) => arrival,
        Err(NotLanded::Taken(_)) => Arrival::Taken,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn somebody_new_gets_an_account_and_signs_in_to_it_again() {
    let world = World::of(&[OPEN]).await;
    let away = world.leave("acme").await;
    let callback = format!("http://{}/oauth/upstream/acme/callback", world.app.address);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", &callback),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
        ("tenant", "a"),
    ] {
        assert_eq!(away.query[name], value, "{name}");
    }
    world.give(&world.claims(&away));
    let landed = world.back(&away).await.unwrap();
    assert_eq!(
        (landed.arrival, landed.carried.as_str()),
        (Arrival::Register, "on")
    );
    let user = landed.user;
    assert_eq!(user.email.as_str(), "alice@example.com");
    assert!(user.email_verified && user.is_active());
    let (header, form) = world.web.sent("/token");
    assert_eq!(header, "Basic dXM6czNjcmV0");
    assert_eq!(
        (&*form["code"], &*form["redirect_uri"]),
        ("c0de", &*callback)
    );
    let verifier = &form["code_verifier"];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    assert_eq!(
        away.query["code_challenge"],
        encoding::encode(digest.as_ref())
    );
    assert_eq!(form.get("client_secret"), None);
    // Another address, the same person.
    let again = world.sign_in(|claims| claims["email"] = json!("bob@example.com"));
    let again = again.await.unwrap();
    assert_eq!((again.arrival, again.user.id), (Arrival::SignIn, user.id));
    assert_eq!(again.user.email, user.email);
    let written = world.app.audit(AuditKind::IdentityLinked).await;
    assert_eq!(written.len(), 1);
    assert_eq!(
        world.web.asked("/.well-known/openid-configuration"),
        1,
        "kept"
    );
}

#[tokio::test]
async fn l14_who_is_disabled_stays_out() {
    let world = World::of(&[OPEN]).await;
    let user = world.sign_in(|_| {}).await.unwrap().user;
    let origin = Origin::default();
    let disabled = users::set_status(
        &world.app.app,
        Actor::Operator,
        user,
        UserStatus::Disabled,
        &origin,
    );
    disabled.await.unwrap();
    assert_eq!(refused(world.sign_in(|_| {}).await), Arrival::Disabled);
}

#[tokio::test]
async fn registration_is_as_open_as_it_is_set() {
    for (settings, arrival) in [
        (vec![("registration.mode", "closed")], Arrival::Closed),
        (vec![("registration.mode", "invitation")], Arrival::Closed),
        (
            vec![OPEN, ("registration.domains", "example.org")],
            Arrival::Closed,
        ),
    ] {
        let world = World::of(&settings).await;
        assert_eq!(
            refused(world.sign_in(|_| {}).await),
            arrival,
            "{settings:?}"
        );
    }
    let world = World::of(&[OPEN]).await;
    let nobody = world.sign_in(|claims| claims["email"] = json!("not an address"));
    assert_eq!(refused(nobody.await), Arrival::NoAddress);
}

#[tokio::test]
async fn h3_an_answer_belongs_to_what_this_browser_began() {
    let world = World::of(&[OPEN]).await;
    let (away, other) = (world.leave("acme").await, world.leave("acme").await);
    world.give(&world.claims(&away));
    let state = Some(&*away.query["state"]);
    let with = |state| Returned {
        state,
        code: Some("c0de"),
        ..Returned::default()
    };
    let forged = away.cookie.replacen('e', "f", 1);
    for (name, cookie, state) in [
        ("acme", None, state),
        ("acme", Some(&*other.cookie), state),
        ("acme", Some(&*away.cookie), Some(&*other.query["state"])),
        ("acme", Some(&*away.cookie), None),
        ("acme", Some(&*forged), state),
        ("acme", Some("."), state),
        ("hub", Some(&*away.cookie), state),
    ] {
        let landed = world.back_with((name, cookie), &with(state)).await;
        assert!(
            matches!(landed, Err(NotLanded::Unbound)),
            "{name}: {landed:?}"
        );
    }
    assert_eq!(world.web.asked("/token"), 0);
    let returned = with(state);
    let gone = world.back_with(("gone", Some(&away.cookie)), &returned);
    assert!(matches!(gone.await, Err(NotLanded::Unknown)));
    world.app.wait(600);
    let late = world.back(&away).await;
    assert!(matches!(late, Err(NotLanded::Unbound)), "{late:?}");
}

#[tokio::test]
async fn what_does_not_hold_is_refused() {
    let world = World::of(&[OPEN]).await;
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("them")),
        ("azp", json!("them")),
        ("nonce", json!("n")),
        ("exp", json!(1)),
        ("sub", json!("")),
    ] {
        let landed = world.sign_in(|claims| claims[name] = value.clone()).await;
        assert!(
            matches!(landed, Err(NotLanded::Untrusted(_))),
            "{name}: {landed:?}"
        );
    }
    let away = world.leave("acme").await;
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = stranger.sign(Typ::Jwt, &world.claims(&away)).unwrap();
    world
        .web
        .put("/token", Page::json(json!({"id_token": forged})));
    let landed = world.back(&away).await;
    assert!(
        matches!(landed, Err(NotLanded::Untrusted("unknown_key"))),
        "{landed:?}"
    );
    let mut page = Page::json(json!({"error": "invalid_grant"}));
    page.status = 400;
    world.web.put("/token", page);
    assert!(matches!(world.back(&away).await, Err(NotLanded::Denied)));
    let denied = Returned {
        state: Some(&away.query["state"]),
        error: Some("access_denied"),
        ..Returned::default()
    };
    let landed = world.back_with(("acme", Some(&away.cookie)), &denied);
    assert!(matches!(landed.await, Err(NotLanded::Denied)));
}

/// RFC 9207
#[tokio::test]
async fn an_answer_is_of_the_provider_that_was_asked() {
    let world = World::of(&[OPEN]).await;
    world.publish(json!({"authorization_response_iss_parameter_supported": true}));
    let away = world.leave("acme").await;
    world.give(&world.claims(&away));
    let issuer = world.web.url("");
    for (iss, lands) in [
        (None, false),
        (Some("https://evil.example"), false),
        (Some(&*issuer), true),
    ] {
        let returned = Returned {
            state: Some(&away.query["state"]),
            code: Some("c0de"),
            iss,
            ..Returned::default()
        };
        let landed = world.back_with(("acme", Some(&away.cookie)), &returned);
        assert_eq!(landed.await.is_ok(), lands, "{iss:?}");
    }
}

#[tokio::test]
async fn metadata_are_of_the_issuer() {
    let world = World::of(&[OPEN]).await;
    for members in [
        json!({"issuer": world.web.url("/")}),
        json!({"token_endpoint": "http://169.254.169.254/"}),
        json!({"jwks_uri": 7}),
    ] {
        world.publish(members);
        let begun = begin(&world.app.app, "acme", Goal::default()).await;
        assert!(matches!(begun, Err(NotLanded::Untrusted(_))));
    }
    world.publish(json!({}));
    assert!(begin(&world.app.app, "acme", Goal::default()).await.is_ok());
}

#[tokio::test]
async fn who_has_to_sign_in_anew_does_so_there() {
    let world = World::of(&[OPEN]).await;
    let silent = world.leave("acme").await;
    assert_eq!(silent.query.get("prompt"), None);
    world.give(&world.claims(&silent));
    let landed = world.back(&silent).await.unwrap();
    assert_eq!(landed.method, SignInMethod::Upstream);
    for (age, good) in [(None, true), (Some(0), true), (Some(3_600), false)] {
        let away = world.leave_for("acme", true).await;
        assert_eq!(
            (&*away.query["prompt"], &*away.query["max_age"]),
            ("login", "0")
        );
        let mut claims = world.claims(&away);
        if let Some(age) = age {
            claims["auth_time"] = json!(world.app.now_seconds() - age);
        }
        world.give(&claims);
        match world.back(&away).await {
            Ok(landed) => assert!(good && landed.method == SignInMethod::UpstreamAnew),
            Err(NotLanded::Untrusted(_)) => assert!(!good),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_provider_without_id_tokens_tells_by_its_own_endpoint() {
    let world = World::of(&[OPEN]).await;
    world.web.put(
        "/hub/token",
        Page::json(json!({"access_token": "gho_x", "token_type": "bearer"})),
    );
    let user =
        json!({"id": 583_231, "login": "octocat", "name": "Octo", "email": "octo@example.com"});
    world.web.put("/hub/user", Page::json(&user));
    let away = world.leave("hub").await;
    assert_eq!(
        (&*away.query["scope"], away.query.get("nonce")),
        ("read:user", None)
    );
    let returned = Returned {
        state: Some(&away.query["state"]),
        code: Some("c0de"),
        ..Returned::default()
    };
    let back = async || {
        world
            .back_with(("hub", Some(&away.cookie)), &returned)
            .await
    };
    let landed = back().await.unwrap();
    assert_eq!(landed.arrival, Arrival::Register);
    assert!(!landed.user.email_verified, "it does not say so");
    let identities = list(&world.app.app, landed.user.id).await.unwrap();
    assert_eq!(identities[0].link.identity.subject(), "583231");
    let (header, form) = world.web.sent("/hub/token");
    assert_eq!((&*header, &*form["client_secret"]), ("", "s3cret"));
    assert_eq!(world.web.sent("/hub/user").0, "Bearer gho_x");
    for odd in [
        json!({"id": 1.5}),
        json!({"id": true}),
        json!({"login": "octocat"}),
        json!([]),
    ] {
        world.web.put("/hub/user", Page::json(odd));
        let landed = back().await;
        assert!(matches!(landed, Err(NotLanded::Untrusted(_))), "{landed:?}");
    }
}
