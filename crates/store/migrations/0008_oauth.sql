-- OAuth 2.1: what clients of people were given.

-- How somebody signed in: with the password, until there was another way.
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';

-- What a session of a client may do: one row for each, written once.
CREATE TABLE authorizations (
    session_id BLOB NOT NULL CONSTRAINT authorizations_session PRIMARY KEY,
    user_id BLOB NOT NULL,
    client_id TEXT NOT NULL,
    -- Scopes and resources, separated by spaces.
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    -- When the person gave the password.
    auth_time BIGINT NOT NULL,
    -- The session of the browser where they agreed, if the tokens end with it.
    browser BLOB,
    -- The thumbprint of the key that the refresh token is bound to (RFC 9449 section 5).
    jkt TEXT,
    -- The parameter claims of the request.
    claims TEXT,
    expires_at BIGINT NOT NULL
);

CREATE INDEX authorizations_by_browser ON authorizations (browser);
CREATE INDEX authorizations_by_user ON authorizations (user_id, client_id);
CREATE INDEX authorizations_by_client ON authorizations (client_id);
CREATE INDEX authorizations_by_expiry ON authorizations (expires_at);

-- What a person has agreed to.
CREATE TABLE consents (
    user_id BLOB NOT NULL,
    client_id TEXT NOT NULL,
    agreement TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT consents_key PRIMARY KEY (user_id, client_id)
);

CREATE INDEX consents_by_client ON consents (client_id);

-- Codes, by SHA-256. The request is what the code stands for.
CREATE TABLE authorization_codes (
    digest BLOB NOT NULL CONSTRAINT authorization_codes_digest PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id BLOB NOT NULL,
    request TEXT NOT NULL,
    -- The session that it was exchanged for.
    session_id BLOB,
    expires_at BIGINT NOT NULL
);

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);
CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);

-- Requests that came ahead of the browser (RFC 9126), by SHA-256 of their name.
CREATE TABLE pushed_requests (
    digest BLOB NOT NULL CONSTRAINT pushed_requests_digest PRIMARY KEY,
    client_id TEXT NOT NULL,
    request TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

-- Devices that wait (RFC 8628), by SHA-256 of their code.
CREATE TABLE device_codes (
    digest BLOB NOT NULL CONSTRAINT device_codes_digest PRIMARY KEY,
    user_code TEXT NOT NULL,
    client_id TEXT NOT NULL,
    request TEXT NOT NULL,
    -- pending, approved, denied, used
    state TEXT NOT NULL,
    user_id BLOB,
    auth_time BIGINT,
    browser BLOB,
    polled_at BIGINT,
    pause BIGINT NOT NULL,
    session_id BLOB,
    expires_at BIGINT NOT NULL,
    CONSTRAINT device_codes_user_code UNIQUE (user_code)
);

CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);
CREATE INDEX device_codes_by_user ON device_codes (user_id);

-- What may be shown once only, by SHA-256 of its name.
CREATE TABLE replays (
    digest BLOB NOT NULL CONSTRAINT replays_digest PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX replays_by_expiry ON replays (expires_at);
