//! The authorization endpoint (OAuth 2.1 section 4.1.1; OpenID Connect Core 1.0 section 3.1.2).
//!
//! 1. A request that was pushed ahead is fetched, and used up (RFC 9126 section 4).
//! 2. The client, then the redirect URI: without both, a page of ours says what is wrong and nobody is sent anywhere
//!    (RFC 6749 section 4.1.2.1).
//! 3. The request is judged; from here on errors go to the redirect URI, with `iss` (RFC 9207) and `state`.
//! 4. Who is signed in at the browser, and is that fresh enough (`prompt`, `max_age`), and whom the
//!    client expects (`id_token_hint`)? If not, the person signs in.
//! 5. What is asked for that the person may give: permissions that they do not have are left out.
//! 6. Has the person agreed to it before? A client that anybody's program could pass for is asked about each time
//!    (RFC 8252 section 8.6). If not, the person is asked.
//! 7. A code is made, good for a minute and once (RFC 6749 section 4.1.2), and the answer goes to the redirect URI.
//!
//! Between the pages the request travels with them; each page begins again at step 2.

use std::time::Duration;

use symbolon_domain::mail::Locale;
use symbolon_domain::oauth::{
    self, AuthorizationRequest, Consent, ErrorCode, Misdirected, Next, OAuthError, OFFLINE_ACCESS,
    Parameters, ResponseMode, Scopes, destination, judge, response_mode,
};
use symbolon_domain::{Client, ClientId, ConsentPolicy, RedirectUri, Resource, User, UserId};
use symbolon_store::CodeRow;
use zeroize::Zeroizing;

use super::browser::Browser;
use super::consents::{self, Agreed};
use super::frozen::Frozen;
use super::interaction::{Interaction, Shown};
use super::secret_text::{digest_of, draw};
use super::{Failed, claims, id_token, pushed};
use crate::app::App;
use crate::flows::clients::{remembered, resolve};
use crate::flows::{Error, Origin, ROUNDS, lost_race, overloaded};

/// What a code begins with.
pub(super) const PREFIX: &str = "sbc_";
/// How long a code is good.
const LIFE: Duration = Duration::from_secs(60);

/// What happens next at the browser.
pub enum Step {
    /// Nobody is sent anywhere; a page says why.
    Nowhere(Misdirected),
    /// The person signs in.
    SignIn(Asking),
    /// The person is asked.
    Consent(Asking, Box<Wanted>),
    /// The answer goes to the client.
    Answer(Reply),
}

/// Who asks, and the request for a hidden field.
pub struct Asking {
    /// The client.
    pub client: Option<Box<Client>>,
    /// Where the answer goes.
    pub leads_to: Option<RedirectUri>,
    /// What the form sends back.
    pub interaction: String,
    /// Who is expected to sign in.
    pub login_hint: Option<String>,
    /// The language that the client wishes for.
    pub locale: Option<Locale>,
}

impl Asking {
    /// Of a client that is not looked up before the person has signed in.
    fn of_nobody_known(app: &App, interaction: &Interaction) -> Result<Self, Error> {
        let locales = interaction.parameters.get("ui_locales");
        Ok(Self {
            client: None,
            leads_to: None,
            interaction: interaction.seal(app)?,
            login_hint: None,
            locale: locales.and_then(Locale::of_ui_locales),
        })
    }

    fn of(
        app: &App,
        (client, request): (&Client, &AuthorizationRequest),
        interaction: &Interaction,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: Some(Box::new(client.clone())),
            leads_to: Some(request.destination.uri.clone()),
            login_hint: request.login_hint.clone(),
            ..Self::of_nobody_known(app, interaction)?
        })
    }
}

/// What is asked for.
pub struct Wanted {
    /// Of whom.
    pub user: User,
    /// The scopes that would be granted.
    pub scopes: Scopes,
    /// The APIs.
    pub resources: Vec<String>,
    /// Whether it lasts beyond the sign-in.
    pub offline: bool,
}

/// An answer on its way to the client (RFC 6749 sections 4.1.2 and 4.1.2.1).
pub struct Reply {
    /// Where to.
    pub uri: RedirectUri,
    /// How.
    pub mode: ResponseMode,
    /// Nobody here vouches for the client, and it is refused: the browser is not sent there by itself (RFC 9700 section
    /// 4.11.2).
    pub held: bool,
    /// Its parameters.
    pub parameters: Vec<(&'static str, Zeroizing<String>)>,
}

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They agree.
    Allow,
    /// They do not.
    Deny,
}

