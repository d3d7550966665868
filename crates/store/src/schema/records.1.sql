CREATE TABLE ownership (grp INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL);

CREATE TABLE call (
    id TEXT NOT NULL PRIMARY KEY,
    started INTEGER NOT NULL,
    ended INTEGER,
    caller TEXT NOT NULL,
    callee TEXT NOT NULL,
    status INTEGER NOT NULL,
    record BLOB NOT NULL,
    epoch INTEGER NOT NULL
);
CREATE INDEX call_started ON call (started);
CREATE INDEX call_caller ON call (caller, started);
CREATE INDEX call_callee ON call (callee, started);

CREATE TABLE trace (
    id INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    at INTEGER NOT NULL,
    record BLOB NOT NULL,
    epoch INTEGER NOT NULL
);
CREATE INDEX trace_call ON trace (call, at);
CREATE INDEX trace_at ON trace (at);
