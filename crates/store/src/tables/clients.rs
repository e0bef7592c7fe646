//! OAuth clients.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use symbolon_domain::refresh::Digest;
use symbolon_domain::{
    AuthMethod, Client, ClientDefinition, ClientId, ClientOrigin, ClientSecret, ClientStatus,
    ClientType, ConsentPolicy, DisplayName, RoleName, Roles, SubjectType, Timestamp,
};

use crate::sqlite::Recent;
use crate::statement::{Expect, Statement, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

statements! {
    FIND =
        "SELECT id, name, kind, redirect_uris, post_logout_redirect_uris, origins, grants, scopes, roles, resources, \
         status, secrets, version, created_at, updated_at, auth_method, jwks, jwks_uri, subject_type, id_token_alg, \
         consent, require_pushed, dpop_bound, backchannel_logout_uri FROM clients WHERE id = $1";
    LIST =
        "SELECT id, name, kind, redirect_uris, post_logout_redirect_uris, origins, grants, scopes, roles, resources, \
         status, secrets, version, created_at, updated_at, auth_method, jwks, jwks_uri, subject_type, id_token_alg, \
         consent, require_pushed, dpop_bound, backchannel_logout_uri FROM clients WHERE id > $1 ORDER BY id LIMIT $2";
    LIST_BY_STATUS =
        "SELECT id, name, kind, redirect_uris, post_logout_redirect_uris, origins, grants, scopes, roles, resources, \
         status, secrets, version, created_at, updated_at, auth_method, jwks, jwks_uri, subject_type, id_token_alg, \
         consent, require_pushed, dpop_bound, backchannel_logout_uri FROM clients WHERE status = $1 AND id > $2 \
         ORDER BY id LIMIT $3";
    LIST_ORIGINS = "SELECT origins FROM clients WHERE status = $1 AND origins <> '' ORDER BY created_at, id LIMIT $2";
    LIST_BY_ROLE = "SELECT client_id FROM client_roles WHERE role = $1 ORDER BY client_id LIMIT $2";
    INSERT =
        "INSERT INTO clients (id, name, kind, redirect_uris, post_logout_redirect_uris, origins, grants, scopes, \
         roles, resources, status, secrets, version, created_at, updated_at, auth_method, jwks, jwks_uri, \
         subject_type, id_token_alg, consent, require_pushed, dpop_bound, backchannel_logout_uri) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24)";
    UPDATE =
        "UPDATE clients SET name = $1, redirect_uris = $2, post_logout_redirect_uris = $3, origins = $4, grants = $5, \
         scopes = $6, roles = $7, resources = $8, status = $9, secrets = $10, version = version + 1, updated_at = $11, \
         auth_method = $12, jwks = $13, jwks_uri = $14, subject_type = $15, id_token_alg = $16, consent = $17, \
         require_pushed = $18, dpop_bound = $19, backchannel_logout_uri = $20 WHERE id = $21 AND version = $22";
    DELETE = "DELETE FROM clients WHERE id = $1 AND version = $2";
    CLEAR_ROLES = "DELETE FROM client_roles WHERE client_id = $1";
    ADD_ROLE = "INSERT INTO client_roles (client_id, role) VALUES ($1, $2)";
}

impl Store {
    /// The client of this id.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Error> {
        let moment = self.moment();
        let kept = |recent: &Recent| recent.client(id, moment?);
        if let Some(client) = self.with_recent(kept).flatten() {
            return Ok(Some(client));
        }
        let values = [id.as_str().to_owned().into()];
        let found = self.find(FIND, &values, read_client).await?.map(Arc::new);
        if let (Some(moment), Some(client)) = (moment, &found) {
            self.with_recent(|recent| recent.keep_client(moment, client));
        }
        Ok(found)
    }

    /// Up to `limit` clients by id, those of one status or all, behind `after`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_clients(
        &self,
        status: Option<ClientStatus>,
        after: Option<&ClientId>,
        limit: u32,
    ) -> Result<Vec<Client>, Error> {
        // Every id is greater than the empty text.
        let after = Value::from(after.map_or_else(String::new, ClientId::to_string));
        let most = Value::from(i64::from(limit));
        match status {
            None => self.list(LIST, vec![after, most], limit, read_client).await,
            Some(status) => {
                let values = vec![status.as_str().into(), after, most];
                self.list(LIST_BY_STATUS, values, limit, read_client).await
            }
        }
    }

    /// The origins of up to `limit` active clients that have any.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_client_origins(
        &self,
        limit: u32,
    ) -> Result<Vec<BTreeSet<ClientOrigin>>, Error> {
        let active = ClientStatus::Active.as_str().into();
        let read = |row: &Row<'_>| row.parsed(0, split);
        let values = vec![active, i64::from(limit).into()];
        self.list(LIST_ORIGINS, values, limit, read).await
    }

    /// Up to `limit` clients that were given the role itself, by id.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_role_clients(
        &self,
        role: &RoleName,
        limit: u32,
    ) -> Result<Vec<ClientId>, Error> {
        let values = vec![role.as_str().to_owned().into(), i64::from(limit).into()];
        let read = |row: &Row<'_>| row.parsed(0, ClientId::parse);
        self.list(LIST_BY_ROLE, values, limit, read).await
    }
}

