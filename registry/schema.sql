-- The registry of channels. What runs and how it fares is not here: it is asked of the keeper when somebody wants to know.

CREATE TABLE channels (
    name            TEXT PRIMARY KEY,
    port            INTEGER UNIQUE CHECK (port BETWEEN 1 AND 65535), -- UDP port of its packets; NULL: what comes by HTTP is all it has
    schema_path     TEXT,                              -- as it was given; NULL: the schema came inline
    schema          TEXT NOT NULL,                     -- Avro schema, JSON
    fingerprint     TEXT NOT NULL,                     -- of the schema, CRC-64-AVRO, as it stands on the wire, hex
    time_unit       TEXT,                              -- as schema or config state it; NULL: found from the first record
    config_json     TEXT,                              -- the channel's own settings, as given; NULL: none were
    multicast_index INTEGER UNIQUE,                    -- from which its multicast groups and ports follow; NULL: it has no live streams
    created_at      TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP -- YYYY-MM-DD HH:MM:SS, UTC
) STRICT;

-- Numbers that belong to the whole registry:
-- multicast_base: where its multicast groups begin; drawn once, so that two registries on one network hardly collide
-- multicast_last: the index given out last, so that a group is not given to another channel soon
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

CREATE TABLE tags (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given twice
    name       TEXT NOT NULL,
    start_ns   INTEGER NOT NULL,                       -- record time, since 1970 UTC
    end_ns     INTEGER NOT NULL CHECK (end_ns >= start_ns),
    channels   TEXT,                                   -- names, a JSON list; NULL: all
    note       TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP -- YYYY-MM-DD HH:MM:SS, UTC
) STRICT;

-- Versions of channels' schemas before the newest, which is in channels.
CREATE TABLE former_schemas (
    channel     TEXT NOT NULL,                         -- its name
    version     INTEGER NOT NULL CHECK (version >= 1), -- 1 is the oldest
    schema_path TEXT,                                  -- this and the next three as in channels
    schema      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    time_unit   TEXT,
    followed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, -- when the next version was registered, YYYY-MM-DD HH:MM:SS, UTC
    PRIMARY KEY (channel, version),
    UNIQUE (channel, fingerprint)
) STRICT;

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
