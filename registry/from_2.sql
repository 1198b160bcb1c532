-- What version 3 has otherwise than version 2: channels without a UDP port, and without live streams.

CREATE TABLE channels_3 (
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
INSERT INTO channels_3 SELECT name, port, schema_path, schema, fingerprint, time_unit, config_json, multicast_index, created_at
    FROM channels;
DROP TABLE channels;
ALTER TABLE channels_3 RENAME TO channels;
