-- When each job of the clock ran last and how it ended: a restart neither repeats nor forgets the day's digest.

CREATE TABLE jobs (
    name    TEXT PRIMARY KEY,
    at      DOUBLE PRECISION NOT NULL,
    outcome TEXT NOT NULL
);
