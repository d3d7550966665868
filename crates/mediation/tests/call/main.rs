//! Bridged calls, description by description, with media that only writes down what it is told.

mod bench;
mod exchanges;
mod media_lines;
mod over;
mod refused;
