//! Brings an installation to the state that a file says (`symbolon apply`): settings, roles and clients.
//!
//! 1. What is there is read: the roles first, for their revision stands for all of them.
//! 2. [`symbolon_domain::setup::steps`] decides what it takes, by the rules by which the same is decided one by one.
//! 3. All of it is one transaction, which holds only if what was read is still there; else it is read and decided again. So
//!    of two at once one is first, and the other finds what that one left.
//! 4. Guards are told as they are when roles and clients change one by one.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_domain::audit::AuditKind;
use symbolon_domain::setup::{Change, ChosenSecret, Present, RoleEntry, Step, Wanted, steps};
use symbolon_domain::{
    Client, ClientDefinition, ClientSecret, FieldError, Problem, Refusal, Role, RoleName,
};
use symbolon_store::Announcement;

use super::actor::{Actor, Authority};
use super::clients::{Writer, kept_secret, write_secrets};
use super::{Error, Origin, ROUNDS, lost_race, overloaded, roles};
use crate::app::{App, STORED, stored_settings};
use crate::config::stored_names;
use crate::jobs::Causes;

/// Rows read at once.
const PAGE: u32 = 200;
const WRITE: &str = "*";

/// What is there.
///
/// # Errors
/// A fault of the store.
pub async fn present(app: &App) -> Result<Present, Error> {
    let authority = Actor::Operator.authorize(app, WRITE).await?;
    load(app, &authority).await
}

/// What it takes to bring what is there to what is wanted; with `prune`, what is not named goes.
///
/// # Errors
/// `validation_failed` with all that is wrong, at `/KIND/NAME/FIELD`; a fault.
pub async fn plan(app: &App, wanted: &Wanted, prune: bool) -> Result<Vec<Change>, Error> {
    let authority = Actor::Operator.authorize(app, WRITE).await?;
    let present = load(app, &authority).await?;
    let steps = decide(app, (wanted, &present), prune).await?;
    Ok(steps.iter().map(Step::change).collect())
}

/// Does it, all or nothing, and returns what was done. Where `agreed` is given, no more and no less than that is done.
///
/// # Errors
/// As [`plan`]; `conflict` when something else would have to be done than was agreed to; `overloaded`.
pub async fn apply(
    app: &App,
    (wanted, prune): (&Wanted, bool),
    agreed: Option<&[Change]>,
    origin: &Origin,
) -> Result<Vec<Change>, Error> {
    for _ in 0..ROUNDS {
        let authority = Actor::Operator.authorize(app, WRITE).await?;
        let present = load(app, &authority).await?;
        let steps = decide(app, (wanted, &present), prune).await?;
        let changes: Vec<_> = steps.iter().map(Step::change).collect();
        if agreed.is_some_and(|agreed| agreed != changes) {
            return Err(Refusal::Conflict("plan").into());
        }
        if steps.is_empty() {
            return Ok(changes);
        }
        let mut writer = Writer::new(app, &authority, origin);
        // First: who gets a role below is not somebody who was missed here.
        let announcement = outdate(&mut writer, &steps).await?;
        for step in steps.iter().cloned() {
            write(&mut writer, step)?;
        }
        let committed = writer.commit().await;
        // Somebody made what this was about to make.
        let taken = matches!(committed, Err(symbolon_store::Error::Conflict(_)));
        if taken || lost_race(&committed) {
            continue;
        }
        committed?;
        // It is done. Whoever follows the database says what is due, and takes up what was set.
        if announcement == Announcement::Due
            && let Err(error) = roles::announce(app).await
        {
            tracing::warn!(error = %Causes(&error), "changed roles are not announced yet");
        }
        return Ok(changes);
    }
    Err(overloaded().into())
}

