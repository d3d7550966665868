//! A table that shares all but what changed with the table it was made from.

use hashbrown::HashTable;
use std::sync::Arc;

/// How many parts a table has. With 100,000 entries a change copies some hundred pointers.
pub const SHARDS: usize = 1024;

/// 1024 small tables behind shared pointers. A change copies the list of pointers and one table.
#[derive(Debug, Clone)]
pub(crate) struct Shards<T>(Arc<Vec<Arc<HashTable<T>>>>);

impl<T: Clone> Default for Shards<T> {
    fn default() -> Self {
        let empty = Arc::new(HashTable::new());
        Self(Arc::new(vec![empty; SHARDS]))
    }
}

impl<T: Clone> Shards<T> {
    fn place(hash: u64) -> usize {
        // Routing groups use the lowest bits and the tables the highest seven.
        (hash >> 24) as usize % SHARDS
    }

    fn shard_mut(&mut self, hash: u64) -> &mut HashTable<T> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.0)[Self::place(hash)])
    }

    /// The entry with this hash that `is` recognises.
    pub(crate) fn find(&self, hash: u64, is: impl FnMut(&T) -> bool) -> Option<&T> {
        self.0[Self::place(hash)].find(hash, is)
    }

    /// Adds an entry; the caller has made sure that there is none like it.
    pub(crate) fn insert(&mut self, hash: u64, entry: T, hash_of: impl Fn(&T) -> u64) {
        self.shard_mut(hash).insert_unique(hash, entry, hash_of);
    }

    /// Removes the entry, if there is one.
    pub(crate) fn remove(&mut self, hash: u64, mut is: impl FnMut(&T) -> bool) -> Option<T> {
        self.find(hash, &mut is)?;
        let entry = self.shard_mut(hash).find_entry(hash, is).ok()?;
        Some(entry.remove().0)
    }

    /// All entries, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|shard| shard.iter())
    }

    /// The parts that are not the very same memory in both, of this table and of the older one.
    pub(crate) fn differing<'a>(
        &'a self,
        older: &'a Self,
    ) -> impl Iterator<Item = (&'a HashTable<T>, &'a HashTable<T>)> {
        let pairs = self.0.iter().zip(older.0.iter()).filter(|(new, old)| !Arc::ptr_eq(new, old));
        pairs.map(|(new, old)| (&**new, &**old))
    }

    /// How many of the parts are not the very same memory in both.
    pub(crate) fn copied_since(&self, older: &Self) -> usize {
        self.0.iter().zip(older.0.iter()).filter(|(new, old)| !Arc::ptr_eq(new, old)).count()
    }
}
