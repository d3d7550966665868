-- Who holds an address, or held it last; 0 for somebody who was removed before this was noted.
CREATE TABLE address_holder (address TEXT PRIMARY KEY, user INTEGER NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO address_holder (address, user, epoch) SELECT address, id, epoch FROM user;
INSERT OR IGNORE INTO address_holder (address, user, epoch)
    SELECT DISTINCT object, 0, 0 FROM audit WHERE what = 'user.remove' AND object <> '';

-- Addresses that got a new holder, while what the former one left is not forgotten yet.
CREATE TABLE address_former (address TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
