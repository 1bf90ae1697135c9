-- Results of /bench: the same short prompt for every model, so that models and hosts can be compared.

CREATE TABLE benches (
    id       INTEGER PRIMARY KEY,
    at       DOUBLE PRECISION NOT NULL,
    model_id TEXT NOT NULL,
    first    DOUBLE PRECISION NOT NULL,
    speed    DOUBLE PRECISION,
    tokens   BIGINT
);
CREATE INDEX benches_by_model ON benches (model_id, at);
