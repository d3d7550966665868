//! The front end of one worker as a machine: messages in, messages out, no sockets. One file per subject.

mod archive;
mod bench;
mod blocking;
mod bridging;
mod calls;
mod client_versions;
mod dialogs;
mod gone;
mod ladders;
mod large;
mod lists;
mod lists_subscribed;
mod messages;
mod outside;
mod policies;
mod presence;
mod reach;
mod registration;
mod routes;
mod strangers;
mod watching;
