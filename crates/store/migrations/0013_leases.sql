-- Which node does what only one should do. Times are not compared: a lease that does not rise is nobody's.
CREATE TABLE leases (
    name TEXT NOT NULL CONSTRAINT leases_name PRIMARY KEY,
    holder BLOB NOT NULL,
    beat BIGINT NOT NULL
);
