-- Schema 4: hosts that are avoided, so that a restart does not forgive them. Of an IPv6 host its /64.

CREATE TABLE bans (
    host  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;
