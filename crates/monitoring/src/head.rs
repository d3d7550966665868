//! The few fields of a message that ladders and filters need, read from its text.
//!
//! Not the `sip` parser, on purpose: a trace must also show the messages which that parser refuses.

/// What a message says of itself. Fields it lacks are empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) first_line: &'a str,
    /// 0 for a request.
    pub(crate) status: u16,
    /// The method of the request line, or of the CSeq of a response.
    pub(crate) method: &'a str,
    pub(crate) cseq: u32,
    pub(crate) branch: &'a str,
    pub(crate) call_id: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) to_tag: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) authorization: &'a str,
    pub(crate) challenge: &'a str,
    pub(crate) retry_after: &'a str,
    pub(crate) warning: &'a str,
    pub(crate) diagnostics: &'a str,
    pub(crate) body: &'a str,
}

impl<'a> Head<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n")).unwrap_or((text, ""));
        let mut lines = head.lines();
        let mut found = Self { first_line: lines.next().unwrap_or_default(), body, ..Self::default() };
        for line in lines.take(256) {
            if let Some((name, value)) = line.split_once(':') {
                found.take(name.trim_end(), value.trim());
            }
        }
        found.read_first_line();
        found
    }

    fn take(&mut self, name: &str, value: &'a str) {
        let once = |slot: &mut &'a str| {
            if slot.is_empty() {
                *slot = value;
            }
        };
        match &*name.to_ascii_lowercase() {
            "via" | "v" if self.branch.is_empty() => {
                self.branch = parameter(value.split(',').next().unwrap_or(value), "branch")
            }
            "call-id" | "i" => once(&mut self.call_id),
            "from" | "f" => once(&mut self.from),
            "to" | "t" => {
                once(&mut self.to);
                self.to_tag = parameter(self.to.rsplit_once('>').map_or(self.to, |(_, after)| after), "tag");
            }
            "cseq" => {
                let mut parts = value.split_ascii_whitespace();
                self.cseq = parts.next().and_then(|number| number.parse().ok()).unwrap_or_default();
                self.method = parts.next().unwrap_or_default();
            }
            "user-agent" | "server" => once(&mut self.user_agent),
            "authorization" | "proxy-authorization" => once(&mut self.authorization),
            "www-authenticate" | "proxy-authenticate" => once(&mut self.challenge),
            "retry-after" => once(&mut self.retry_after),
            "warning" | "reason" => once(&mut self.warning),
            // What the front end says of its own refusals.
            "lyceum-diagnostics" => once(&mut self.diagnostics),
            _ => {}
        }
    }

    fn read_first_line(&mut self) {
        let mut words = self.first_line.split(' ');
        match (words.next(), words.next()) {
            (Some("SIP/2.0"), Some(status)) => self.status = status.parse().unwrap_or_default(),
            (Some(method), _) => self.method = method,
            _ => {}
        }
    }

    pub(crate) fn is_request(&self) -> bool {
        self.status == 0
    }

    /// The Request-URI; empty for a response.
    pub(crate) fn request_uri(&self) -> &'a str {
        if self.is_request() { self.first_line.split(' ').nth(1).unwrap_or_default() } else { "" }
    }

    /// Branch and method; an ACK on the branch of its INVITE belongs to it (RFC 3261 §17.1.1.3).
    pub(crate) fn transaction(&self) -> String {
        format!("{} {}", self.branch, self.method)
    }
}

/// The value of `;name=value` or `,name="value"`; empty when absent.
pub(crate) fn parameter<'a>(text: &'a str, name: &str) -> &'a str {
    let is = |part: &&str| {
        part.split_once('=')
            .is_some_and(|(key, _)| key.trim().rsplit(' ').next().is_some_and(|key| key.eq_ignore_ascii_case(name)))
    };
    let value =
        text.split([';', ',']).find(is).and_then(|part| part.split_once('=')).map_or("", |(_, value)| value.trim());
    value.trim_matches('"')
}

/// The address inside `"Anna" <sip:anna@contoso.com>;tag=1`, without scheme: `anna@contoso.com`.
pub(crate) fn address(value: &str) -> &str {
    let uri = match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => value.split(';').next().unwrap_or(value).trim(),
    };
    let bare = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    bare.split([';', '?']).next().unwrap_or(bare)
}