/// A request as it came. Steps 1 to 7, as far as it gets without the person.
///
/// # Errors
/// What is wrong with a pushed request; a fault.
pub async fn begin(
    app: &App,
    parameters: Parameters,
    browser: Option<&Browser>,
    origin: &Origin,
) -> Result<Step, Failed> {
    let now = app.clock.now();
    let (parameters, pushed) = pushed::fetch(app, parameters, now).await?;
    let interaction = Interaction {
        parameters,
        began_at: now,
        asked: None,
        pushed,
    };
    advance(app, interaction, browser, (None, origin)).await
}

/// The request again, once the person has signed in.
///
/// # Errors
/// [`Failed::Expired`] where the page is too old; a fault.
pub async fn go_on(
    app: &App,
    interaction: &str,
    browser: Option<&Browser>,
    origin: &Origin,
) -> Result<Step, Failed> {
    let interaction = Interaction::open_anew(app, interaction, app.clock.now())?;
    advance(app, interaction, browser, (None, origin)).await
}

/// Whether a request is not content with who is signed in (`prompt`, `max_age`).
pub fn must_sign_in_anew(app: &App, interaction: &str) -> bool {
    let opened = Interaction::open(app, interaction, app.clock.now());
    opened.is_ok_and(|interaction| {
        let parameters = &interaction.parameters;
        let prompt = parameters.get("prompt").unwrap_or_default();
        prompt.split(' ').any(|word| word == "login") || parameters.get("max_age").is_some()
    })
}

/// The request again, with the person's answer.
///
/// # Errors
/// [`Failed::Expired`] where the page is too old; a fault.
pub async fn decide(
    app: &App,
    interaction: &str,
    browser: Option<&Browser>,
    (decision, origin): (Decision, &Origin),
) -> Result<Step, Failed> {
    let interaction = Interaction::open_anew(app, interaction, app.clock.now())?;
    advance(app, interaction, browser, (Some(decision), origin)).await
}

/// Steps 2 to 7.
async fn advance(
    app: &App,
    interaction: Interaction,
    browser: Option<&Browser>,
    (decision, origin): (Option<Decision>, &Origin),
) -> Result<Step, Failed> {
    let parameters = &interaction.parameters;
    let client = match parameters.get("client_id").map(ClientId::parse) {
        // Nobody makes us fetch a document before a person has signed in (SECURITY row F4).
        Some(Ok(id)) if browser.is_none() && id.is_document() => match remembered(app, &id) {
            Some(client) => Some(client),
            // No page may ask, and there is no address to answer to.
            None if parameters.get("prompt") == Some("none") => None,
            None => return Ok(Step::SignIn(Asking::of_nobody_known(app, &interaction)?)),
        },
        Some(Ok(id)) => resolve(app, &id, origin).await?,
        _ => None,
    };
    let place = match destination(client.as_deref(), parameters) {
        Ok(place) => place,
        Err(misdirected) => return Ok(Step::Nowhere(misdirected)),
    };
    let Some(client) = client else {
        return Ok(Step::Nowhere(Misdirected::Client));
    };
    let judged = match client.definition.require_pushed && interaction.pushed.is_none() {
        true => Err(OAuthError::invalid_request(
            "The client pushes its requests first.",
        )),
        false => judge(&client, place.clone(), parameters).and_then(|request| {
            claims::check(request.claims.as_deref())?;
            Ok(request)
        }),
    };
    let answered = match judged {
        Ok(request) => {
            let asks = (&*client, &request, &interaction);
            decided(app, asks, browser, (decision, origin)).await
        }
        Err(error) => Err(error.into()),
    };
    match answered {
        // From here on the client is told.
        Err(Failed::OAuth(error)) => {
            let reply = refusal(app, (&client, &place.uri), parameters, &error)?;
            Ok(Step::Answer(reply))
        }
        step => step,
    }
}

/// Steps 4 to 7. What OAuth has an error for is for the client.
async fn decided(
    app: &App,
    asks: (&Client, &AuthorizationRequest, &Interaction),
    browser: Option<&Browser>,
    answer: (Option<Decision>, &Origin),
) -> Result<Step, Failed> {
    for _ in 0..ROUNDS {
        if let Some(step) = person(app, asks, browser, answer).await? {
            return Ok(step);
        }
    }
    Err(overloaded().into())
}

