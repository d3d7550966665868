//! The rules that hold in every run, and their breaches.

use std::fmt;

use lyceum_sip::time::Time;

macro_rules! rules {
    ($( $name:ident = $text:literal; )*) => {
        /// A rule that holds in every run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rule { $( #[doc = $text] $name, )* }

        impl fmt::Display for Rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $( Rule::$name => $text, )* })
            }
        }
    };
}

rules! {
    TransactionsEnd = "no transaction outlives its timers";
    CallsEnd = "every call ends at both ends";
    OneFinal = "every INVITE has exactly one final answer";
    Durable = "a 200 to REGISTER leaves only when what it says is durable";
    BindingKept = "no acknowledged binding is missing";
    RemovalKept = "what was removed stays removed";
    RightPeer = "a request within a call reaches its peer";
    Acknowledged = "every 2xx to INVITE is acknowledged";
    Asked = "no response without a request";
    Bounded = "loops and repetitions are bounded";
    RingingEnds = "no endpoint rings forever";
    ForkedOnce = "an INVITE reaches an endpoint once";
    Accepted = "a correct request is not refused";
    Answered = "a request is answered";
    Readable = "what is forwarded can be read";
}

/// A rule was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// When.
    pub at: Time,
    /// Which.
    pub rule: Rule,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken at {:.6} s: {}: {}", self.at.0 as f64 / 1e6, self.rule, self.what)
    }
}