/// Gives one setting that the database keeps another value; none for its default.
///
/// # Errors
/// `forbidden` for who may not do everything, `not_found` where the database keeps no such setting, `validation_failed` at
/// `/value`, `overloaded`, or a fault.
pub async fn set(
    app: &App,
    actor: Actor,
    (name, value): (&str, Option<&str>),
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        if !stored_names().any(|known| known == name) {
            return Err(Refusal::NotFound.into());
        }
        let present = Present {
            settings: stored_settings(&app.store).await?,
            ..Present::default()
        };
        let step = Step::Setting {
            name: name.to_owned(),
            former: present.settings.get(name).cloned(),
            value: value.map(str::to_owned),
        };
        let mut faults = setting_faults(app, &present, std::slice::from_ref(&step));
        for fault in &mut faults {
            "/value".clone_into(&mut fault.pointer);
        }
        if !faults.is_empty() {
            return Err(Refusal::Validation(faults).into());
        }
        if present.settings.get(name).map(String::as_str) == value {
            return Ok(());
        }
        let mut writer = Writer::new(app, &authority, origin);
        write(&mut writer, step)?;
        let committed = writer.commit().await;
        let taken = matches!(committed, Err(symbolon_store::Error::Conflict(_)));
        if taken || lost_race(&committed) {
            continue;
        }
        committed?;
        // Every other process hears of it by the database.
        return app.reload_settings().await;
    }
    Err(overloaded().into())
}

