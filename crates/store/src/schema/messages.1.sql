CREATE TABLE ownership (grp INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL);

CREATE TABLE conversation (
    id BLOB NOT NULL PRIMARY KEY,
    members TEXT NOT NULL,
    subject TEXT,
    began INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    conversation BLOB NOT NULL,
    sender TEXT NOT NULL,
    wire_id TEXT,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL,
    epoch INTEGER NOT NULL
);
CREATE INDEX message_wire ON message (wire_id) WHERE wire_id IS NOT NULL;

-- One row per person and message. The role is 0 for the sender, 1 for a recipient; "kept" is 0 for people who keep no
-- history here but whose marks the others see.
CREATE TABLE participant (
    user TEXT NOT NULL,
    id BLOB NOT NULL,
    conversation BLOB NOT NULL,
    role INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    delivered INTEGER,
    read INTEGER,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE INDEX participant_conversation ON participant (user, conversation, id);
CREATE INDEX participant_message ON participant (id);
CREATE INDEX participant_unread ON participant (user, conversation) WHERE role = 1 AND kept = 1 AND read IS NULL;

-- One row per person and conversation: the list that a client shows first.
CREATE TABLE thread (
    user TEXT NOT NULL,
    conversation BLOB NOT NULL,
    last BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (user, conversation)
) WITHOUT ROWID;
CREATE INDEX thread_last ON thread (user, last);
CREATE INDEX thread_conversation ON thread (conversation);

-- Rows are only ever added, marked as exported, and purged.
CREATE TABLE archive (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    id BLOB NOT NULL,
    conversation BLOB NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL,
    exported INTEGER,
    epoch INTEGER NOT NULL
);
CREATE INDEX archive_at ON archive (at);

CREATE TABLE archive_participant (
    user TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES archive (seq) ON DELETE CASCADE,
    PRIMARY KEY (user, seq)
) WITHOUT ROWID;
CREATE INDEX archive_participant_seq ON archive_participant (seq);

CREATE TABLE transfer (
    id BLOB NOT NULL PRIMARY KEY,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    blob BLOB,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX transfer_sender ON transfer (sender, id);
CREATE INDEX transfer_recipient ON transfer (recipient, id);
CREATE INDEX transfer_expires ON transfer (expires);
CREATE INDEX transfer_blob ON transfer (blob) WHERE blob IS NOT NULL;

CREATE TABLE photo (
    user TEXT NOT NULL PRIMARY KEY,
    content_type TEXT NOT NULL,
    image BLOB NOT NULL,
    digest BLOB NOT NULL,
    changed INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
