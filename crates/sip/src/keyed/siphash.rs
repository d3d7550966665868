//! SipHash-1-3 with 128 bits of output (Aumasson and Bernstein; the rounds of Rust's own hash
//! tables): a stranger who does not hold the key cannot make two branches meet, so the digest
//! may stand for the bytes it was made of.

/// A SipHash under way. Parts are separated, so that no two lists of parts read the same.
#[derive(Clone, Copy)]
pub(crate) struct SipHash {
    v: [u64; 4],
    tail: u64,
    held: u32,
    len: u64,
}

impl SipHash {
    pub(crate) fn new(key: [u8; 16]) -> SipHash {
        let k = u128::from_le_bytes(key);
        let (k0, k1) = (k as u64, (k >> 64) as u64);
        SipHash {
            v: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
            tail: 0,
            held: 0,
            len: 0,
        }
    }

    #[inline]
    fn round(v: &mut [u64; 4]) {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[1]);
        v[0] = v[0].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.v[3] ^= word;
        Self::round(&mut self.v);
        self.v[0] ^= word;
    }

    #[inline]
    fn push(&mut self, value: u64, bytes: u32) {
        self.len += u64::from(bytes);
        self.tail |= value << (8 * self.held);
        let held = self.held + bytes;
        if held < 8 {
            self.held = held;
            return;
        }
        let word = self.tail;
        self.word(word);
        self.tail = if held == 8 { 0 } else { value >> (8 * (8 - self.held)) };
        self.held = held - 8;
    }

    /// Adds bytes.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> SipHash {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
            self.push(word, 8);
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.push(u64::from_le_bytes(word), rest.len() as u32);
        }
        self
    }

    /// Adds one part and its end.
    pub(crate) fn part(self, bytes: &[u8]) -> SipHash {
        let mut next = self.bytes(bytes);
        next.push(bytes.len() as u64 & 0xffff, 2);
        next
    }

    /// Adds one part in lower case and its end.
    pub(crate) fn part_lowercase(self, bytes: &[u8]) -> SipHash {
        let mut next = self;
        let mut lower = [0; 32];
        for chunk in bytes.chunks(lower.len()) {
            let lower = &mut lower[..chunk.len()];
            lower.copy_from_slice(chunk);
            lower.make_ascii_lowercase();
            next = next.bytes(lower);
        }
        next.push(bytes.len() as u64 & 0xffff, 2);
        next
    }

    /// Adds a number.
    pub(crate) fn number(mut self, n: u32) -> SipHash {
        self.push(u64::from(n), 4);
        self
    }

    /// The digest.
    pub(crate) fn finish(mut self) -> u128 {
        let last = self.tail | self.len << 56;
        self.word(last);
        self.v[2] ^= 0xee;
        let low = self.close();
        self.v[1] ^= 0xdd;
        let high = self.close();
        u128::from(low) | u128::from(high) << 64
    }

    fn close(&mut self) -> u64 {
        for _ in 0..3 {
            Self::round(&mut self.v);
        }
        self.v.iter().fold(0, |acc, v| acc ^ v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made apart from this code, by an implementation that gives the reference vectors of
    /// SipHash-2-4 when told to run two and four rounds.
    #[test]
    fn known_answers() {
        let key: [u8; 16] = std::array::from_fn(|i| i as u8);
        let message: Vec<u8> = (0..63).collect();
        let cases: [(usize, [u8; 16]); 4] = [
            (0, *b"\xe7\x7e\xbc\xb2\x27\x88\xa5\xbe\xfd\x62\xdb\x6a\xdd\x30\x30\x01"),
            (1, *b"\xfc\x6f\x37\x04\x60\xd3\xed\xa8\x5e\x05\x73\xcc\x2b\x2f\xf0\x63"),
            (13, *b"\xb2\xf8\x58\xc7\xc9\xea\x80\x1d\x53\xd6\x03\x59\x6d\x65\x78\x44"),
            (62, *b"\x27\x1d\x5d\x00\xfb\xdb\x5d\x15\x5d\x9d\xce\xa9\x7c\xb4\x02\x18"),
        ];
        for (len, want) in cases {
            let got = SipHash::new(key).bytes(&message[..len]).finish();
            assert_eq!(got.to_le_bytes(), want, "length {len}");
        }
    }

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        let key = [9; 16];
        let message: Vec<u8> = (0..100).collect();
        let whole = SipHash::new(key).bytes(&message).finish();
        for at in 0..100 {
            let two = SipHash::new(key).bytes(&message[..at]).bytes(&message[at..]).finish();
            assert_eq!(two, whole, "cut at {at}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let new = || SipHash::new([1; 16]);
        assert_ne!(new().part(b"ab").part(b"c").finish(), new().part(b"a").part(b"bc").finish());
        assert_eq!(new().part_lowercase(b"Host").finish(), new().part(b"host").finish());
    }
}
