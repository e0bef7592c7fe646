-- Mail that is to go out, and what its links prove. None of these rows holds a secret: a link is derived under a key
-- that is not here, and its digest is what it is known by.

CREATE TABLE outbox (
    id BLOB NOT NULL CONSTRAINT outbox_id PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    -- Whether anybody can cause it: counted apart from what tells of events.
    asked BOOLEAN NOT NULL,
    locale TEXT NOT NULL,
    subject BLOB,
    about TEXT,
    address TEXT,
    user_agent TEXT,
    -- The proof that its link is made of, once there is one.
    proof BLOB,
    created_at BIGINT NOT NULL,
    -- When there is something to do with it: hand it in, take it from a worker that died, drop it.
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    state TEXT NOT NULL,
    error TEXT
);

CREATE INDEX outbox_by_due ON outbox (state, due_at);
CREATE INDEX outbox_by_recipient ON outbox (recipient_key, asked, created_at);

CREATE TABLE proofs (
    id BLOB NOT NULL CONSTRAINT proofs_id PRIMARY KEY,
    kind TEXT NOT NULL,
    -- A user or an invitation.
    subject BLOB NOT NULL,
    email TEXT NOT NULL,
    digest BLOB NOT NULL CONSTRAINT proofs_digest UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The newest replaces the one before.
    CONSTRAINT proofs_subject UNIQUE (subject, kind)
);

CREATE INDEX proofs_by_expiry ON proofs (expires_at);

CREATE TABLE email_changes (
    user_id BLOB NOT NULL CONSTRAINT email_changes_user PRIMARY KEY,
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    new_confirmed BOOLEAN NOT NULL,
    old_confirmed BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX email_changes_by_expiry ON email_changes (expires_at);

CREATE TABLE invitations (
    id BLOB NOT NULL CONSTRAINT invitations_id PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL CONSTRAINT invitations_email UNIQUE,
    name TEXT,
    roles TEXT NOT NULL,
    -- Nobody for the command line.
    inviter BLOB,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- The language that the user was last known to read.
ALTER TABLE users ADD COLUMN locale TEXT;