/// The same once: nothing where what the person has agreed to changed meanwhile.
async fn person(
    app: &App,
    (client, request, interaction): (&Client, &AuthorizationRequest, &Interaction),
    browser: Option<&Browser>,
    (decision, origin): (Option<Decision>, &Origin),
) -> Result<Option<Step>, Failed> {
    let wanted = wanted(app, request, browser).await?;
    // Whoever was asked has to be the one who answers, and this has to be what they were asked: another tab may have
    // signed somebody else in, and the client may be another by now.
    let shown = browser.map(|browser| shown(browser, request, &wanted));
    let decision = decision.filter(|_| shown.is_some() && interaction.asked == shown);
    // Who has just agreed has agreed to this; for the owner's own application the owner has.
    let trusted = client.definition.consent == ConsentPolicy::Trusted;
    let agreed = match browser {
        _ if decision == Some(Decision::Allow) || trusted => Some(wanted.clone()),
        Some(browser) if !request.destination.open => {
            agreed(app, browser.user.id, client, request).await?
        }
        _ => None,
    };
    let mut asked = request.asked;
    asked.prompt.consent &= decision.is_none();
    let expected = expected(app, client, request)?;
    let who = |browser: &Browser| {
        let sub = claims::subject(app, client, browser.user.id)?;
        Ok::<_, Error>(oauth::Browser {
            user: browser.user.id,
            auth_time: browser.auth_time(),
            silent: !browser.session.method.is_new(),
            expected: expected.iter().all(|expected| *expected == sub),
        })
    };
    let who = browser.map(who).transpose()?;
    let times = (interaction.began_at, app.clock.now());
    let next = oauth::next(&asked, who.as_ref(), times, (agreed.as_ref(), &wanted));
    match (next, browser) {
        (Next::Refuse(code), _) => {
            Err(OAuthError::new(code, "The person would have to be shown a page.").into())
        }
        (Next::Consent | Next::Answer, Some(_)) if decision == Some(Decision::Deny) => {
            let sentence = "The person does not agree.";
            Err(OAuthError::new(ErrorCode::AccessDenied, sentence).into())
        }
        (Next::Answer, Some(browser)) => {
            let asks = (client, request, interaction);
            let new = (decision.is_some() || trusted).then_some(origin);
            let reply = answer(app, asks, (browser, &wanted), new).await?;
            Ok(reply.map(Step::Answer))
        }
        (Next::Consent, Some(browser)) => {
            ask(app, client, (request, wanted), interaction, browser).map(Some)
        }
        _ => {
            let asking = Asking::of(app, (client, request), interaction)?;
            Ok(Some(Step::SignIn(asking)))
        }
    }
}

