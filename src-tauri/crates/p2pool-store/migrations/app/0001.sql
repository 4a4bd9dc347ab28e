-- The application's own records: devices, what was changed on them, names that the user gave.
PRAGMA application_id = 0x50325041;

CREATE TABLE devices (
    id       TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE device_changes (
    id        INTEGER PRIMARY KEY,
    device    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    backup    TEXT NOT NULL,
    undone_at INTEGER,
    waits     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX device_changes_device ON device_changes (device);

CREATE TABLE labels (
    subject   TEXT PRIMARY KEY,
    name      TEXT,
    is_hidden INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
