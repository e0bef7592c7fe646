-- Who users are at other providers.
CREATE TABLE upstream_identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    CONSTRAINT upstream_identities_key PRIMARY KEY (issuer, subject)
);

CREATE INDEX upstream_identities_by_user ON upstream_identities (user_id, issuer, subject);