/// Step 4: the person whom an ID token of this client names, or the parameter `claims` (OpenID Connect Core 1.0 section
/// 5.5.1), as it knows them.
fn expected(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<Vec<String>, Failed> {
    let mut expected = claims::subjects(request.claims.as_deref());
    let Some(text) = &request.id_token_hint else {
        return Ok(expected);
    };
    let hint = id_token::read_hint(app, text)?;
    let own = hint.filter(|hint| hint.client == client.id.as_str());
    let sentence = "The parameter id_token_hint is no ID token that this client got here.";
    let own = own.ok_or_else(|| OAuthError::invalid_request(sentence))?;
    expected.push(own.sub);
    Ok(expected)
}

/// The page of step 6.
fn ask(
    app: &App,
    client: &Client,
    (request, scopes): (&AuthorizationRequest, Scopes),
    interaction: &Interaction,
    browser: &Browser,
) -> Result<Step, Failed> {
    let interaction = Interaction {
        asked: Some(shown(browser, request, &scopes)),
        ..interaction.clone()
    };
    let resources = request.resources.iter().map(ToString::to_string);
    let wanted = Wanted {
        user: browser.user.clone(),
        offline: scopes.contains(OFFLINE_ACCESS),
        resources: resources.collect(),
        scopes,
    };
    let asking = Asking::of(app, (client, request), &interaction)?;
    Ok(Step::Consent(asking, Box::new(wanted)))
}

/// Step 5.
async fn wanted(
    app: &App,
    request: &AuthorizationRequest,
    browser: Option<&Browser>,
) -> Result<Scopes, Error> {
    let Some(browser) = browser else {
        return Ok(request.scopes.clone());
    };
    let holds = app.role_book().await?.effective(&browser.user.roles);
    Ok(request.scopes.held_by(&holds.permissions))
}

/// What the person has agreed to before, at these APIs.
async fn agreed(
    app: &App,
    user: UserId,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<Option<Scopes>, Error> {
    let consent = app.store.find_consent(user, &client.id).await?;
    Ok(consent.and_then(|consent| consent.agreement.at(&request.resources)))
}

fn shown(browser: &Browser, request: &AuthorizationRequest, scopes: &Scopes) -> Shown {
    Shown {
        user: browser.user.id.uuid(),
        scopes: scopes.to_string(),
        resources: request.resources.iter().map(Resource::to_string).collect(),
        leads_to: request.destination.uri.to_string(),
    }
}

/// Step 7, `new` where the person has just agreed. Nothing where what they have agreed to changed meanwhile.
async fn answer(
    app: &App,
    (client, request, interaction): (&Client, &AuthorizationRequest, &Interaction),
    (browser, scopes): (&Browser, &Scopes),
    new: Option<&Origin>,
) -> Result<Option<Reply>, Failed> {
    let now = app.clock.now();
    let code = draw(app, PREFIX)?;
    let digest = digest_of(PREFIX, &code).ok_or_else(OAuthError::invalid_grant)?;
    let frozen = Frozen::of(request, scopes, (browser.session.id, browser.auth_time()));
    let user = browser.user.id;
    let mut batch = app.store.batch();
    batch.insert_code(&CodeRow {
        digest,
        client: client.id.clone(),
        user,
        request: frozen.text()?,
        session: None,
        expires_at: now.plus(LIFE),
    });
    match new {
        Some(origin) => {
            let agreed = Agreed {
                client: &client.id,
                scopes,
                resources: &request.resources,
            };
            consents::add(app, &mut batch, browser, (&agreed, now), origin).await?;
        }
        // What was agreed to before is not agreed to again: if it is taken back by now, the person is asked.
        None => {
            let consent = app.store.find_consent(user, &client.id).await?;
            let covers = |consent: &Consent| {
                let agreed = consent.agreement.at(&request.resources);
                agreed.is_some_and(|agreed| agreed.cover(scopes))
            };
            let Some(consent) = consent.filter(covers) else {
                return Ok(None);
            };
            batch.require_consent(&consent);
        }
    }
    let committed = batch.commit().await;
    if lost_race(&committed) {
        return Ok(None);
    }
    committed?;
    // The code of a request that was answered before goes nowhere.
    if let Some(name) = &interaction.pushed
        && !pushed::burn(app, name, now).await?
    {
        let sentence = "The request was answered already.";
        return Err(OAuthError::invalid_request(sentence).into());
    }
    let place = (&request.destination.uri, request.response_mode);
    let state = request.state.as_deref();
    reply(app, place, vec![("code", code)], state).map(Some)
}

/// An error for the client (RFC 6749 section 4.1.2.1).
fn refusal(
    app: &App,
    (client, uri): (&Client, &RedirectUri),
    parameters: &Parameters,
    error: &OAuthError,
) -> Result<Reply, Failed> {
    let mode = response_mode(parameters).unwrap_or(ResponseMode::Query);
    let told = vec![
        ("error", Zeroizing::new(error.code.as_str().to_owned())),
        (
            "error_description",
            Zeroizing::new(error.description.clone().into_owned()),
        ),
    ];
    // One that is too long was not kept anywhere: it goes back as it came.
    let mut reply = reply(app, (uri, mode), told, parameters.get("state"))?;
    reply.held = client.id.is_document();
    Ok(reply)
}

fn reply(
    app: &App,
    (uri, mode): (&RedirectUri, ResponseMode),
    mut parameters: Vec<(&'static str, Zeroizing<String>)>,
    state: Option<&str>,
) -> Result<Reply, Failed> {
    if let Some(state) = state {
        parameters.push(("state", Zeroizing::new(state.to_owned())));
    }
    let issuer = app.issuance()?.issuer.clone();
    parameters.push(("iss", Zeroizing::new(issuer)));
    Ok(Reply {
        uri: uri.clone(),
        mode,
        held: false,
        parameters,
    })
}
