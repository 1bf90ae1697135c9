-- What was measured, never what was said: each answer, each suggestion and what became of it. Old ones are added
-- up per day; the sums stay what they were.
-- `first` = seconds to the first word; `outcome` = done, stopped, broken; of loads: ok, or the kind of the failure.

CREATE TABLE answers (
    id         INTEGER PRIMARY KEY,
    at         DOUBLE PRECISION NOT NULL,
    model_id   TEXT NOT NULL,
    person     TEXT NOT NULL,
    chat       TEXT NOT NULL,
    tokens_in  BIGINT,
    tokens_out BIGINT,
    first      DOUBLE PRECISION,
    seconds    DOUBLE PRECISION NOT NULL,
    outcome    TEXT NOT NULL
);
CREATE INDEX answers_by_time ON answers (at);
CREATE INDEX answers_by_chat ON answers (chat, at);
CREATE INDEX loads_by_time ON loads (at);

CREATE TABLE suggestions (
    id      INTEGER PRIMARY KEY,
    at      DOUBLE PRECISION NOT NULL,
    chat    TEXT NOT NULL,
    failed  TEXT NOT NULL,
    offered TEXT NOT NULL,
    taken   TEXT NOT NULL
);
CREATE INDEX suggestions_by_chat ON suggestions (chat, at);

CREATE TABLE answer_days (
    day        TEXT NOT NULL,
    model_id   TEXT NOT NULL,
    person     TEXT NOT NULL,
    chat       TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    answers    BIGINT NOT NULL,
    tokens_in  BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    seconds    DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (day, model_id, person, chat, outcome)
);

CREATE TABLE load_days (
    day      TEXT NOT NULL,
    model_id TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    loads    BIGINT NOT NULL,
    seconds  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (day, model_id, outcome)
);
