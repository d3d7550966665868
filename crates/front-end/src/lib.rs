//! Front End role: the request pipeline, the registrar and the stateful proxy of one worker.
//!
//! [`core::Core`] is a machine without IO: SIP messages, store commits and time go in; SIP messages and
//! [`core::Effect`]s come out. [`executor::Executor`] joins it to sockets and store. Every refusal is one row of
//! [`refusal::Refusal`]; every routing decision is [`route::decide`] and keeps its steps.

pub mod calls;
pub mod core;
pub mod credentials;
pub mod events;
pub mod executor;
pub mod gruu;
pub mod inbound;
pub mod keys;
pub mod ladders;
pub mod lockout;
pub mod messages;
pub mod metrics;
pub mod overload;
pub mod pipeline;
pub mod random;
pub mod refusal;
pub mod register;
pub mod route;
pub mod sources;
pub mod trace;
pub mod withheld;
