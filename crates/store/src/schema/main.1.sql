CREATE TABLE ownership (grp INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL);

CREATE TABLE key_check (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL, epoch INTEGER NOT NULL);

CREATE TABLE topology (
    version INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    restored_from INTEGER,
    epoch INTEGER NOT NULL
);

-- Numbers given once and never again.
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL,
    epoch INTEGER NOT NULL
);
CREATE TABLE line (
    number TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX line_user ON line (user);
CREATE TABLE credential (
    user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    epoch INTEGER NOT NULL
);
CREATE TABLE number (number TEXT PRIMARY KEY, record TEXT NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE device (mac TEXT PRIMARY KEY, record TEXT NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE administrator (
    name TEXT PRIMARY KEY,
    password TEXT,
    role TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    created INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sign_in_token (
    hash BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    expires INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    name TEXT NOT NULL REFERENCES administrator (name) ON DELETE CASCADE,
    csrf BLOB NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_name ON session (name);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    object TEXT NOT NULL,
    before TEXT,
    after TEXT,
    version_before INTEGER,
    version_after INTEGER,
    epoch INTEGER NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_object ON audit (object);
