-- What version 5 has beside version 4, as it stands in schema.sql.

-- Channels that go inactive when their device does not say again that it is there.
CREATE TABLE leases (
    channel TEXT PRIMARY KEY,                          -- its name
    ttl_s   REAL NOT NULL CHECK (ttl_s > 0)            -- for how long a registration, a renewal or a packet holds
) STRICT;

-- What happened: the newest of it, older ones are removed.
CREATE TABLE events (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,          -- never given twice
    at_ns  INTEGER NOT NULL,                           -- since 1970 UTC
    kind   TEXT NOT NULL,                              -- what it is about: channel, service, keeper, archive, settings
    name   TEXT NOT NULL,                              -- which one
    event  TEXT NOT NULL,                              -- state, registered, changed ...
    former TEXT,                                       -- the state before
    state  TEXT,                                       -- the state after
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX events_of ON events (kind, name, id);
