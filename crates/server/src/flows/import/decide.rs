//! What becomes of one user of a file, as far as that follows from the file alone.

use std::sync::Arc;

use symbolon_domain::{
    DisplayName, Email, FieldError, Password, Permissions, Problem, RoleBook, RoleName, Roles,
    Timestamp, User, UserId, UserStatus, Username,
};

use super::Options;
use crate::app::App;
use crate::flows::password::choose_for;
use crate::transfer::{Record, Secret};

/// No account is older.
const FIRST: Timestamp = Timestamp::from_millis(0);

/// Everything that a judgement needs.
pub(super) struct Rules {
    app: Arc<App>,
    options: Options,
    book: Arc<RoleBook>,
    now: Timestamp,
}

/// A user who may come in.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) user: User,
    pub(super) password: Proof,
}

/// What the user will sign in with.
#[derive(Debug)]
pub(super) enum Proof {
    /// Nothing, before a password is set; `dropped` if the file had a hash.
    None { dropped: bool },
    /// What was hashed elsewhere.
    Hash(String),
    /// What is still to be hashed.
    Plain(Password),
}

impl Rules {
    pub(super) fn new(app: &Arc<App>, options: &Options, book: Arc<RoleBook>) -> Self {
        Self {
            app: Arc::clone(app),
            options: options.clone(),
            book,
            now: app.clock.now(),
        }
    }

    /// Judges a user by the rules of registration, and names all that is wrong at once.
    pub(super) fn decide(&self, record: Record) -> Result<Candidate, Vec<FieldError>> {
        let mut noted = Noted(Vec::new());
        let email = match record.email.as_deref() {
            Some(text) => Email::parse(text),
            None => Err(Problem::new("required", "A user has an e-mail address.")),
        };
        let email = noted.good("/email", email);
        let username = record.username.as_deref().map(Username::parse).transpose();
        let username = noted.good("/username", username).flatten();
        let name = record.name.as_deref().map(DisplayName::parse).transpose();
        let name = noted.good("/name", name).flatten();
        let roles = noted.good("/roles", self.roles(&record.roles));
        let password = match self.password(&record) {
            Ok(password) => Some(password),
            Err((pointer, problem)) => noted.good(pointer, Err(problem)),
        };
        let created_at = record.created_at.unwrap_or(self.now);
        let created_at = created_at.clamp(FIRST, self.now.max(FIRST));
        let id = noted.good("/id", self.id(record.id, created_at));
        let banned = record.disabled_until.is_some_and(|until| until > self.now);
        let (Some(id), Some(email), Some(roles), Some(password), true) =
            (id, email, roles, password, noted.0.is_empty())
        else {
            return Err(noted.0);
        };
        let user = User {
            id,
            email,
            username,
            name,
            roles,
            status: if record.disabled || banned {
                UserStatus::Disabled
            } else {
                UserStatus::Active
            },
            email_verified: record.email_verified,
            token_version: 1,
            version: 1,
            created_at,
            updated_at: self.now,
        };
        Ok(Candidate { user, password })
    }

    fn id(&self, given: Option<UserId>, created_at: Timestamp) -> Result<UserId, Problem> {
        match given.filter(|_| !self.options.ignore_ids) {
            Some(id) if id.uuid().is_nil() || id.uuid().is_max() => Err(Problem::new(
                "malformed_id",
                "This is the UUID that stands for none.",
            )),
            Some(id) => Ok(id),
            None => {
                let made = self.app.rng.uuid_v7(created_at);
                let made = made.map_err(|_| Problem::new("fault", "There is no chance left."))?;
                Ok(UserId::new(made))
            }
        }
    }

    fn roles(&self, named: &[String]) -> Result<Roles, Problem> {
        if named.is_empty() || self.options.ignore_roles {
            return Ok(self.options.roles.clone());
        }
        let names: Result<Vec<RoleName>, Problem> =
            named.iter().map(|name| RoleName::parse(name)).collect();
        let roles = Roles::new(names?);
        self.book.must_define(&roles)?;
        must_not_be_admin(&self.book, &roles, self.options.allow_admin)?;
        Ok(roles)
    }

    fn password(&self, record: &Record) -> Result<Proof, (&'static str, Problem)> {
        let accepted = match &record.secret {
            Secret::None => return Ok(Proof::None { dropped: false }),
            Secret::Plain(text) => {
                return self
                    .plain(record, text)
                    .map(Proof::Plain)
                    .map_err(|problem| ("/password", problem));
            }
            Secret::Hash(hash) => self.app.hasher.accept(hash),
            Secret::Unusable(unusable) => Err(*unusable),
        };
        match accepted {
            Ok(hash) => Ok(Proof::Hash(hash)),
            Err(_) if self.options.drop_hashes => Ok(Proof::None { dropped: true }),
            Err(unusable) => {
                let problem = Problem::new(unusable.code(), unusable.to_string());
                Err(("/passwordHash", problem))
            }
        }
    }

    fn plain(&self, record: &Record, text: &str) -> Result<Password, Problem> {
        if !self.options.plain_passwords {
            return Err(Problem::new(
                "plain_password",
                "A password in clear is taken with --plain-passwords only.",
            ));
        }
        let context = [record.email.as_deref(), record.username.as_deref()];
        let context: Vec<&str> = context.into_iter().flatten().collect();
        choose_for(&self.app, text, &context)
    }
}

/// What is wrong with a user, all of it.
struct Noted(Vec<FieldError>);

impl Noted {
    fn good<T>(&mut self, pointer: &str, parsed: Result<T, Problem>) -> Option<T> {
        parsed
            .map_err(|problem| self.0.push(problem.at(pointer)))
            .ok()
    }
}

/// Whoever can write into the file must not become an administrator by it.
pub(super) fn must_not_be_admin(
    book: &RoleBook,
    roles: &Roles,
    allowed: bool,
) -> Result<(), Problem> {
    let may_do_everything =
        roles.is_admin() || book.effective(roles).permissions == Permissions::Every;
    if may_do_everything && !allowed {
        return Err(Problem::new(
            "role_admin",
            "A role that may do everything is given with --allow-admin only.",
        ));
    }
    Ok(())
}
