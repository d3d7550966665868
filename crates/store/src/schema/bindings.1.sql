CREATE TABLE ownership (grp INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL);

-- One row per committed batch: (group epoch length entry)*, as lyceum-users packs it.
CREATE TABLE journal (id INTEGER PRIMARY KEY, entries INTEGER NOT NULL, block BLOB NOT NULL);

-- State of a group after all journal rows up to and including `upto`.
CREATE TABLE image (
    grp INTEGER PRIMARY KEY,
    upto INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    image BLOB NOT NULL
);

-- Written to try a disk that refused.
CREATE TABLE mark (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
