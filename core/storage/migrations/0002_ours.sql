-- Instances that this bot loaded: only these may be unloaded without a person's word.
-- Pictures of a question, so that it can be asked again after a restart.

CREATE TABLE ours (
    host     TEXT NOT NULL,
    instance TEXT NOT NULL,
    at       DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (host, instance)
);

CREATE TABLE pictures (
    turn_id INTEGER NOT NULL,
    mime    TEXT NOT NULL,
    data    BLOB NOT NULL
);
CREATE INDEX pictures_by_turn ON pictures (turn_id);
