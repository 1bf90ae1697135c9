-- Keys of vendors' APIs, encrypted: one for each owner and provider. `owner` is a person (`telegram:42`) or `*`,
-- which serves everybody. `key` opens with the master key called `key_id` alone, and only for this owner and
-- provider. `fingerprint` is keyed, `shown` is what people see of the key (`sk-…abcd`). A key that its vendor
-- refused is kept and not `active`. `outcome` is how the last check with the vendor went.

CREATE TABLE keys (
    id          INTEGER PRIMARY KEY,
    provider    TEXT NOT NULL,
    key         BLOB NOT NULL,
    owner       TEXT NOT NULL,
    active      INTEGER NOT NULL,
    key_id      TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    shown       TEXT NOT NULL,
    stored_at   DOUBLE PRECISION NOT NULL,
    checked_at  DOUBLE PRECISION,
    outcome     TEXT NOT NULL,
    UNIQUE (owner, provider)
);
CREATE INDEX keys_by_key_id ON keys (key_id, id);
