-- What happened in each hour, by all nodes together: for the charts of administrators.
CREATE TABLE hourly_counts (
    -- Hours since 1970.
    hour BIGINT NOT NULL,
    name TEXT NOT NULL,
    count BIGINT NOT NULL,
    CONSTRAINT hourly_counts_key PRIMARY KEY (hour, name)
);
