-- Who may use the bot: what administrators decided, who has written, and the code for the first administrator.
-- Roles are stored as their number. The code itself is nowhere: only its salted hash.

CREATE TABLE grants (
    who        TEXT PRIMARY KEY,
    role       INTEGER NOT NULL,
    label      TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    at         DOUBLE PRECISION NOT NULL
);

CREATE TABLE visitors (
    who        TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    seen_at    DOUBLE PRECISION NOT NULL,
    knocked_at DOUBLE PRECISION NOT NULL,
    told_at    DOUBLE PRECISION NOT NULL
);
CREATE INDEX visitors_by_time ON visitors (seen_at);

CREATE TABLE pairing (
    salt       BLOB NOT NULL,
    hash       BLOB NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
);
