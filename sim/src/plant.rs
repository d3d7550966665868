//! Faults planted on purpose, to prove that the checks see them. All of them live in the simulated world around the core:
//! the product has no test switch.

/// A planted fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The core is told that a block is durable as soon as it is handed to the store.
    EarlyOk,
    /// Retransmitted INVITEs reach the core with a branch of their own, as if the branch were not looked at.
    RepeatIsNew,
    /// CANCELs to losing branches never leave.
    NoCancel,
    /// From some moment on the core's timers do not fire.
    DeadTimer,
    /// The ACK of a 2xx is not forwarded.
    LostAck,
    /// In-dialog requests leave by the flow of some other endpoint.
    WrongFlow,
    /// One acknowledged journal entry is missing when the store is read at a restart.
    LostEntry,
    /// The store gives its blocks back in the wrong order at a restart.
    WrongOrder,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 8] = [
        Fault::EarlyOk,
        Fault::RepeatIsNew,
        Fault::NoCancel,
        Fault::DeadTimer,
        Fault::LostAck,
        Fault::WrongFlow,
        Fault::LostEntry,
        Fault::WrongOrder,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Fault::EarlyOk => "early-ok",
            Fault::RepeatIsNew => "repeat-is-new",
            Fault::NoCancel => "no-cancel",
            Fault::DeadTimer => "dead-timer",
            Fault::LostAck => "lost-ack",
            Fault::WrongFlow => "wrong-flow",
            Fault::LostEntry => "lost-entry",
            Fault::WrongOrder => "wrong-order",
        }
    }

    /// Reads [`Fault::name`].
    pub fn parse(name: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.name() == name)
    }
}
