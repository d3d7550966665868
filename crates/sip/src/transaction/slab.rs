//! Slots with generations: a stale number finds nothing instead of a stranger.

const CHUNK: usize = 256;
const END: u32 = u32::MAX;

/// Grows by chunks of 256, so that no growth moves what is there.
pub(super) struct Slab<T> {
    chunks: Vec<Box<[Slot<T>]>>,
    free: u32,
    len: usize,
}

struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

enum Content<T> {
    Free(u32),
    Taken(T),
}

impl<T> Slab<T> {
    pub(super) fn new() -> Slab<T> {
        Slab { chunks: Vec::new(), free: END, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Stores a value; gives its index and generation.
    pub(super) fn insert(&mut self, value: T) -> (u32, u32) {
        if self.free == END {
            self.grow();
        }
        let index = self.free;
        let slot = &mut self.chunks[index as usize / CHUNK][index as usize % CHUNK];
        if let Content::Free(next) = slot.content {
            self.free = next;
        }
        slot.content = Content::Taken(value);
        self.len += 1;
        (index, slot.generation)
    }

    fn grow(&mut self) {
        let base = self.chunks.len() * CHUNK;
        let chunk = (1..=CHUNK)
            .map(|i| {
                let next = if i == CHUNK { END } else { (base + i) as u32 };
                Slot { generation: 0, content: Content::Free(next) }
            })
            .collect();
        self.chunks.push(chunk);
        self.free = base as u32;
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        self.chunks.get(index as usize / CHUNK)?.get(index as usize % CHUNK)
    }

    /// The value at `index`, whatever its generation.
    pub(super) fn at(&mut self, index: u32) -> Option<&mut T> {
        let slot = self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)?;
        match &mut slot.content {
            Content::Taken(value) => Some(value),
            Content::Free(_) => None,
        }
    }

    /// The value that was stored under both numbers.
    pub(super) fn get(&mut self, index: u32, generation: u32) -> Option<&mut T> {
        let slot = self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)?;
        match &mut slot.content {
            Content::Taken(value) if slot.generation == generation => Some(value),
            _ => None,
        }
    }

    /// The generation of the value now at `index`.
    pub(super) fn generation(&self, index: u32) -> u32 {
        self.slot(index).map_or(0, |slot| slot.generation)
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let slot = self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)?;
        if matches!(slot.content, Content::Free(_)) {
            return None;
        }
        slot.generation = slot.generation.wrapping_add(1);
        let content = std::mem::replace(&mut slot.content, Content::Free(self.free));
        self.free = index;
        self.len -= 1;
        match content {
            Content::Taken(value) => Some(value),
            Content::Free(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_number_finds_nothing() {
        let mut slab = Slab::new();
        let (a, first) = slab.insert('a');
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        let (b, second) = slab.insert('b');
        assert_eq!(a, b);
        assert_eq!(slab.get(a, first), None);
        assert_eq!(slab.get(b, second), Some(&mut 'b'));
        assert_eq!(slab.generation(b), second);
    }

    #[test]
    fn it_grows_by_chunks() {
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..1000).map(|i| slab.insert(i).0).collect();
        assert_eq!(slab.len(), 1000);
        for (i, id) in ids.into_iter().enumerate() {
            assert_eq!(slab.at(id), Some(&mut i.try_into().expect("small")));
        }
        assert_eq!(slab.chunks.len(), 4);
    }
}
