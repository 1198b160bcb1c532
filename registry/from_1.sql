-- What version 2 has beside version 1, as it stands in schema.sql.

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
