-- Whom an issuer means by each of its people, from their first sign-in on.
CREATE TABLE vouched (
    user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    UNIQUE (issuer, subject)
);

-- Until when tokens were handed out that are worth nothing any more; of one device, or with 0 of all.
CREATE TABLE page_end (
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    device INTEGER NOT NULL,
    at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (user, device)
) WITHOUT ROWID;
