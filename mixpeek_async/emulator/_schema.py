"""The tables of the emulator.

`containers` are the buckets and collections, `records` their objects and documents. A `body` is the JSON text of a
record, or the number of a sample record (`_samples`). `made` is the number of records ever made in a container: the
number of its next sample. `created` is the sort key of `created_at` (`_paths`). `profiles` are records reduced to what
they are summed up by (`_profiles`). Triggers write the change feed.

AUTOINCREMENT never reuses the sequence of a deleted row, so a cursor that names one stays valid.
"""

VERSION = 3
"""Stored in a database file; raise it when a table or the sample data changes."""

SCHEMA = """
CREATE TABLE containers (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    source TEXT NOT NULL,
    created BLOB NOT NULL,
    made INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, id)
);
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    container INTEGER NOT NULL REFERENCES containers,
    id TEXT NOT NULL,
    body NOT NULL,
    status TEXT NOT NULL,
    blobs INTEGER NOT NULL,
    size INTEGER NOT NULL,
    created BLOB NOT NULL,
    profile INTEGER NOT NULL,
    UNIQUE (container, id)
);
CREATE INDEX records_in_order ON records (container, sequence);
CREATE INDEX records_by_date ON records (container, created);
CREATE INDEX records_by_profile ON records (container, profile);
CREATE TABLE profiles (id INTEGER PRIMARY KEY, body TEXT NOT NULL);

CREATE VIEW bucket_rows AS
    SELECT sequence, 0 AS container, json_set(
        body,
        '$.object_count', (SELECT count(*) FROM records WHERE container = c.sequence),
        '$.failed_object_count', (SELECT count(*) FROM records WHERE container = c.sequence AND status = 'FAILED'),
        '$.total_size_bytes', (SELECT coalesce(sum(size), 0) FROM records WHERE container = c.sequence)
    ) AS body, 'ACTIVE' AS status, 0 AS blobs, created
    FROM containers AS c WHERE kind = 'bucket';
CREATE VIEW collection_rows AS
    SELECT sequence, 0 AS container, json_set(
        body, '$.document_count', (SELECT count(*) FROM records WHERE container = c.sequence)
    ) AS body, 'ACTIVE' AS status, 0 AS blobs, created
    FROM containers AS c WHERE kind = 'collection';

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    container INTEGER NOT NULL REFERENCES containers,
    id TEXT NOT NULL,
    operation TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TRIGGER record_inserted AFTER INSERT ON records BEGIN
    INSERT INTO events (container, id, operation, at) VALUES (new.container, new.id, 'insert', now());
END;
CREATE TRIGGER record_updated AFTER UPDATE OF body ON records BEGIN
    INSERT INTO events (container, id, operation, at) VALUES (new.container, new.id, 'update', now());
END;
CREATE TRIGGER record_deleted AFTER DELETE ON records BEGIN
    INSERT INTO events (container, id, operation, at) VALUES (old.container, old.id, 'delete', now());
END;
"""
