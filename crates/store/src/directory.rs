//! Users, groups, numbers and devices: one transaction and one audit line per change.

use crate::audit::{By, NewLine, add};
use crate::error::{StoreError, family};
use crate::former::hold;
use crate::sqlite::{Store, from_json, to_json};
use lyceum_sip::digest::Ha1;
use lyceum_topology::{
    AddressOfRecord, Conflict, DeviceRecord, Directory, GroupRecord, LineUri, MacAddress, NumberRecord, UserId,
    UserRecord,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Why a record was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryError {
    /// Another user has the address or the number.
    Conflict(Conflict),
    /// There is no such user.
    NoUser(String),
    /// There is no such number or device.
    NoRecord(String),
    /// Disk, file, damage or a stale owner.
    Store(StoreError),
}

family!(DirectoryError);

impl std::fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DirectoryError::Conflict(conflict) => conflict.fmt(f),
            DirectoryError::NoUser(who) => write!(f, "there is no user {who}: list them with `lyceum user get`"),
            DirectoryError::NoRecord(what) => write!(f, "there is no record of {what}: check the spelling"),
            DirectoryError::Store(error) => error.fmt(f),
        }
    }
}

/// The whole directory as it is stored.
#[derive(Debug, Clone, Default)]
pub struct StoredDirectory {
    /// All users.
    pub users: Vec<UserRecord>,
    /// All numbers the organisation holds.
    pub numbers: Vec<NumberRecord>,
    /// All devices.
    pub devices: Vec<DeviceRecord>,
    /// All distribution groups.
    pub groups: Vec<GroupRecord>,
}

impl StoredDirectory {
    /// The directory for the snapshot.
    pub fn into_directory(self) -> Result<Directory, Conflict> {
        let mut directory = Directory::default();
        for user in self.users {
            directory.insert(user)?;
        }
        for number in self.numbers {
            directory.insert_number(number);
        }
        for device in self.devices {
            directory.insert_device(device);
        }
        for group in self.groups {
            directory.insert_group(group);
        }
        Ok(directory)
    }
}

impl Store {
    /// Everything that is in force: without users whose address had another holder of whom something is
    /// [left](Store::former).
    pub fn directory(&self) -> Result<StoredDirectory, DirectoryError> {
        self.read(|db| {
            Ok(StoredDirectory {
                users: records(db, IN_FORCE)?,
                numbers: records(db, "SELECT record FROM number")?,
                devices: records(db, "SELECT record FROM device")?,
                groups: records(db, "SELECT record FROM distribution_group")?,
            })
        })
    }

    /// One user as stored.
    pub fn user(&self, id: UserId) -> Result<Option<UserRecord>, DirectoryError> {
        self.read(|db| Ok(user_text(db, id)?.map(|text| from_json(&text)).transpose()?))
    }

    /// Adds a user, or replaces the one with the same number. A user with number 0 is new and gets
    /// the next number, which is never given again. With `secret`, the password's hashes change too.
    pub fn user_put(
        &self,
        mut user: UserRecord,
        secret: Option<&Ha1>,
        by: By<'_>,
    ) -> Result<UserRecord, DirectoryError> {
        self.write(|tx, epoch| {
            if user.id.0 == 0 {
                user.id = UserId(next_ids(tx, epoch, "user", 1)?);
            } else {
                reserve_id(tx, epoch, "user", user.id.0)?;
            }
            let before = user_text(tx, user.id)?;
            let mut after = put_user(tx, epoch, &user)?;
            if let Some(secret) = secret {
                self.put_secret(tx, epoch, user.id, secret)?;
                after = with_password(&after);
            }
            let (object, before) = (user.address.as_str(), before.as_deref());
            let line = NewLine { what: "user.put", object, before, after: Some(&after), ..NewLine::default() };
            add(tx, epoch, by, &line)?;
            Ok(user)
        })
    }

    /// Removes a user with numbers and secret.
    pub fn user_remove(&self, id: UserId, by: By<'_>) -> Result<UserRecord, DirectoryError> {
        self.write(|tx, epoch| {
            let before = user_text(tx, id)?.ok_or_else(|| DirectoryError::NoUser(format!("number {}", id.0)))?;
            let user: UserRecord = from_json(&before)?;
            tx.execute("DELETE FROM user WHERE id = ?1", [id.0])?;
            let (object, before) = (user.address.as_str(), Some(before.as_str()));
            add(tx, epoch, by, &NewLine { what: "user.remove", object, before, ..NewLine::default() })?;
            Ok(user)
        })
    }

    /// Adds or replaces the record of a number.
    pub fn number_put(&self, record: &NumberRecord, by: By<'_>) -> Result<(), DirectoryError> {
        self.put_keyed("number", &record.number.plain(), &to_json(record)?, by)
    }

    /// Removes the record of a number.
    pub fn number_remove(&self, number: LineUri, by: By<'_>) -> Result<(), DirectoryError> {
        self.remove_keyed("number", &number.plain(), by)
    }

    /// Adds or replaces the record of a device.
    pub fn device_put(&self, record: &DeviceRecord, by: By<'_>) -> Result<(), DirectoryError> {
        self.put_keyed("device", &record.mac.to_string(), &to_json(record)?, by)
    }

    /// Removes the record of a device.
    pub fn device_remove(&self, mac: MacAddress, by: By<'_>) -> Result<(), DirectoryError> {
        self.remove_keyed("device", &mac.to_string(), by)
    }

    /// Adds or replaces a distribution group.
    pub fn group_put(&self, group: &GroupRecord, by: By<'_>) -> Result<(), DirectoryError> {
        self.put_keyed("distribution_group", group.address.as_str(), &to_json(group)?, by)
    }