/// Step 1.
async fn load(app: &App, authority: &Authority) -> Result<Present, Error> {
    let roles = authority.book().iter();
    let mut present = Present {
        settings: stored_settings(&app.store).await?,
        roles: roles
            .map(|role| (role.name.clone(), role.clone()))
            .collect(),
        clients: BTreeMap::new(),
    };
    loop {
        let last = present.clients.keys().next_back();
        let page = app.store.list_clients(None, last, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        let page = page.into_iter().map(|client| (client.id.clone(), client));
        present.clients.extend(page);
        if is_last {
            return Ok(present);
        }
    }
}

/// Step 2, and what only the store knows: whether users have a role that is to go.
async fn decide(
    app: &App,
    (wanted, present): (&Wanted, &Present),
    prune: bool,
) -> Result<Vec<Step>, Error> {
    let steps = steps(wanted, present, prune).map_err(|faults| {
        let faults = faults.into_iter().map(|fault| FieldError {
            pointer: format!(
                "/{}/{}{}",
                fault.thing.kind(),
                fault.thing.name(),
                fault.error.pointer
            ),
            ..fault.error
        });
        Refusal::Validation(faults.collect())
    })?;
    let mut faults = setting_faults(app, present, &steps);
    for step in &steps {
        if let Step::DeleteRole(role) = step
            && !app.store.list_role_holders(&role.name, 1).await?.is_empty()
        {
            let sentence = "Users have this role: it cannot be deleted.";
            let fault = Problem::new("role_in_use", sentence);
            faults.push(fault.at(format!("/role/{}", role.name)));
        }
    }
    match faults.is_empty() {
        true => Ok(steps),
        false => Err(Refusal::Validation(faults).into()),
    }
}

/// What is wrong with settings as they would be.
fn setting_faults(app: &App, present: &Present, steps: &[Step]) -> Vec<FieldError> {
    let mut settings = present.settings.clone();
    let mut last = None;
    for step in steps {
        if let Step::Setting { name, value, .. } = step {
            last = Some(name);
            match value {
                Some(value) => drop(settings.insert(name.clone(), value.clone())),
                None => drop(settings.remove(name)),
            }
        }
    }
    let (Some(last), Err(errors)) = (last, app.config.check_stored(&settings)) else {
        return Vec::new();
    };
    let fault = |problem: String| {
        let named = settings
            .keys()
            .find(|name| problem.contains(&format!("`{name}`")));
        let name = named.unwrap_or(last);
        Problem::new("setting_malformed", problem).at(format!("/setting/{name}"))
    };
    let problems = errors.0.into_iter();
    problems.map(|error| fault(error.problem)).collect()
}

/// Step 3.
fn write(writer: &mut Writer<'_>, step: Step) -> Result<(), Error> {
    match step {
        Step::Setting {
            name,
            former,
            value,
        } => {
            let shown = value.as_deref().unwrap_or("(default)");
            writer.audit(AuditKind::SettingChanged, format!("{name}: {shown}"))?;
            let key = format!("{STORED}{name}");
            writer
                .batch
                .replace_setting(&key, former.as_deref(), value.as_deref());
            Ok(())
        }
        Step::AddRole { name, entry } => add_role(writer, name, entry),
        Step::ChangeRole { former, entry } => {
            let role = Role {
                description: entry.description,
                permissions: entry.permissions,
                includes: entry.includes,
                ..former
            };
            let kind = AuditKind::RoleChanged;
            writer.audit(kind, roles::told(kind, &role))?;
            writer.batch.update_role(&role, writer.now);
            Ok(())
        }
        Step::DeleteRole(role) => {
            let kind = AuditKind::RoleDeleted;
            writer.audit(kind, roles::told(kind, &role))?;
            writer.batch.delete_role(&role.name, role.version);
            Ok(())
        }
        Step::AddClient { id, entry } => {
            let client = Client {
                id,
                kind: entry.kind,
                definition: entry.definition,
                secrets: Vec::new(),
                version: 1,
                created_at: writer.now,
                updated_at: writer.now,
            };
            let client = with_secret(writer, client, entry.secret.as_ref())?;
            writer.create(&client)
        }
        Step::ChangeClient {
            former,
            definition,
            added,
            dropped,
        } => change_client(writer, (*former, definition), (added, dropped)),
        Step::DeleteClient(client) => writer.delete(&client),
    }
}

fn add_role(writer: &mut Writer<'_>, name: RoleName, entry: RoleEntry) -> Result<(), Error> {
    let role = Role {
        name,
        description: entry.description,
        permissions: entry.permissions,
        includes: entry.includes,
        builtin: false,
        version: 1,
        created_at: writer.now,
        updated_at: writer.now,
    };
    let kind = AuditKind::RoleCreated;
    writer.audit(kind, roles::told(kind, &role))?;
    writer.batch.insert_role(&role);
    Ok(())
}

fn change_client(
    writer: &mut Writer<'_>,
    (former, definition): (Client, ClientDefinition),
    (added, dropped): (Option<ChosenSecret>, Vec<ClientSecret>),
) -> Result<(), Error> {
    let mut client = Client {
        definition,
        ..former.clone()
    };
    client.secrets.retain(|secret| !dropped.contains(secret));
    for secret in &dropped {
        let gone = (AuditKind::ClientSecretDeleted, secret.id);
        write_secrets(writer, &client, gone)?;
    }
    let client = with_secret(writer, client, added.as_ref())?;
    writer.change(&former, &client)
}

fn with_secret(
    writer: &mut Writer<'_>,
    mut client: Client,
    secret: Option<&ChosenSecret>,
) -> Result<Client, Error> {
    if let Some(secret) = secret {
        let kept = kept_secret(writer.app, secret, writer.now)?;
        let made = (AuditKind::ClientSecretAdded, kept.id);
        write_secrets(writer, &client, made)?;
        client.secrets.push(kept);
    }
    Ok(client)
}

/// Step 4: what becomes of the tokens of whoever has a role that changes, and the next revision of the roles.
async fn outdate(writer: &mut Writer<'_>, steps: &[Step]) -> Result<Announcement, Error> {
    let named: BTreeSet<_> = steps.iter().filter_map(role_of).collect();
    if named.is_empty() {
        return Ok(Announcement::Made);
    }
    let allows_else = |step: &Step| match step {
        Step::ChangeRole { former, entry } => {
            let was = (&former.permissions, &former.includes);
            (was != (&entry.permissions, &entry.includes)).then(|| former.name.clone())
        }
        _ => None,
    };
    let changed: Vec<_> = steps.iter().filter_map(allows_else).collect();
    let book = writer.authority.book();
    let mut announcement = Announcement::Made;
    if !changed.is_empty() {
        let (app, batch, now) = (writer.app, &mut writer.batch, writer.now);
        let (revocations, told) = roles::outdate(app, batch, book, &changed, now).await?;
        writer.revocations.extend(revocations);
        announcement = told;
    }
    // What includes one of them allows something else from now on, so that it has another version, too.
    let bringing: BTreeSet<_> = changed
        .iter()
        .flat_map(|name| book.bringing(name).as_slice().to_vec())
        .collect();
    for name in bringing.iter().filter(|name| !named.contains(*name)) {
        writer.batch.touch_role(name);
    }
    writer.batch.raise_roles(book.revision(), announcement);
    Ok(announcement)
}

/// The role that a step is about.
fn role_of(step: &Step) -> Option<&RoleName> {
    match step {
        Step::AddRole { name, .. } => Some(name),
        Step::ChangeRole { former, .. } => Some(&former.name),
        Step::DeleteRole(role) => Some(&role.name),
        _ => None,
    }
}
