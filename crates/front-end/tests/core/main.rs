//! The front end of one worker as a machine: messages in, messages out, no sockets. One file per subject.

mod bench;
mod blocking;
mod calls;
mod client_versions;
mod dialogs;
mod gone;
mod ladders;
mod large;
mod messages;
mod policies;
mod presence;
mod registration;
mod routes;
mod strangers;
