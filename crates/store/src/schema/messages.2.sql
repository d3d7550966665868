-- What people wrote and received, as one stream of lines for each person. New lines of everybody are appended to the
-- journal, one row for each batch; now and then they are folded into the segments of the people whose they are.
CREATE TABLE history_journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    block BLOB NOT NULL,
    epoch INTEGER NOT NULL
);

-- Messages "first" to "last" of one person, some 32 KiB.
CREATE TABLE history_segment (
    user TEXT NOT NULL,
    first BLOB NOT NULL,
    last BLOB NOT NULL,
    block BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (user, first)
) WITHOUT ROWID;

-- The conversations of one person with what is unread; lines up to the journal's row "upto" are in it and in the segments.
CREATE TABLE history_person (
    user TEXT NOT NULL PRIMARY KEY,
    upto INTEGER NOT NULL,
    summary BLOB NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
