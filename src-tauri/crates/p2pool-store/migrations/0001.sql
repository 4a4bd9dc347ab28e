-- Schema 1: the share chain, own shares, and the blocks that the pool found.
-- Hashes are 32-byte blobs in internal order, amounts whole sats, times unix seconds.
-- Tables keep their rowid: a damaged file can then be read past a broken index.

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
