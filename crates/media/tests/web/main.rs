//! Two browsers' transports against each other.

mod connect;
mod net;
mod refuse;
