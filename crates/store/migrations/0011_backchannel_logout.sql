-- Sessions that have ended, of which their clients are still to be told (OpenID Connect Back-Channel Logout 1.0).
CREATE TABLE logouts (
    session_id BLOB NOT NULL CONSTRAINT logouts_session PRIMARY KEY,
    client_id TEXT NOT NULL,
    -- Kept here: the user may be gone by then.
    user_id BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- When to try; for who is at it, until when nobody else tries.
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);

CREATE INDEX logouts_by_due ON logouts (due_at, client_id);
CREATE INDEX logouts_by_client ON logouts (client_id, due_at);

-- The session of the browser where a person agreed to what outlives it: its client is told when that ends.
ALTER TABLE authorizations ADD COLUMN agreed_in BLOB;

CREATE INDEX authorizations_by_agreed_in ON authorizations (agreed_in) WHERE agreed_in IS NOT NULL;
