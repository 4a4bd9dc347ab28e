-- Schema 3: what is known of other nodes' addresses. Nothing was kept in the table before.

DROP TABLE peers;
CREATE TABLE peers (
    addr       TEXT    NOT NULL PRIMARY KEY,
    services   INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    proven_at  INTEGER,
    last_try   INTEGER,
    failures   INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    source     TEXT
) STRICT;
