-- Roles that include others, and what tells every process that the definitions have changed.

-- Separated by spaces: the roles that this one includes.
ALTER TABLE roles ADD COLUMN includes TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE roles ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

-- One row. `revision` rises with each change of a role; `announced` is the last one of which every guard was told;
-- `grants` rises whenever somebody is given a role that can change.
CREATE TABLE role_state (
    id BIGINT NOT NULL CONSTRAINT role_state_id PRIMARY KEY CONSTRAINT role_state_one_row CHECK (id = 1),
    revision BIGINT NOT NULL,
    announced BIGINT NOT NULL,
    grants BIGINT NOT NULL
);

INSERT INTO role_state (id, revision, announced, grants) VALUES (1, 0, 0, 0);
