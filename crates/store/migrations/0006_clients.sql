-- OAuth clients.

CREATE TABLE clients (
    id TEXT NOT NULL CONSTRAINT clients_id PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Lists, separated by spaces. URIs are kept as they were given, byte for byte.
    redirect_uris TEXT NOT NULL,
    post_logout_redirect_uris TEXT NOT NULL,
    origins TEXT NOT NULL,
    grants TEXT NOT NULL,
    scopes TEXT NOT NULL,
    -- client_roles holds the same, one row each.
    roles TEXT NOT NULL,
    resources TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Two at most, so that one look tells whether a client is who it says: id, time, last characters and SHA-256 of each.
    secrets TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX clients_by_status ON clients (status, id);

CREATE TABLE client_roles (
    client_id TEXT NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT client_roles_key PRIMARY KEY (role, client_id)
);

CREATE INDEX client_roles_by_client ON client_roles (client_id);
