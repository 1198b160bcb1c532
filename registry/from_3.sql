-- What version 4 has beside version 3, as it stands in schema.sql.

-- What somebody has acknowledged of alarms: the latest of each side of a signal.
CREATE TABLE acknowledgements (
    channel         TEXT NOT NULL,                     -- its name
    signal          TEXT NOT NULL,                     -- its name in the channel
    side            TEXT NOT NULL,                     -- of the limits: low, high
    via             TEXT NOT NULL,                     -- by which way the records came: udp, http
    epoch           TEXT NOT NULL,                     -- life of the channel that the rises are of, hex
    rises           INTEGER NOT NULL,                  -- how many of them are acknowledged
    at_ns           INTEGER NOT NULL,                  -- when, since 1970 UTC
    acknowledged_by TEXT NOT NULL,
    note            TEXT NOT NULL,
    PRIMARY KEY (channel, signal, side, via)
) STRICT;
