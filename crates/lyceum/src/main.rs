//! The Lyceum binary.
fn main() {}