/// Whatever gives roles goes behind [`Batch::require_roles`]: a role that is being deleted is not given.
impl Batch {
    /// Makes a client. The commit is [`Error::Conflict`] with `client` if there is one of this id.
    pub fn insert_client(&mut self, client: &Client) -> &mut Self {
        let parts = &client.definition;
        let own = [
            id(client),
            parts.name.as_str().to_owned().into(),
            client.kind.as_str().into(),
            joined(&parts.redirect_uris),
            joined(&parts.post_logout_redirect_uris),
            joined(&parts.origins),
            joined(&parts.grants),
            joined(&parts.scopes),
            parts.roles.to_string().into(),
            joined(&parts.resources),
            parts.status.as_str().into(),
            secrets_text(&client.secrets).into(),
            client.version.into(),
            client.created_at.into(),
            client.updated_at.into(),
        ];
        self.push_statement(Statement {
            text: INSERT,
            values: own.into_iter().chain(metadata(parts)).collect(),
            expect: Expect::One,
        });
        self.add_client_roles(client)
    }

    /// Stores another definition and other secrets. Compare-and-set: `client.version` is the stored one.
    pub fn update_client(&mut self, client: &Client, now: Timestamp) -> &mut Self {
        let parts = &client.definition;
        let own = [
            parts.name.as_str().to_owned().into(),
            joined(&parts.redirect_uris),
            joined(&parts.post_logout_redirect_uris),
            joined(&parts.origins),
            joined(&parts.grants),
            joined(&parts.scopes),
            parts.roles.to_string().into(),
            joined(&parts.resources),
            parts.status.as_str().into(),
            secrets_text(&client.secrets).into(),
            now.into(),
        ];
        let which = [id(client), client.version.into()];
        let values = own.into_iter().chain(metadata(parts)).chain(which);
        self.push_statement(Statement {
            text: UPDATE,
            values: values.collect(),
            expect: Expect::One,
        });
        self.push(CLEAR_ROLES, Expect::Any, [id(client)]);
        self.add_client_roles(client)
    }

    /// Deletes a client of this version.
    pub fn delete_client(&mut self, client: &Client) -> &mut Self {
        let values = [id(client), client.version.into()];
        self.push(DELETE, Expect::One, values);
        self.push(CLEAR_ROLES, Expect::Any, [id(client)])
    }

    fn add_client_roles(&mut self, client: &Client) -> &mut Self {
        // What the built-in roles mean never changes.
        let can_change = |role: &RoleName| ![RoleName::ADMIN, RoleName::USER].contains(role);
        if client.definition.roles.iter().any(can_change) {
            self.raise_grants();
        }
        for role in &client.definition.roles {
            let values = [id(client), role.as_str().to_owned().into()];
            self.push(ADD_ROLE, Expect::One, values);
        }
        self
    }
}

