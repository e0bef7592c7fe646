//! Signing out because an application asks (OpenID Connect RP-Initiated Logout 1.0).
//!
//! 1. `id_token_hint` is an ID token of ours, of whatever age: it tells which client asks and whom it means (section 2).
//! 2. `post_logout_redirect_uri` is one of that client's, byte for byte (section 3); otherwise nobody is sent anywhere.
//! 3. A hint about the person at the browser is as good as their word; without one they are asked (section 2).
//! 4. The sign-in at the browser ends, and with it every session of a client that was not given `offline_access`.

use std::sync::Arc;

use symbolon_domain::oauth::{OAuthError, Parameters};
use symbolon_domain::{Client, ClientId, EndReason, RedirectUri, UserId};

use super::browser::Browser;
use super::id_token::{self, Hint};
use super::interaction::{Interaction, Shown};
use super::{Failed, claims};
use crate::app::App;
use crate::flows::clients::remembered;
use crate::flows::logout::end_own;
use crate::flows::{Error, Origin};

/// What happens next.
pub enum Ending {
    /// The person is asked.
    Ask {
        /// Who asks for it, where that is known.
        client: Option<Arc<Client>>,
        /// What the form sends back.
        interaction: String,
    },
    /// Nobody is signed in any more.
    Done {
        /// Where the browser goes, with its parameter `state`.
        back: Option<(RedirectUri, Option<String>)>,
        /// Whether that may happen by itself: the client has shown what it got from us.
        trusted: bool,
    },
}

/// Who asks, and where the browser goes afterwards.
struct Request {
    client: Option<Arc<Client>>,
    hint: Option<Hint>,
    back: Option<(RedirectUri, Option<String>)>,
}

/// A request as it came.
///
/// # Errors
/// `invalid_request`; a fault.
pub async fn begin(
    app: &App,
    parameters: Parameters,
    browser: Option<&Browser>,
    origin: &Origin,
) -> Result<Ending, Failed> {
    let request = read(app, &parameters).await?;
    let Some(browser) = browser else {
        return Ok(done(request));
    };
    if means(app, &request, browser)? {
        sign_out(app, browser, origin).await?;
        return Ok(done(request));
    }
    let interaction = Interaction {
        parameters,
        began_at: app.clock.now(),
        asked: Some(Shown::to(browser.user.id)),
        pushed: None,
    };
    Ok(Ending::Ask {
        interaction: interaction.seal(app)?,
        client: request.client,
    })
}

/// The same, once the person agreed.
///
/// # Errors
/// [`Failed::Expired`] where the page is too old; `invalid_request` where somebody else is signed in by now; a fault.
pub async fn confirm(
    app: &App,
    interaction: &str,
    browser: Option<&Browser>,
    origin: &Origin,
) -> Result<Ending, Failed> {
    let interaction = Interaction::open(app, interaction, app.clock.now())?;
    let request = read(app, &interaction.parameters).await?;
    if let Some(browser) = browser {
        if interaction.asked != Some(Shown::to(browser.user.id)) {
            let sentence = "Somebody else is signed in by now.";
            return Err(OAuthError::invalid_request(sentence).into());
        }
        sign_out(app, browser, origin).await?;
    }
    Ok(done(request))
}

/// Step 4.
async fn sign_out(app: &App, browser: &Browser, origin: &Origin) -> Result<(), Error> {
    let (session, user) = (browser.session.id, browser.user.id);
    // False: it has ended by itself meanwhile.
    end_own(app, session, user, EndReason::Logout, origin).await?;
    Ok(())
}

fn done(request: Request) -> Ending {
    Ending::Done {
        trusted: request.hint.is_some() && is_known(request.client.as_deref()),
        back: request.back,
    }
}

/// Nobody here vouches for one that describes itself: the person goes there themselves (RFC 9700 section 4.11.2).
fn is_known(client: Option<&Client>) -> bool {
    client.is_some_and(|client| !client.id.is_document())
}

/// Steps 1 and 2.
async fn read(app: &App, parameters: &Parameters) -> Result<Request, Error> {
    let hint = match parameters.get("id_token_hint") {
        Some(text) => id_token::read_hint(app, text)?,
        None => None,
    };
    let named = parameters.get("client_id");
    // A hint of another client than the one that is named is none.
    let hint = hint.filter(|hint| named.is_none_or(|named| named == hint.client));
    let id = named.or(hint.as_ref().map(|hint| hint.client.as_str()));
    let client = match id.map(ClientId::parse) {
        // Nobody makes us fetch a document by signing out.
        Some(Ok(id)) if id.is_document() => remembered(app, &id),
        Some(Ok(id)) => app.store.find_client(&id).await?,
        _ => None,
    };
    let uri = parameters.get("post_logout_redirect_uri");
    let registered = client.as_ref().zip(uri).and_then(|(client, uri)| {
        let mut own = client.definition.post_logout_redirect_uris.iter();
        own.find(|own| own.as_str() == uri).cloned()
    });
    let state = parameters.get("state").map(str::to_owned);
    Ok(Request {
        back: registered.map(|uri| (uri, state)),
        client,
        hint,
    })
}

/// Step 3.
fn means(app: &App, request: &Request, browser: &Browser) -> Result<bool, Error> {
    let (Some(client), Some(hint)) = (&request.client, &request.hint) else {
        return Ok(false);
    };
    let user: UserId = browser.user.id;
    Ok(hint.sub == claims::subject(app, client, user)?)
}
