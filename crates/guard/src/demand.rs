//! What a route asks of a token beyond being good.

use symbolon_token::AccessClaims;

#[cfg(feature = "follow")]
use crate::denied::Denied;

/// The permission that stands for all of them.
const EVERY_PERMISSION: &str = "*";

/// What a token must allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand(What);

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Roles(Box<[Box<str>]>),
    Permission(Box<str>),
    Scope(Box<str>),
}

impl Demand {
    /// Its owner has one of these roles (claim `roles`). With no role at all nobody passes.
    pub fn any_role<R: Into<Box<str>>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self(What::Roles(roles.into_iter().map(Into::into).collect()))
    }

    /// Its owner has this permission: the claim `scope` holds it, or `*`.
    pub fn permission(permission: impl Into<Box<str>>) -> Self {
        Self(What::Permission(permission.into()))
    }

    /// It was given with this scope: the claim `scope` holds exactly it.
    pub fn scope(scope: impl Into<Box<str>>) -> Self {
        Self(What::Scope(scope.into()))
    }

    /// Whether the token meets it.
    #[must_use]
    pub fn is_met(&self, claims: &AccessClaims) -> bool {
        // RFC 6749 section 3.3: spaces, and nothing else, are between scopes. Nothing is no scope, though it stands
        // between two spaces.
        let holds = |wanted: &str| {
            let mut scopes = claims.scope.split(' ');
            !wanted.is_empty() && scopes.any(|scope| scope == wanted)
        };
        match &self.0 {
            What::Roles(roles) => {
                let has = |role: &str| claims.roles.iter().any(|one| one == role);
                roles.iter().any(|role| has(role))
            }
            What::Permission(permission) => {
                holds(permission) || (!permission.is_empty() && holds(EVERY_PERMISSION))
            }
            What::Scope(scope) => holds(scope),
        }
    }

    /// As [`is_met`](Self::is_met), with the refusal.
    ///
    /// # Errors
    ///
    /// [`Denied::Forbidden`] for roles and permissions, [`Denied::InsufficientScope`] for scopes.
    #[cfg(feature = "follow")]
    pub fn check(&self, claims: &AccessClaims) -> Result<(), Denied> {
        if self.is_met(claims) {
            return Ok(());
        }
        Err(match self.scope_name() {
            Some(_) => Denied::InsufficientScope,
            None => Denied::Forbidden,
        })
    }

    /// The scope that is demanded, where it is one, for a challenge (RFC 6750 section 3).
    #[must_use]
    pub fn scope_name(&self) -> Option<&str> {
        match &self.0 {
            What::Scope(scope) => Some(scope),
            What::Roles(_) | What::Permission(_) => None,
        }
    }
}

#[cfg(all(test, feature = "follow"))]
mod tests {
    use symbolon_token::Audience;

    use super::*;

    fn check(demand: &Demand, scope: &str, roles: &[&str]) -> Result<(), Denied> {
        demand.check(&AccessClaims {
            iss: String::new(),
            sub: String::new(),
            aud: Audience::from("api"),
            exp: 0,
            iat: 0,
            jti: String::new(),
            sid: None,
            ver: None,
            client_id: String::new(),
            scope: scope.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            nbf: None,
            email: None,
            cnf: None,
            auth_time: None,
            acr: None,
            act: None,
        })
    }

    #[test]
    fn any_of_the_roles_will_do() {
        let demand = Demand::any_role(["admin", "support"]);
        assert_eq!(check(&demand, "", &["user", "support"]), Ok(()));
        for roles in [&[][..], &["user"], &["Admin"], &["adminx"], &["*"]] {
            assert_eq!(check(&demand, "admin", roles), Err(Denied::Forbidden));
        }
        let nobody = Demand::any_role::<&str>([]);
        assert_eq!(check(&nobody, "", &["admin"]), Err(Denied::Forbidden));
    }

    #[test]
    fn a_permission_is_a_whole_word_of_the_scope_or_the_star() {
        let demand = Demand::permission("orders:read");
        for scope in ["orders:read", "openid orders:read", "a * b"] {
            assert_eq!(check(&demand, scope, &[]), Ok(()), "{scope}");
        }
        for scope in [
            "",
            "orders:reader",
            "orders:write",
            "orders:*",
            "orders:read\t",
            "**",
        ] {
            assert_eq!(
                check(&demand, scope, &["admin"]),
                Err(Denied::Forbidden),
                "{scope}"
            );
        }
    }

    #[test]
    fn a_demand_for_nothing_is_met_by_nobody() {
        for scope in ["", " ", "a  b", "*"] {
            let (permission, wanted) = (Demand::permission(""), Demand::scope(""));
            assert_eq!(check(&permission, scope, &[]), Err(Denied::Forbidden));
            assert_eq!(check(&wanted, scope, &[]), Err(Denied::InsufficientScope));
        }
    }

    #[test]
    fn a_scope_is_met_by_itself_alone() {
        let demand = Demand::scope("openid");
        assert_eq!(check(&demand, "profile openid", &[]), Ok(()));
        for scope in ["", "*", "openidx", "OPENID"] {
            assert_eq!(
                check(&demand, scope, &[]),
                Err(Denied::InsufficientScope),
                "{scope}"
            );
        }
    }
}
