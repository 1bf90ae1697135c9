-- A reply to an old message continues from there: every turn knows what it follows, and every message on a
-- platform knows which question it belongs to.
-- `parent` of a question = the question it continues, 0 = it begins anew; of an answer = its question.

ALTER TABLE turns ADD COLUMN parent BIGINT NOT NULL DEFAULT 0;
-- What was said so far was one line in each chat; the last /new is the only one that is known.
UPDATE turns SET parent = COALESCE(
    (
        SELECT MAX(before.id) FROM turns AS before
        WHERE before.chat = turns.chat AND before.role = 'user' AND before.id < turns.id
          AND before.id > COALESCE(
              (SELECT c.began FROM conversations AS c WHERE c.chat = turns.chat AND c.began < turns.id), 0
          )
    ),
    0
);
CREATE INDEX turns_by_parent ON turns (parent);

CREATE TABLE messages (
    chat     TEXT NOT NULL,
    message  TEXT NOT NULL,
    question BIGINT NOT NULL,
    PRIMARY KEY (chat, message)
);
