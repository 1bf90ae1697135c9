-- Tokens that each person used, added up per day: limits must hold however long single measurements are kept.
-- `day` counts days since 1970-01-01 (UTC); `external` is 1 for APIs and 0 for models of one's own machines.

CREATE TABLE spending (
    person   TEXT NOT NULL,
    day      INTEGER NOT NULL,
    external INTEGER NOT NULL,
    tokens   BIGINT NOT NULL,
    PRIMARY KEY (person, day, external)
);
CREATE INDEX spending_by_day ON spending (day);
