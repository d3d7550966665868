//! Elements of a header extension (RFC 8285): audio levels, transport-wide numbers, names of streams.

/// The profile of one-byte element headers.
const ONE_BYTE: u16 = 0xBEDE;
/// The profiles of two-byte element headers differ in their last four bits.
const TWO_BYTE: u16 = 0x1000;

/// The elements of an extension: identifier and bytes. Reading stops where it is broken.
pub fn elements(profile: u16, bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let first = *rest.first()?;
            if first == 0 {
                rest = &rest[1..];
                continue;
            }
            let (id, length, head) = match profile {
                ONE_BYTE => (first >> 4, usize::from(first & 0x0F) + 1, 1),
                profile if profile & 0xFFF0 == TWO_BYTE => (first, usize::from(*rest.get(1)?), 2),
                _ => return None,
            };
            // 15 ends an extension of one-byte headers (RFC 8285 §4.2).
            if profile == ONE_BYTE && id == 15 {
                return None;
            }
            let element = rest.get(head..head + length)?;
            rest = &rest[head + length..];
            return Some((id, element));
        }
    })
}

/// The level of RFC 6464: whether there is a voice, and decibels below the loudest.
#[must_use]
pub fn audio_level(element: &[u8]) -> Option<(bool, u8)> {
    element.first().map(|byte| (byte & 0x80 != 0, byte & 0x7F))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_byte_elements_are_read() {
        let one = [0x10, 0x9E, 0, 0x31, 1, 2, 0xF0, 7];
        assert_eq!(elements(0xBEDE, &one).collect::<Vec<_>>(), [(1, &[0x9E][..]), (3, &[1, 2][..])]);
        let two = [1, 0, 0, 20, 2, 8, 9];
        assert_eq!(elements(0x1000, &two).collect::<Vec<_>>(), [(1, &[][..]), (20, &[8, 9][..])]);
        assert_eq!(elements(0xBEDE, &[0x1F, 1]).count(), 0, "longer than there is");
        assert_eq!(elements(0x1234, &one).count(), 0);
        assert_eq!(audio_level(&[0x9E]), Some((true, 30)));
    }
}
