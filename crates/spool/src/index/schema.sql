-- Instants are milliseconds since 1970-01-01, UTC.
BEGIN;

-- A study, by the keyed digest of its Study Instance UID; its number is what people call it.
CREATE TABLE study (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX study_state ON study (state);
CREATE INDEX study_opened ON study (opened_at);

-- An object that was kept, by the number of its arrival.
CREATE TABLE object (
    arrival INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    study INTEGER REFERENCES study (number),
    instance TEXT,
    sender TEXT,
    received_at INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX object_study ON object (study);

-- What somebody is to be given or told: a result for an archive, a message of an alert.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    study INTEGER NOT NULL REFERENCES study (number),
    revision INTEGER NOT NULL,
    item TEXT NOT NULL,
    payload TEXT,
    state TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    ended_at INTEGER,
    detail TEXT,
    UNIQUE (target, study, revision, item)
) STRICT;
CREATE INDEX outbox_due ON outbox (state, target, next_at);

-- What people say of a study: that they have seen it, and which grade they read.
CREATE TABLE review (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    study INTEGER NOT NULL REFERENCES study (number),
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE INDEX review_study ON review (study);

-- Who has tried to send and may not.
CREATE TABLE stranger (
    ae_title TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    times INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (ae_title, address, reason)
) STRICT;

PRAGMA user_version = 1;
COMMIT;
