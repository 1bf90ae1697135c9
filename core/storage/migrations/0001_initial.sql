-- What the first release remembers: models as last seen, measured loads, conversations and their turns.
-- Times are seconds since the epoch. Enumerations are stored as their `value`.

CREATE TABLE models (
    id             TEXT PRIMARY KEY,
    provider       TEXT NOT NULL,
    host           TEXT NOT NULL,
    key            TEXT NOT NULL,
    name           TEXT NOT NULL,
    state          TEXT NOT NULL,
    family         TEXT,
    params         TEXT,
    quant          TEXT,
    size_bytes     BIGINT,
    max_context    BIGINT,
    loaded_context BIGINT,
    vision         INTEGER NOT NULL,
    tools          INTEGER NOT NULL,
    demo           INTEGER NOT NULL,
    by_name_only   INTEGER NOT NULL,
    failure_kind   TEXT,
    failure_text   TEXT,
    failure_at     DOUBLE PRECISION,
    failure_until  DOUBLE PRECISION,
    failure_times  INTEGER
);

CREATE TABLE loads (
    id         INTEGER PRIMARY KEY,
    at         DOUBLE PRECISION NOT NULL,
    model_id   TEXT NOT NULL,
    host       TEXT NOT NULL,
    seconds    DOUBLE PRECISION NOT NULL,
    size_bytes BIGINT,
    context    BIGINT,
    via        TEXT,
    outcome    TEXT NOT NULL
);
CREATE INDEX loads_by_host ON loads (host, at);

CREATE TABLE conversations (
    chat         TEXT PRIMARY KEY,
    model_id     TEXT,
    language     TEXT,
    system       TEXT NOT NULL,
    began        BIGINT NOT NULL,
    trimmed_told INTEGER NOT NULL,
    seen_at      DOUBLE PRECISION NOT NULL
);

CREATE TABLE turns (
    id       INTEGER PRIMARY KEY,
    chat     TEXT NOT NULL,
    role     TEXT NOT NULL,
    text     TEXT NOT NULL,
    thinking TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    model_id TEXT NOT NULL,
    at       DOUBLE PRECISION NOT NULL
);
CREATE INDEX turns_by_chat ON turns (chat, id);
