-- The token that makes the first administrator: one row at most, its digest only.
CREATE TABLE setup (
    id BIGINT NOT NULL CONSTRAINT setup_id PRIMARY KEY CONSTRAINT setup_one_row CHECK (id = 1),
    digest BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);
