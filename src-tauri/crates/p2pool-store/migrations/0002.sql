-- Schema 2: history for charts and lists, known nodes, and the names that miners log in with.

CREATE TABLE series (
    name    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    step    INTEGER NOT NULL CHECK (step IN (60, 300, 1800, 7200, 86400)),
    at      INTEGER NOT NULL CHECK (at % step = 0),
    min     REAL    NOT NULL,
    avg     REAL    NOT NULL,
    max     REAL    NOT NULL,
    PRIMARY KEY (name, subject, step, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX series_by_age ON series (step, at);

CREATE TABLE events (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    at   INTEGER NOT NULL,
    kind TEXT    NOT NULL,
    json TEXT    NOT NULL CHECK (json_valid(json))
) STRICT;
CREATE INDEX events_by_age ON events (at);

CREATE TABLE peers (
    addr         TEXT    NOT NULL PRIMARY KEY,
    last_seen    INTEGER NOT NULL,
    last_try     INTEGER NOT NULL,
    failures     INTEGER NOT NULL CHECK (failures >= 0),
    banned_until INTEGER NOT NULL
) STRICT;

CREATE TABLE workers (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT;
