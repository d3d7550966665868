-- Access Edges: `link` is the name in the certificate given last, empty until the first; `token` names the one-time token
-- that is out, which ends at `token_ends`.
CREATE TABLE edge (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    link TEXT NOT NULL DEFAULT '',
    enrolled INTEGER NOT NULL DEFAULT 0,
    token BLOB,
    token_ends INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL
);
