//! Bytes that nobody can guess.

use std::io;

/// Fresh bytes of the system.
pub(super) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("the system gives no chance: {error}")))?;
    Ok(bytes)
}

/// A number below `bound`.
pub(super) fn below(bound: usize) -> io::Result<usize> {
    Ok((u64::from_le_bytes(bytes()?) % bound.max(1) as u64) as usize)
}
