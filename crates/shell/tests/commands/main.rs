//! Commands against an API that answers from a script: what is called, what is shown, and the exit codes.

mod accounts;
mod archive;
mod changes;
mod documents;
mod output;
mod people;
mod shell;
mod support;
mod traces;
mod tree;
