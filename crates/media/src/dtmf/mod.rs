//! Keypad tones: as events (RFC 4733), as sound, and back from sound.

pub mod detect;
pub mod event;
pub mod tone;

/// The sixteen keys in the order of their event numbers.
pub const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// The key of an event number.
#[must_use]
pub fn key(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).copied()
}

/// The event number of a key.
#[must_use]
pub fn event(key: char) -> Option<u8> {
    KEYS.iter().position(|known| *known == key.to_ascii_uppercase()).and_then(|at| u8::try_from(at).ok())
}

/// The two frequencies of a key, in hertz (ITU-T Q.23).
#[must_use]
pub fn frequencies(key: char) -> Option<(f32, f32)> {
    const ROWS: [(&str, f32); 4] = [("123A", 697.0), ("456B", 770.0), ("789C", 852.0), ("*0#D", 941.0)];
    let (row, low) = ROWS.iter().find(|(row, _)| row.contains(key.to_ascii_uppercase()))?;
    let column = row.find(key.to_ascii_uppercase())?;
    Some((*low, [1209.0, 1336.0, 1477.0, 1633.0][column]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_events_and_frequencies_belong_together() {
        for (number, name) in KEYS.into_iter().enumerate() {
            assert_eq!((event(name), key(number as u8)), (Some(number as u8), Some(name)));
            assert!(frequencies(name).is_some());
        }
        assert_eq!(frequencies('5'), Some((770.0, 1336.0)));
        assert_eq!((event('x'), key(16), frequencies('x')), (None, None, None));
    }
}
