//! Addresses that change hands: what the former holder left is forgotten before the new one signs in.
//!
//! Removing a user leaves the history and the rest where it is, so that a removal by mistake costs nothing. When the
//! address is given to another user, that is noted with the same transaction; until all is forgotten the new user is not
//! in the directory that [`Store::directory`] reads.

use crate::error::StoreError;
use crate::sqlite::Store;
use crate::transfers::TransferError;
use lyceum_topology::UserRecord;
use rusqlite::{OptionalExtension, Transaction, params};

impl Store {
    /// Addresses with a new holder, of whose former holder something may be left.
    pub fn former(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let mut select = db.prepare_cached("SELECT address FROM address_former ORDER BY address")?;
            let rows = select.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets the history, photo and files of an address's former holder, and that there is anything to forget: what
    /// stands elsewhere is to be forgotten before. The archive keeps what it has.
    pub fn forget_former(&self, address: &str) -> Result<(), TransferError> {
        self.forget_history(address, || true)?;
        self.photo_remove(address)?;
        self.forget_transfers(address)?;
        self.write(|tx, _| {
            tx.execute("DELETE FROM address_former WHERE address = ?1", [address])?;
            Ok(())
        })
    }
}

/// Notes who holds an address now.
pub(crate) fn hold(tx: &Transaction<'_>, epoch: u64, user: &UserRecord) -> rusqlite::Result<()> {
    let address = user.address.as_str();
    let holder: Option<u32> = tx
        .prepare_cached("SELECT user FROM address_holder WHERE address = ?1")?
        .query_row([address], |row| row.get(0))
        .optional()?;
    if holder == Some(user.id.0) {
        return Ok(());
    }
    tx.prepare_cached("INSERT OR REPLACE INTO address_holder (address, user, epoch) VALUES (?1, ?2, ?3)")?
        .execute(params![address, user.id.0, epoch])?;
    if holder.is_some() {
        tx.prepare_cached("INSERT OR REPLACE INTO address_former (address, epoch) VALUES (?1, ?2)")?
            .execute(params![address, epoch])?;
    }
    Ok(())
}