fn id(client: &Client) -> Value {
    client.id.as_str().to_owned().into()
}

/// The columns of the step `client_metadata`, in their order. What is absent is empty.
fn metadata(parts: &ClientDefinition) -> [Value; 9] {
    [
        parts.auth_method.as_str().into(),
        or_empty(parts.jwks.as_ref()),
        or_empty(parts.jwks_uri.as_ref()),
        parts.subject_type.as_str().into(),
        or_empty(parts.id_token_alg),
        parts.consent.as_str().into(),
        parts.require_pushed.into(),
        parts.dpop_bound.into(),
        or_empty(parts.backchannel_logout_uri.as_ref()),
    ]
}

fn or_empty(value: Option<impl Display>) -> Value {
    value
        .map_or_else(String::new, |value| value.to_string())
        .into()
}

fn joined(items: &BTreeSet<impl Display>) -> Value {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(" ").into()
}

fn split<T: FromStr + Ord>(text: &str) -> Result<BTreeSet<T>, T::Err> {
    let items = text.split(' ').filter(|item| !item.is_empty());
    items.map(str::parse).collect()
}

/// What is empty is absent.
fn unless_empty<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    match text.is_empty() {
        true => Ok(None),
        false => text.parse().map(Some),
    }
}

fn read_client(row: &Row<'_>) -> Result<Client, Error> {
    let kind = row.parsed(2, str::parse::<ClientType>)?;
    Ok(Client {
        id: row.parsed(0, ClientId::parse)?,
        kind,
        definition: ClientDefinition {
            name: row.parsed(1, DisplayName::parse)?,
            redirect_uris: row.parsed(3, split)?,
            post_logout_redirect_uris: row.parsed(4, split)?,
            origins: row.parsed(5, split)?,
            grants: row.parsed(6, split)?,
            scopes: row.parsed(7, split)?,
            roles: row.parsed(8, Roles::parse)?,
            resources: row.parsed(9, split)?,
            auth_method: row
                .parsed(15, unless_empty)?
                .unwrap_or(AuthMethod::of(kind)),
            jwks: row.parsed(16, unless_empty)?,
            jwks_uri: row.parsed(17, unless_empty)?,
            subject_type: row.parsed(18, str::parse::<SubjectType>)?,
            id_token_alg: row.parsed(19, unless_empty)?,
            consent: row.parsed(20, str::parse::<ConsentPolicy>)?,
            require_pushed: row.bool(21)?,
            dpop_bound: row.bool(22)?,
            backchannel_logout_uri: row.parsed(23, unless_empty)?,
            status: row.parsed(10, str::parse::<ClientStatus>)?,
        },
        secrets: row.parsed(11, read_secrets)?,
        version: row.int(12)?,
        created_at: row.time(13)?,
        updated_at: row.time(14)?,
    })
}

/// `ID/TIME/DIGEST/HINT` each, separated by spaces. A hint is printable and the last part, so that it may hold slashes.
fn secrets_text(secrets: &[ClientSecret]) -> String {
    let texts = secrets.iter().map(|secret| {
        let digest = hex(secret.digest.as_bytes());
        let (id, at, hint) = (secret.id, secret.created_at.millis(), &secret.hint);
        format!("{id}/{at}/{digest}/{hint}")
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn read_secrets(text: &str) -> Result<Vec<ClientSecret>, String> {
    let texts = text.split(' ').filter(|text| !text.is_empty());
    texts
        .map(|text| read_secret(text).ok_or_else(|| "a client's secret is not readable".to_owned()))
        .collect()
}

fn read_secret(text: &str) -> Option<ClientSecret> {
    let mut parts = text.splitn(4, '/');
    let mut next = || parts.next();
    let (id, at, digest, hint) = (next()?, next()?, next()?, next()?);
    Some(ClientSecret {
        id: id.parse().ok()?,
        created_at: Timestamp::from_millis(at.parse().ok()?),
        digest: Digest::new(read_hex(digest)?),
        hint: hint.to_owned(),
    })
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes.filter(|_| rest.is_empty())?.try_into().ok()
}
