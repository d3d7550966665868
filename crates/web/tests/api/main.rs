//! The API over its router: a real store in a temporary folder, fake ports, no TLS.

mod authorization;
mod client;
mod directory;
mod files;
mod groups;
mod messages;
mod people;
mod plan;
mod records;
mod scale;
mod server;
mod sign_in;
mod support;
mod topology;
mod websocket;
