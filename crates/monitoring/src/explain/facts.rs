//! What the rules ask a ladder.

use crate::head::{Head, address, parameter};
use crate::ladder::{Ladder, Role, Transaction};

/// The ladder with its main transaction found: the request that all the others are about.
pub(super) struct Facts<'a> {
    pub(super) ladder: &'a Ladder,
    /// Its position; `None` only when nothing was traced.
    main: Option<usize>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(ladder: &'a Ladder) -> Self {
        let all = &ladder.transactions;
        let last = |fits: &dyn Fn(&Transaction) -> bool| all.iter().rposition(fits);
        // A challenged request is repeated with credentials: the last attempt is the one that counts.
        let main = last(&|one| one.method == "INVITE" && !one.in_dialog && one.role == Role::Server)
            .or_else(|| last(&|one| one.method == "INVITE" && !one.in_dialog))
            .or_else(|| last(&|one| !one.in_dialog && one.role == Role::Server && one.method != "CANCEL"))
            .or_else(|| last(&|one| !one.in_dialog && one.method != "CANCEL"))
            .or_else(|| all.len().checked_sub(1));
        Self { ladder, main }
    }

    /// The main transaction with its position.
    pub(super) fn main(&self) -> Option<(usize, &'a Transaction)> {
        let at = self.main?;
        Some((at, self.ladder.transactions.get(at)?))
    }

    /// The main transaction if it was refused, or has had no final answer yet.
    pub(super) fn unsuccessful(&self) -> Option<(usize, &'a Transaction)> {
        self.main().filter(|(_, main)| !(200..300).contains(&main.status))
    }

    /// The main transaction if it succeeded.
    pub(super) fn successful(&self) -> Option<(usize, &'a Transaction)> {
        self.main().filter(|(_, main)| (200..300).contains(&main.status))
    }

    /// All transactions with their positions.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = (usize, &'a Transaction)> + use<'a> {
        self.ladder.transactions.iter().enumerate()
    }

    /// The branches on which the server passed the main request on.
    pub(super) fn legs(&self) -> impl DoubleEndedIterator<Item = (usize, &'a Transaction)> + use<'a> {
        let main = self.main();
        self.all().filter(move |(at, one)| {
            main.is_some_and(|(main_at, main)| {
                *at != main_at
                    && one.role == Role::Client
                    && one.method == main.method
                    && !one.in_dialog
                    && one.began >= main.began
            })
        })
    }

    /// The other party of a transaction, with its address.
    pub(super) fn who(&self, transaction: &Transaction) -> String {
        self.ladder.lanes.get(transaction.peer).map(|lane| lane.who()).unwrap_or_default()
    }

    /// The other party's name alone.
    pub(super) fn name(&self, transaction: &Transaction) -> &'a str {
        self.ladder.lanes.get(transaction.peer).map_or("", |lane| lane.name.as_str())
    }

    /// Who asks in the main transaction.
    pub(super) fn caller(&self) -> &'a str {
        match self.main() {
            Some((_, main)) if main.role == Role::Server => self.name(main),
            _ => "Lyceum",
        }
    }

    /// Whom the main request is for.
    pub(super) fn callee(&self) -> &'a str {
        let Some((_, main)) = self.main() else { return "" };
        let target = address(self.request(main).request_uri());
        target.split_once('@').map_or(target, |(user, _)| user)
    }

    /// The first request of a transaction; an empty head when the trace begins later.
    pub(super) fn request(&self, transaction: &'a Transaction) -> Head<'a> {
        self.heads(transaction).find(Head::is_request).unwrap_or_default()
    }

    /// The final answer of a transaction.
    pub(super) fn answer(&self, transaction: &'a Transaction) -> Head<'a> {
        self.heads(transaction).find(|head| head.status >= 200 && head.status == transaction.status).unwrap_or_default()
    }

    pub(super) fn heads(&self, transaction: &'a Transaction) -> impl DoubleEndedIterator<Item = Head<'a>> + use<'a> {
        self.ladder.entries(transaction).map(|entry| entry.head())
    }

    /// The account that the main requests' credentials name, else who From names.
    pub(super) fn account(&self, transaction: &'a Transaction) -> &'a str {
        let request = self.request(transaction);
        let user = parameter(request.authorization, "username");
        if user.is_empty() { address(request.from) } else { user }
    }

    /// A sentence with its placeholders filled in.
    pub(super) fn fill(&self, template: &str, transaction: &'a Transaction) -> String {
        let answer = self.answer(transaction);
        let reason = answer.first_line.splitn(3, ' ').nth(2).unwrap_or_default();
        let status = transaction.status.to_string();
        let peer = self.who(transaction);
        [
            ("{caller}", self.caller()),
            ("{callee}", self.callee()),
            ("{peer}", &*peer),
            ("{reason}", reason),
            ("{status}", &*status),
            ("{method}", &*transaction.method),
            ("{account}", self.account(transaction)),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// A length of time in words: `12 s`, `0.4 s`.
pub(super) fn seconds(millis: u64) -> String {
    if millis < 2_000 { format!("{}.{} s", millis / 1000, millis % 1000 / 100) } else { format!("{} s", millis / 1000) }
}

/// `once`, `twice`, `3 times`.
pub(super) fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}
