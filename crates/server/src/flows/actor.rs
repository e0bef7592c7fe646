//! Who administrates, and how far that goes. Nobody gives, takes or touches what they do not have themselves.
//!
//! 1. A flow that administrates asks [`Actor::authorize`] for each decision anew: what the actor may do now is loaded, not
//!    what the access token said when it was made.
//! 2. It asks the [`Authority`] about what it wants: [`Authority::may_grant`] before somebody gets roles,
//!    [`Authority::may_manage`] before somebody's account is changed.
//! 3. [`Authority::bind`] puts the actor's row and the definitions of roles into the batch as a condition: who was demoted,
//!    disabled or deleted in between, and whoever a role meant less to, writes nothing (SECURITY row M3).

use std::sync::Arc;

use symbolon_domain::audit::AuditEvent;
use symbolon_domain::{Effective, Permissions, Refusal, RoleBook, RoleName, Roles, User, UserId};
use symbolon_store::Batch;

use super::Error;
use super::authenticate::Caller;
use crate::app::App;

/// Who administrates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The owner of the machine, by the command line or a file of settings: may do everything.
    Operator,
    /// A signed-in user: may do what their roles allow.
    User(UserId),
    /// An application that such a user let in: of what they may do it may do what it asks for at the moment, and nothing
    /// that takes more. It gives nobody a role, and touches nobody who has one.
    Application(UserId),
}

/// What an actor may do at the moment of a decision.
pub struct Authority {
    /// The actor's row as it was loaded; none for the operator.
    user: Option<User>,
    holds: Effective,
    book: Arc<RoleBook>,
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        match caller.is_own {
            true => Self::User(caller.user),
            false => Self::Application(caller.user),
        }
    }
}

impl Actor {
    /// The person; nobody for the operator.
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::Operator => None,
            Self::User(id) | Self::Application(id) => Some(id),
        }
    }

    /// Step 1. `permission` is one of the program's own, such as `users:write`.
    ///
    /// # Errors
    /// `forbidden` for a user who is gone, disabled or lacks the permission; a fault of the store.
    pub async fn authorize(self, app: &App, permission: &str) -> Result<Authority, Error> {
        let (Self::User(id) | Self::Application(id)) = self else {
            return Ok(Authority {
                user: None,
                holds: Effective {
                    roles: Roles::default(),
                    permissions: Permissions::Every,
                },
                book: app.role_book().await?,
            });
        };
        let user = app.store.find_user(id).await?;
        // After the user: roles that were given meanwhile are at least as new as the definitions.
        let book = app.role_book().await?;
        let user = user.filter(User::is_active).ok_or(Refusal::Forbidden)?;
        let mut holds = book.effective(&user.roles);
        if !holds.permissions.allow(permission) {
            return Err(Refusal::Forbidden.into());
        }
        if matches!(self, Self::Application(_)) {
            holds = Effective {
                roles: Roles::default(),
                permissions: Permissions::from_names([permission])
                    .map_err(|_| Refusal::Forbidden)?,
            };
        }
        Ok(Authority {
            user: Some(user),
            holds,
            book,
        })
    }
}

impl Authority {
    /// The definitions of roles by which it was judged.
    pub fn book(&self) -> &RoleBook {
        &self.book
    }

    /// The actor, where it is a user.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Whether the actor has all of `wanted`: the permissions, and, since resources go by names as well, the roles. `user`,
    /// which allows nothing, is everybody's to give.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn must_have(&self, wanted: &Effective) -> Result<(), Error> {
        let has = |role: &RoleName| self.holds.roles.contains(role) || *role == RoleName::USER;
        let every = self.holds.permissions == Permissions::Every;
        if every
            || (self.holds.permissions.include(&wanted.permissions) && wanted.roles.iter().all(has))
        {
            return Ok(());
        }
        Err(Refusal::Forbidden.into())
    }

    /// Step 2, for roles that somebody is to get.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_grant(&self, roles: &Roles) -> Result<(), Error> {
        self.must_have(&self.book.effective(roles))
    }

    /// Step 2, for an account that is to be changed: nobody touches who has what they have not.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_manage(&self, target: &User) -> Result<(), Error> {
        self.may_grant(&target.roles)
    }

    /// Step 3. To be called before anything in the batch changes the actor's own row.
    pub fn bind(&self, batch: &mut Batch) {
        // The one row that all who administrate lock comes first: two who change each other's accounts wait for it, not in
        // a circle.
        batch.require_roles(self.book.revision());
        if let Some(user) = &self.user {
            batch.require_user(user.id, user.version);
        }
    }

    /// Names the actor in a line of the audit log.
    pub fn stamp(&self, event: &mut AuditEvent) {
        event.actor = self.user.as_ref().map(|user| user.id);
    }
}
