-- Questions for a secret that nobody has answered yet: the next words of that person there are the answer, also
-- when the program was killed in between. `command` is what the answer goes to; the answer itself is never kept.

CREATE TABLE asked (
    chat    TEXT NOT NULL,
    who     TEXT NOT NULL,
    command TEXT NOT NULL,
    at      DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (chat, who)
);
