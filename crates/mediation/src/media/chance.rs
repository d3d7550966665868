//! Bytes that nobody can guess.

use std::io;

/// Fresh bytes of the system.
pub(super) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("the system gives no chance: {error}")))?;
    Ok(bytes)
}
