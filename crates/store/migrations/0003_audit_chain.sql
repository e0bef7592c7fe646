-- The audit log as a chain: `seq` counts its lines in the order of their commits, `chain` is the SHA-256 of the
-- line before it and of its own content. Lines from before this step have neither.

ALTER TABLE audit ADD COLUMN seq BIGINT;
ALTER TABLE audit ADD COLUMN chain BLOB;

CREATE UNIQUE INDEX audit_seq ON audit (seq);

-- Each with the id, whose order is that of time: a page of any of these lists is one range. That of subjects holds
-- lines without one too, so that a failed sign-in costs the same whether there is such a user.
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE INDEX audit_by_actor ON audit (actor, id) WHERE actor IS NOT NULL;
CREATE INDEX audit_by_session ON audit (session, id) WHERE session IS NOT NULL;
CREATE INDEX audit_by_kind ON audit (kind, id);

-- One row: the last line. It is locked from a line's insertion to the commit, so that there are no gaps.
CREATE TABLE audit_head (
    id BIGINT NOT NULL CONSTRAINT audit_head_id PRIMARY KEY CONSTRAINT audit_head_one_row CHECK (id = 1),
    seq BIGINT NOT NULL,
    chain BLOB NOT NULL,
    -- How many lines there were before the first of the chain.
    unchained BIGINT NOT NULL
);

INSERT INTO audit_head (id, seq, chain, unchained) SELECT 1, 0, sha256('symbolon audit log'), count(*) FROM audit;

-- One row: the last line that was purged, with a MAC under a key that is not here.
CREATE TABLE audit_start (
    id BIGINT NOT NULL CONSTRAINT audit_start_id PRIMARY KEY CONSTRAINT audit_start_one_row CHECK (id = 1),
    seq BIGINT NOT NULL,
    chain BLOB NOT NULL,
    at BIGINT NOT NULL,
    mac BLOB
);

INSERT INTO audit_start (id, seq, chain, at) VALUES (1, 0, sha256('symbolon audit log'), 0);

-- Where the chain stood, with the same MAC. One an hour is `kept` as long as its line, the others for a day.
CREATE TABLE audit_checkpoints (
    seq BIGINT NOT NULL CONSTRAINT audit_checkpoints_seq PRIMARY KEY,
    chain BLOB NOT NULL,
    at BIGINT NOT NULL,
    kept BOOLEAN NOT NULL,
    mac BLOB NOT NULL
);

CREATE INDEX audit_checkpoints_by_age ON audit_checkpoints (kept, at);
