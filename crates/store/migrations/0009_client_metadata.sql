-- How clients prove who they are, and what they want of tokens. Lists are as before; what is absent is empty.

-- Empty: none for a public client, client_secret_basic for a confidential one.
ALTER TABLE clients ADD COLUMN auth_method TEXT NOT NULL DEFAULT '';
-- A JWK set in JSON.
ALTER TABLE clients ADD COLUMN jwks TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN jwks_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN subject_type TEXT NOT NULL DEFAULT 'public';
ALTER TABLE clients ADD COLUMN id_token_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN consent TEXT NOT NULL DEFAULT 'ask';
ALTER TABLE clients ADD COLUMN require_pushed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE clients ADD COLUMN dpop_bound BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE clients ADD COLUMN backchannel_logout_uri TEXT NOT NULL DEFAULT '';
