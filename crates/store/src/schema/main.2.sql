-- What ties users to people of a directory server.
CREATE TABLE account (
    user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    dn TEXT NOT NULL,
    standing TEXT NOT NULL,
    epoch INTEGER NOT NULL
);

-- Passwords the server itself uses elsewhere, sealed under the master key.
CREATE TABLE secret (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
