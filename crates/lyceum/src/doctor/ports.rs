//! Ports: free, or held by the server that should hold them.

use lyceum_net::{Holder, NetError};

use super::finding::Finding;
use crate::config::Port;
use crate::preflight::try_port;

/// What came of opening a port.
pub fn gather(port: &Port) -> Result<(), NetError> {
    try_port(port)
}

/// How it stands with a port; `running` is the server that answers on the local socket.
pub fn judge(port: &Port, outcome: &Result<(), NetError>, running: Option<u32>) -> Finding {
    let what = format!("port {} {}", port.what, port.addr);
    let error = match (outcome, running) {
        (Ok(()), None) => return Finding::ok(what, "free"),
        (Ok(()), Some(pid)) => {
            let detail =
                format!("the running server (process {pid}) does not hold it: the node file changed since its start");
            return Finding::warn(what, detail, "systemctl restart lyceum");
        }
        (Err(error), _) => error,
    };
    match (error, running) {
        (NetError::PortInUse { holder: Some(Holder { pid, .. }), .. }, Some(running)) if *pid == running => {
            Finding::ok(what, format!("held by the running server, process {pid}"))
        }
        (NetError::PortInUse { holder: None, .. }, Some(running)) => {
            let detail = format!("in use, by whom this user may not see; process {running} is the running server");
            Finding::warn(what, detail, "sudo lyceum doctor")
        }
        (NetError::PortInUse { holder: Some(Holder { pid, name }), .. }, _) => {
            let fix = format!("stop it (`kill {pid}`), or choose another port in the node file");
            Finding::fail(what, format!("in use by process {pid} ({name})"), fix)
        }
        (NetError::PortInUse { holder: None, .. }, None) => {
            let socket = if port.datagram { "-lnup" } else { "-lntp" };
            Finding::fail(
                what,
                "in use",
                format!("see who holds it: `sudo ss {socket} 'sport = :{}'`", port.addr.port()),
            )
        }
        (NetError::Forbidden { .. }, _) => {
            let detail =
                "this user may not open ports below 1024; the service may, by AmbientCapabilities=CAP_NET_BIND_SERVICE";
            Finding::warn(what, detail, "sudo lyceum doctor")
        }
        (NetError::AddressNotHere { .. }, _) => Finding::fail(
            what,
            "the address belongs to no interface of this machine",
            "choose one that `ip address` lists",
        ),
        (error, _) => Finding::fail(what, error.to_string(), "see the kernel's log: `journalctl -k -n 50`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Ok as Good, Warn};
    use lyceum_sip::Transport;

    #[test]
    fn facts_lead_to_a_verdict() {
        let port = Port { what: "udp".into(), addr: "127.0.0.1:5060".parse().unwrap(), datagram: true };
        let addr = port.addr;
        let held = |pid: Option<u32>| {
            let holder = pid.map(|pid| Holder { pid, name: "kamailio".into() });
            Err(NetError::PortInUse { transport: Transport::Udp, addr, holder })
        };
        type Outcome = Result<(), NetError>;
        let cases: [(Outcome, Option<u32>, Verdict, &str); 9] = [
            (Ok(()), None, Good, "free"),
            (Ok(()), Some(7), Warn, "does not hold it"),
            (held(Some(7)), Some(7), Good, "held by the running server, process 7"),
            (held(Some(8)), Some(7), Fail, "in use by process 8 (kamailio)"),
            (held(Some(8)), None, Fail, "in use by process 8 (kamailio)"),
            (held(None), Some(7), Warn, "may not see"),
            (held(None), None, Fail, "in use"),
            (Err(NetError::Forbidden { addr }), None, Warn, "below 1024"),
            (Err(NetError::AddressNotHere { addr }), None, Fail, "no interface"),
        ];
        for (outcome, running, verdict, part) in cases {
            let found = judge(&port, &outcome, running);
            assert!(found.verdict == verdict && found.detail.contains(part), "{part}: {found:?}");
            assert_eq!(found.fix.is_some(), verdict != Good);
        }
    }
}
