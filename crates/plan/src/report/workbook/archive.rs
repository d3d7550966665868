//! Files in one, as ZIP has them: stored, not compressed, all of the same day (APPNOTE.TXT 6.3.10, sections 4.3 to 4.5).

/// The first day that the format can say: 1 January 1980.
const DAY: u16 = 1 << 5 | 1;

/// An archive while it is written.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    files: u16,
}

impl Archive {
    /// Adds a file of at most 4 GB.
    pub(super) fn add(&mut self, name: &str, text: &str) {
        let at = self.bytes.len() as u32;
        let mut entry = Vec::new();
        // Version 2.0; names are UTF-8; stored.
        for number in [20, 1 << 11, 0, 0, DAY] {
            entry.extend_from_slice(&u16::to_le_bytes(number));
        }
        entry.extend_from_slice(&crc32(text.as_bytes()).to_le_bytes());
        for _ in 0..2 {
            entry.extend_from_slice(&(text.len() as u32).to_le_bytes());
        }
        entry.extend_from_slice(&(name.len() as u16).to_le_bytes());
        entry.extend_from_slice(&[0, 0]);
        self.bytes.extend_from_slice(b"PK\x03\x04");
        self.bytes.extend_from_slice(&entry);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&20u16.to_le_bytes());
        self.directory.extend_from_slice(&entry);
        // No remark, one disk, no attributes.
        self.directory.extend_from_slice(&[0; 10]);
        self.directory.extend_from_slice(&at.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        self.files += 1;
    }

    /// The archive with its directory.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(&self.directory);
        self.bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        for _ in 0..2 {
            self.bytes.extend_from_slice(&self.files.to_le_bytes());
        }
        self.bytes.extend_from_slice(&(self.directory.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(&at.to_le_bytes());
        self.bytes.extend_from_slice(&[0, 0]);
        self.bytes
    }
}

/// The check sum of ISO 3309, by half bytes.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = table();
    let step = |sum: u32, half: u8| TABLE[((sum ^ u32::from(half)) & 15) as usize] ^ (sum >> 4);
    !bytes.iter().fold(u32::MAX, |sum, byte| step(step(sum, byte & 15), byte >> 4))
}

const fn table() -> [u32; 16] {
    let (mut table, mut number) = ([0; 16], 0);
    while number < 16 {
        let (mut sum, mut bit) = (number as u32, 0);
        while bit < 4 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
            bit += 1;
        }
        table[number] = sum;
        number += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_sum_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
