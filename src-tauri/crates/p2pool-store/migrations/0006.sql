-- Schema 6: where a block's share stands in the share chain, so that the work of a round is known
-- long after its shares are gone. The work is a number of 128 bits, highest byte first.

ALTER TABLE blocks_found ADD COLUMN abs_work BLOB CHECK (length(abs_work) = 16);
ALTER TABLE blocks_found ADD COLUMN bits INTEGER CHECK (bits BETWEEN 0 AND 4294967295);