    /// Removes a distribution group.
    pub fn group_remove(&self, address: &AddressOfRecord, by: By<'_>) -> Result<(), DirectoryError> {
        self.remove_keyed("distribution_group", address.as_str(), by)
    }

    fn put_keyed(&self, table: &'static str, key: &str, after: &str, by: By<'_>) -> Result<(), DirectoryError> {
        let (column, what) = keyed(table);
        self.write(|tx, epoch| {
            let before = keyed_text(tx, table, column, key)?;
            tx.execute(
                &format!("INSERT OR REPLACE INTO {table} ({column}, record, epoch) VALUES (?1, ?2, ?3)"),
                params![key, after, epoch],
            )?;
            let (before, what) = (before.as_deref(), what[0]);
            Ok(add(tx, epoch, by, &NewLine { what, object: key, before, after: Some(after), ..NewLine::default() })?)
        })
    }

    fn remove_keyed(&self, table: &'static str, key: &str, by: By<'_>) -> Result<(), DirectoryError> {
        let (column, what) = keyed(table);
        self.write(|tx, epoch| {
            let before = keyed_text(tx, table, column, key)?.ok_or_else(|| DirectoryError::NoRecord(key.to_owned()))?;
            tx.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [key])?;
            let (before, what) = (Some(before.as_str()), what[1]);
            Ok(add(tx, epoch, by, &NewLine { what, object: key, before, ..NewLine::default() })?)
        })
    }
}

const IN_FORCE: &str = "SELECT record FROM user WHERE address NOT IN (SELECT address FROM address_former) ORDER BY id";

/// Key column and the words of the audit list.
fn keyed(table: &str) -> (&'static str, [&'static str; 2]) {
    match table {
        "number" => ("number", ["number.put", "number.remove"]),
        "distribution_group" => ("address", ["group.put", "group.remove"]),
        _ => ("mac", ["device.put", "device.remove"]),
    }
}

fn keyed_text(db: &Connection, table: &str, column: &str, key: &str) -> rusqlite::Result<Option<String>> {
    db.query_row(&format!("SELECT record FROM {table} WHERE {column} = ?1"), [key], |row| row.get(0)).optional()
}

fn records<T: serde::de::DeserializeOwned>(db: &Connection, sql: &str) -> Result<Vec<T>, DirectoryError> {
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str().map_err(StoreError::unreadable)?;
        records.push(from_json(text)?);
    }
    Ok(records)
}

/// A record for the audit list that also says that there is a new password; what it is, nobody reads there.
fn with_password(record: &str) -> String {
    record.strip_suffix('}').map_or_else(|| record.to_owned(), |fields| format!("{fields},\"password\":\"changed\"}}"))
}

fn user_text(db: &Connection, id: UserId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT record FROM user WHERE id = ?1")?.query_row([id.0], |row| row.get(0)).optional()
}

/// Writes a user's row and numbers; answers with the record's JSON.
pub(crate) fn put_user(tx: &Transaction<'_>, epoch: u64, user: &UserRecord) -> Result<String, DirectoryError> {
    let other: Option<u32> = tx
        .prepare_cached("SELECT id FROM user WHERE address = ?1 AND id <> ?2")?
        .query_row(params![user.address.as_str(), user.id.0], |row| row.get(0))
        .optional()?;
    if let Some(by) = other {
        return Err(DirectoryError::Conflict(Conflict::AddressTaken { address: user.address.clone(), by: UserId(by) }));
    }
    // Before anything is written: an import goes on after a refusal in the same transaction.
    for line in &user.numbers {
        check_line(tx, user.id, *line)?;
    }
    let text = to_json(user)?;
    tx.prepare_cached(
        "INSERT INTO user (id, address, record, epoch) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET address = ?2, record = ?3, epoch = ?4",
    )?
    .execute(params![user.id.0, user.address.as_str(), text, epoch])?;
    hold(tx, epoch, user)?;
    tx.prepare_cached("DELETE FROM line WHERE user = ?1")?.execute([user.id.0])?;
    for line in &user.numbers {
        tx.prepare_cached("INSERT OR REPLACE INTO line (number, user, epoch) VALUES (?1, ?2, ?3)")?
            .execute(params![line.plain(), user.id.0, epoch])?;
    }
    Ok(text)
}

fn check_line(tx: &Transaction<'_>, user: UserId, line: LineUri) -> Result<(), DirectoryError> {
    let number = line.plain();
    let taken: Option<String> = tx
        .prepare_cached(
            "SELECT u.address FROM line l JOIN user u ON u.id = l.user WHERE l.number = ?1 AND l.user <> ?2",
        )?
        .query_row(params![number, user.0], |row| row.get(0))
        .optional()?;
    if let Some(by) = taken {
        let by = AddressOfRecord::parse(&by).map_err(StoreError::unreadable)?;
        return Err(DirectoryError::Conflict(Conflict::NumberTaken { number: line, by }));
    }
    Ok(())
}

/// Gives out `count` numbers and answers with the first.
pub(crate) fn next_ids(tx: &Transaction<'_>, epoch: u64, name: &str, count: u32) -> rusqlite::Result<u32> {
    let last: u32 = tx
        .prepare_cached("SELECT value FROM counter WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    reserve_id(tx, epoch, name, last + count)?;
    Ok(last + 1)
}

/// Keeps numbers up to and including this one from being given out.
pub(crate) fn reserve_id(tx: &Transaction<'_>, epoch: u64, name: &str, id: u32) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO counter (name, value, epoch) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET value = max(value, ?2), epoch = ?3",
    )?
    .execute(params![name, id, epoch])?;
    Ok(())
}
