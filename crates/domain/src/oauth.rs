//! OAuth 2.1 and OpenID Connect: what a request asks for, whether it may, and what has to happen before it is answered.

mod authorization;
mod backchannel;
mod device;
mod error;
mod exchange;
mod granted;
mod parameters;
mod pkce;
mod prompt;
mod redirect;
mod scopes;
#[cfg(test)]
mod tests;

pub use authorization::{
    AuthorizationRequest, ResponseMode, judge, response_mode, scopes_of, targets_of,
};
pub use backchannel::{LOGOUT_DELIVERY, LogoutOutcome, SILENCE, is_told, logout_outcome};
pub use device::{
    DEVICE_INTERVAL, DeviceState, Poll, SLOW_DOWN, USER_CODE_LETTERS, UserCode, poll,
};
pub use error::{ErrorCode, OAuthError};
pub use exchange::{
    ACCESS_TOKEN_TYPE, Exchange, ExchangeRequest, MOST_ACTORS, Subject, concerns, exchange,
};
pub use granted::{Agreement, Authorization, Consent};
pub use parameters::Parameters;
pub use pkce::{Challenge, Verifier};
pub use prompt::{ACR, Asked, Browser, Next, Prompt, next};
pub use redirect::{Destination, Misdirected, destination};
pub use scopes::{OFFLINE_ACCESS, OPENID, ROLES, Scopes};
