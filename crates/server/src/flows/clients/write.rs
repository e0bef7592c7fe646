//! What a change of a client writes, whoever decided it.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::revocation::{Effect, Revocation, Subject};
use symbolon_domain::{Client, ClientId, ClientStatus, FieldValue, Timestamp};
use symbolon_store::Batch;
use symbolon_token::Algorithm;

use super::super::actor::Authority;
use super::super::revocations::by_time;
use super::super::{Error, Origin, audit_id, consequences, keys};
use crate::app::App;
use crate::app::timekeeping::last_issue_s;

/// Longest text of an audit row, in characters: lists of URIs can be long.
const MOST_DETAIL: usize = 1_000;

/// A batch under construction, and in whose name.
pub(in crate::flows) struct Writer<'a> {
    pub(in crate::flows) app: &'a App,
    pub(in crate::flows) authority: &'a Authority,
    pub(in crate::flows) origin: &'a Origin,
    pub(in crate::flows) now: Timestamp,
    pub(in crate::flows) batch: Batch,
    pub(in crate::flows) revocations: Vec<Revocation>,
    /// What ID tokens of these clients will be signed with.
    algorithms: Vec<Algorithm>,
}

impl<'a> Writer<'a> {
    /// A batch that holds only while the authority does.
    pub(in crate::flows) fn new(
        app: &'a App,
        authority: &'a Authority,
        origin: &'a Origin,
    ) -> Self {
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        Self {
            app,
            authority,
            origin,
            now: app.clock.now(),
            batch,
            revocations: Vec::new(),
            algorithms: Vec::new(),
        }
    }

    /// Makes a client.
    pub(in crate::flows) fn create(&mut self, client: &Client) -> Result<(), Error> {
        let fields = client.definition.fields();
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        let detail = told(&client.id, Some(client.kind.as_str()), fields);
        self.audit(AuditKind::ClientCreated, detail)?;
        self.batch.insert_client(client);
        self.algorithms.extend(client.definition.id_token_alg);
        Ok(())
    }

    /// Step 3: gives a client another definition.
    pub(in crate::flows) fn change(
        &mut self,
        former: &Client,
        client: &Client,
    ) -> Result<(), Error> {
        let (fields, before) = (client.definition.fields(), former.definition.fields());
        let changed = fields.iter().zip(&before).filter(|(new, old)| new != old);
        let mut changed = changed.map(|(new, _)| new).peekable();
        // It may be its secrets alone.
        if changed.peek().is_some() {
            let detail = told(&client.id, None, changed);
            self.audit(AuditKind::ClientChanged, detail)?;
        }
        self.batch.update_client(client, self.now);
        self.algorithms.extend(client.definition.id_token_alg);
        let (was, is) = (&former.definition, &client.definition);
        if is.status == ClientStatus::Disabled && was.status == ClientStatus::Active {
            self.end_tokens(&client.id, Effect::Revoked);
        } else if was.roles != is.roles {
            self.end_tokens(&client.id, Effect::Stale);
        }
        Ok(())
    }

    /// Deletes a client, with its tokens.
    pub(in crate::flows) fn delete(&mut self, client: &Client) -> Result<(), Error> {
        self.audit(AuditKind::ClientDeleted, client.id.to_string())?;
        self.batch.delete_client(client);
        // Another one of this id begins with nothing.
        self.batch.delete_client_authorizations(&client.id);
        self.batch.delete_client_consents(&client.id);
        self.end_tokens(&client.id, Effect::Revoked);
        Ok(())
    }

    /// Writes a line of the audit log.
    pub(in crate::flows) fn audit(&mut self, kind: AuditKind, detail: String) -> Result<(), Error> {
        let mut event = self.origin.event(kind, self.now);
        self.authority.stamp(&mut event);
        event.detail = Some(detail);
        let id = audit_id(self.app, self.now)?;
        self.batch.insert_audit(id, &event);
        Ok(())
    }

    /// Commits all of it.
    pub(in crate::flows) async fn commit(self) -> Result<(), symbolon_store::Error> {
        let app = self.app;
        by_time::commit(app, self.batch, self.revocations).await?;
        if app.issuance().is_ok() {
            for algorithm in self.algorithms {
                // Ahead of the first token, so that it is published by then; what fails here is tried again with that.
                keys::provide(app, algorithm).await.ok();
            }
        }
        Ok(())
    }

    fn end_tokens(&mut self, id: &ClientId, effect: Effect) {
        let subject = of_client(self.app, id, self.now);
        let ends = Event::TokensEnd {
            subject: &subject,
            effect,
        };
        let ended = consequences::write(self.app, &mut self.batch, &ends, None, self.now);
        self.revocations.extend(ended);
    }
}

/// The tokens that a client has by now.
pub(in crate::flows) fn of_client(app: &App, id: &ClientId, now: Timestamp) -> Subject {
    Subject::Client {
        id: id.to_string(),
        before_s: last_issue_s(&app.store, now),
    }
}

fn told<'f>(
    id: &ClientId,
    kind: Option<&str>,
    fields: impl Iterator<Item = &'f (&'static str, FieldValue)>,
) -> String {
    let fields = fields.map(|(name, value)| format!("{name} {value}"));
    let parts: Vec<_> = kind.map(str::to_owned).into_iter().chain(fields).collect();
    let whole = format!("{id}: {}", parts.join(", "));
    whole.chars().take(MOST_DETAIL).collect()
}
