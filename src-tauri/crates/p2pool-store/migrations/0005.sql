-- Schema 5: where own shares stand and what they weigh, which transaction a block pays with and
-- which shares, and how many own shares were to be expected, day by day.

ALTER TABLE own_shares ADD COLUMN abs_height INTEGER CHECK (abs_height BETWEEN 0 AND 4294967295);
ALTER TABLE own_shares ADD COLUMN bits INTEGER CHECK (bits BETWEEN 0 AND 4294967295);

ALTER TABLE blocks_found ADD COLUMN txid BLOB CHECK (length(txid) = 32);
ALTER TABLE blocks_found ADD COLUMN paid_from INTEGER CHECK (paid_from BETWEEN 0 AND 4294967295);
ALTER TABLE blocks_found ADD COLUMN paid_to INTEGER CHECK (paid_to BETWEEN 0 AND 4294967295);

-- Work done divided by the work of a share at the time.
CREATE TABLE expected_shares (
    day    INTEGER PRIMARY KEY CHECK (day % 86400 = 0),
    shares REAL    NOT NULL CHECK (shares >= 0)
) STRICT;
