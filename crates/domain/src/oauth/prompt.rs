use core::time::Duration;

use super::{ErrorCode, OAuthError, Parameters, Scopes};
use crate::{Timestamp, UserId};

/// The context of every sign-in, `acr` (OpenID Connect Core 1.0 section 2): one factor, shown to this server or to another
/// provider that its owner trusts.
pub const ACR: &str = "1";

/// `prompt` (OpenID Connect Core 1.0 section 3.1.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the parameter"
)]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person is asked again.
    pub consent: bool,
    /// The person chooses an account.
    pub select_account: bool,
}

impl Prompt {
    /// Reads the words of the parameter.
    ///
    /// # Errors
    /// `invalid_request` for other words, and for `none` beside others.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        let text = parameters.get("prompt").unwrap_or_default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => {
                    return Err(OAuthError::invalid_request(
                        "The parameter prompt has none, or some of login, consent and select_account.",
                    ));
                }
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(OAuthError::invalid_request(
                "The parameter prompt has none beside other words.",
            ));
        }
        Ok(prompt)
    }
}

/// What the person is to be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// `prompt`.
    pub prompt: Prompt,
    /// `max_age`: how long ago the person may have signed in, in seconds.
    pub max_age_s: Option<u32>,
}

/// Who is signed in at the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Browser {
    /// The person.
    pub user: UserId,
    /// When they signed in.
    pub auth_time: Timestamp,
    /// Whether another provider let them in that was not asked for a new sign-in: nobody knows how old theirs is.
    pub silent: bool,
    /// Whether they are who the request expects, where it says whom (`id_token_hint`).
    pub expected: bool,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The person signs in.
    SignIn,
    /// The person is asked whether they agree.
    Consent,
    /// The code is given.
    Answer,
    /// The request is refused, for no page may be shown.
    Refuse(ErrorCode),
}

/// What happens next on the way to an answer, `began_at` being when the request came first, `agreed` what the person has
/// agreed to before (nothing where they have to be asked whatever that was), `wanted` what is asked for now.
pub fn next(
    asked: &Asked,
    browser: Option<&Browser>,
    (began_at, now): (Timestamp, Timestamp),
    (agreed, wanted): (Option<&Scopes>, &Scopes),
) -> Next {
    let page = |page, code| match asked.prompt.none {
        true => Next::Refuse(code),
        false => page,
    };
    // A sign-in that belongs to this request is fresh enough, however slow the person was.
    let is_fresh = |browser: &&Browser| {
        if browser.silent && (asked.prompt.login || asked.max_age_s.is_some()) {
            return false;
        }
        let own = browser.auth_time >= began_at;
        let again = asked.prompt.login || asked.prompt.select_account || asked.max_age_s == Some(0);
        let most = asked.max_age_s.map(|age| Duration::from_secs(age.into()));
        let old = most.is_some_and(|most| now.since(browser.auth_time) > most);
        own || !(again || old)
    };
    let Some(browser) = browser.filter(is_fresh) else {
        return page(Next::SignIn, ErrorCode::LoginRequired);
    };
    if !browser.expected {
        // Somebody else has just signed in for this request: there is nobody to ask again.
        return match browser.auth_time >= began_at {
            true => Next::Refuse(ErrorCode::LoginRequired),
            false => page(Next::SignIn, ErrorCode::LoginRequired),
        };
    }
    let settled = agreed.is_some_and(|agreed| agreed.cover(wanted)) && !asked.prompt.consent;
    match settled {
        true => Next::Answer,
        false => page(Next::Consent, ErrorCode::ConsentRequired),
    }
}
