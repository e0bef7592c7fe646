-- Indexes for the lists of administration, and keys that make a creation happen once.

-- Lists by address, user name and role use the unique constraints that are there.
CREATE INDEX users_by_creation ON users (created_at, id);
CREATE INDEX users_by_status ON users (status, created_at, id);

-- What was made under an Idempotency-Key. `key` is a MAC over who, what and the key; `request` one over the body.
CREATE TABLE creations (
    key BLOB NOT NULL CONSTRAINT creations_key PRIMARY KEY,
    request BLOB NOT NULL,
    made BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX creations_by_age ON creations (created_at);
