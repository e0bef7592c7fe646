-- One text for both engines: SQLite takes it as it stands, PostgreSQL reads BYTEA where it says BLOB and orders TEXT by
-- its bytes, as SQLite does.
-- Times are milliseconds since 1970, ids 16 bytes, digests 32. No foreign keys: what belongs together is
-- written in one batch, and each purge takes its rows in small bites without looking elsewhere.

CREATE TABLE users (
    id BLOB NOT NULL CONSTRAINT users_id PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL CONSTRAINT users_email UNIQUE,
    username TEXT,
    username_key TEXT CONSTRAINT users_username UNIQUE,
    name TEXT,
    -- Separated by spaces: a refresh reads them with the user. user_roles holds the same, one row each.
    roles TEXT NOT NULL,
    status TEXT NOT NULL,
    email_verified BOOLEAN NOT NULL,
    token_version BIGINT NOT NULL,
    version BIGINT NOT NULL,
    password_hash TEXT,
    password_changed_at BIGINT,
    last_login_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE roles (
    name TEXT NOT NULL CONSTRAINT roles_name PRIMARY KEY,
    description TEXT NOT NULL,
    -- Separated by spaces; `*` is every permission.
    permissions TEXT NOT NULL,
    builtin BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

INSERT INTO roles (name, description, permissions, builtin, created_at) VALUES
    ('admin', 'May do everything', '*', TRUE, 0),
    ('user', 'May sign in and manage the own account', '', TRUE, 0);

CREATE TABLE user_roles (
    user_id BLOB NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT user_roles_key PRIMARY KEY (role, user_id)
);

CREATE INDEX user_roles_by_user ON user_roles (user_id);

CREATE TABLE sessions (
    id BLOB NOT NULL CONSTRAINT sessions_id PRIMARY KEY,
    user_id BLOB NOT NULL,
    client_id TEXT NOT NULL,
    -- A refresh writes these six and nothing else: none of them may be in an index.
    generation BIGINT NOT NULL,
    refresh_digest BLOB NOT NULL,
    refresh_key BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    late_generation BIGINT,
    last_used_at BIGINT NOT NULL,
    idle_ttl BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    persistent BOOLEAN NOT NULL,
    transport TEXT NOT NULL,
    device TEXT,
    user_agent TEXT,
    address TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT
);

CREATE INDEX sessions_by_user ON sessions (user_id, ended_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE keys (
    kid TEXT NOT NULL CONSTRAINT keys_kid PRIMARY KEY,
    purpose TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    -- Which of its purpose it is, where tokens name it by a number; 0 otherwise.
    number BIGINT NOT NULL,
    public_jwk TEXT,
    -- The private part, encrypted under a key that is not here.
    sealed BLOB NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    activate_at BIGINT NOT NULL,
    retire_at BIGINT,
    expires_at BIGINT
);

-- Two nodes that make or rotate a key at once: one of them fails.
CREATE UNIQUE INDEX keys_current ON keys (purpose, algorithm) WHERE state = 'live' AND retire_at IS NULL;

-- One row. `seq` numbers the revocations, `reloads` rises with each change of keys and settings.
CREATE TABLE feed (
    id BIGINT NOT NULL CONSTRAINT feed_id PRIMARY KEY CONSTRAINT feed_one_row CHECK (id = 1),
    epoch TEXT NOT NULL,
    seq BIGINT NOT NULL,
    reloads BIGINT NOT NULL
);

INSERT INTO feed (id, epoch, seq, reloads) VALUES (1, '', 0, 0);

CREATE TABLE revocations (
    seq BIGINT NOT NULL CONSTRAINT revocations_seq PRIMARY KEY,
    kind TEXT NOT NULL,
    key BLOB NOT NULL,
    effect TEXT NOT NULL,
    below BIGINT,
    before_s BIGINT,
    until_s BIGINT NOT NULL
);

CREATE INDEX revocations_by_until ON revocations (until_s);

-- Ids are UUIDv7: their order is that of time, so that the primary key serves the purge as well.
CREATE TABLE audit (
    id BLOB NOT NULL CONSTRAINT audit_id PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor BLOB,
    subject BLOB,
    session BLOB,
    address TEXT,
    user_agent TEXT,
    request_id TEXT,
    detail TEXT
);

CREATE TABLE settings (
    name TEXT NOT NULL CONSTRAINT settings_name PRIMARY KEY,
    value TEXT NOT NULL
);
