-- A database as schema 5 left it. Source: written by hand from migrations/0001.sql to 0005.sql, frozen.
PRAGMA application_id = 0x50325044; -- "P2PD"

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY  NOT NULL
) STRICT;

CREATE TABLE shares (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    parent     BLOB    CHECK (length(parent) = 32),
    abs_height INTEGER NOT NULL CHECK (abs_height BETWEEN 0 AND 4294967295),
    seen_at    INTEGER NOT NULL,
    origin     TEXT    NOT NULL CHECK (origin IN ('own', 'peer', 'import')),
    verified   INTEGER NOT NULL CHECK (verified IN (0, 1)),
    raw        BLOB    NOT NULL
) STRICT;
CREATE INDEX shares_by_parent ON shares (parent);
CREATE INDEX shares_by_height ON shares (abs_height);

CREATE TABLE own_shares (
    hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    worker   TEXT    NOT NULL,
    found_at INTEGER NOT NULL,
    fate     TEXT    NOT NULL CHECK (fate IN ('open', 'in_chain', 'orphan', 'dead'))
) STRICT;
CREATE INDEX own_shares_by_time ON own_shares (found_at);

-- The block's hash is also the hash of the share that it is.
CREATE TABLE blocks_found (
    hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    height   INTEGER NOT NULL CHECK (height BETWEEN 0 AND 4294967295),
    found_at INTEGER NOT NULL,
    own      INTEGER NOT NULL CHECK (own IN (0, 1)),
    status   TEXT    NOT NULL
             CHECK (status IN ('submitting', 'accepted', 'rejected', 'orphaned', 'mature')),
    reason   TEXT,
    raw      BLOB
) STRICT;
CREATE INDEX blocks_found_by_height ON blocks_found (height);
CREATE INDEX blocks_found_by_time ON blocks_found (found_at);

-- What a found block pays, in output order.
CREATE TABLE payouts (
    block    BLOB    NOT NULL REFERENCES blocks_found (hash),
    position INTEGER NOT NULL CHECK (position >= 0),
    script   BLOB    NOT NULL,
    sats     INTEGER NOT NULL CHECK (sats >= 0),
    PRIMARY KEY (block, position)
) STRICT;
CREATE INDEX payouts_by_script ON payouts (script);

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
    addr       TEXT    NOT NULL PRIMARY KEY,
    services   INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    proven_at  INTEGER,
    last_try   INTEGER,
    failures   INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    source     TEXT
) STRICT;

CREATE TABLE workers (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT;

CREATE TABLE bans (
    host  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;

ALTER TABLE own_shares ADD COLUMN abs_height INTEGER CHECK (abs_height BETWEEN 0 AND 4294967295);
ALTER TABLE own_shares ADD COLUMN bits INTEGER CHECK (bits BETWEEN 0 AND 4294967295);

ALTER TABLE blocks_found ADD COLUMN txid BLOB CHECK (length(txid) = 32);
ALTER TABLE blocks_found ADD COLUMN paid_from INTEGER CHECK (paid_from BETWEEN 0 AND 4294967295);
ALTER TABLE blocks_found ADD COLUMN paid_to INTEGER CHECK (paid_to BETWEEN 0 AND 4294967295);

CREATE TABLE expected_shares (
    day    INTEGER PRIMARY KEY CHECK (day % 86400 = 0),
    shares REAL    NOT NULL CHECK (shares >= 0)
) STRICT;

INSERT INTO meta VALUES ('network', 'practice-7072616374696334'), ('app_version', '0.0.1'),
    ('best_share', x'0202020202020202020202020202020202020202020202020202020202020202');
INSERT INTO shares VALUES
    (x'0101010101010101010101010101010101010101010101010101010101010101', NULL, 1, 1699999000, 'import', 1, x'230101'),
    (x'0202020202020202020202020202020202020202020202020202020202020202', x'0101010101010101010101010101010101010101010101010101010101010101', 2, 1699999010, 'own', 0, x'2302beef');
INSERT INTO own_shares VALUES (x'0202020202020202020202020202020202020202020202020202020202020202', 'garage', 1699999010, 'in_chain', 2, 486604799);
INSERT INTO blocks_found VALUES (x'0202020202020202020202020202020202020202020202020202020202020202', 900001, 1699999010, 1, 'mature', NULL, x'00ff', x'0707070707070707070707070707070707070707070707070707070707070707', 1, 2);
INSERT INTO payouts VALUES
    (x'0202020202020202020202020202020202020202020202020202020202020202', 0, x'51', 312500000), (x'0202020202020202020202020202020202020202020202020202020202020202', 1, x'5253', 7);
INSERT INTO series VALUES ('hashrate_hps', '', 60, 1699999980, 1.0, 2.0, 3.0);
INSERT INTO events (at, kind, json) VALUES (1699999990, 'started', '{}');
INSERT INTO peers VALUES ('192.0.2.1:9333', 0, 1699999000, 1699999990, 1699999990, NULL, 0, NULL);
INSERT INTO workers VALUES (1, 'garage', 1699999000, 1699999010);
INSERT INTO bans VALUES ('192.0.2.9', 1700000060);
PRAGMA user_version = 5;
